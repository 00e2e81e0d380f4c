// Runs the cells of a study that are not finished, several at once, as child processes of the same program.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "program/config/study_config.hpp"
#include "program/runs/child_process.hpp"
#include "program/runs/progress.hpp"

namespace shoal {

enum class RunState { waiting, running, done, failed };

/// One run: a cell with one seed.
struct StudyRun {
  StudyCell const* cell;
  std::int64_t seed;
  std::string name;              // "1/calsheq/seed-3"
  std::filesystem::path folder;  // DIR/runs/NAME
  std::filesystem::path log;     // DIR/logs/NAME.log: what `shoal train` printed; of a batch .../seeds-1-2-3.log
  RunState state = RunState::waiting;
  std::string failure = {};
  std::int64_t first_stage = 0, stage = 0;  // finished stages when the study was started, and now
  std::optional<double> r_cal = {};         // of the last stage

  std::int64_t stages() const { return cell->run ? cell->run->trainer.train.stages : 0; }
};

/// All runs of the study in `folder`, one seed after the other, so that a study cut short has whole grids. Finished
/// ones are done.
/// @throws InputError for the folder of a run that was begun with another configuration
std::vector<StudyRun> find_runs(Study const& study, std::vector<StudyCell> const& cells,
                                std::filesystem::path const& folder);

/// "runs 3/8 done  2 running  1 failed  12:05 left  r_cal 1/calsheq/2 0.871  1/bo-50/2 0.652"
std::string study_line(std::vector<StudyRun> const& runs, std::optional<double> seconds_left);

class StudyRunner {
 public:
  struct Options {
    int jobs = 1;     // processes at once
    int batch = 1;    // seeds of a cell that a process trains side by side, at most
    int threads = 1;  // CPU threads of a process
    /// Of several programs that run the study together, this one's number: it runs every processes-th run.
    int process = 0, processes = 1;
  };

  /// @param program  the path of `shoal`
  StudyRunner(std::string program, Options options) : program_(std::move(program)), options_(options) {}

  /// Returns when all runs are done or failed, or after an interrupt, when those that ran have saved.
  void operator()(std::vector<StudyRun>& runs);

 private:
  struct Batch {
    std::vector<StudyRun*> runs;
    ChildProcess process;
  };

  void start(std::vector<StudyRun*> const& batch);
  bool has_ended(Batch& batch);
  void take_result(StudyRun& run, int code);
  void tell_failure(StudyRun const& run);
  void show(std::vector<StudyRun>& runs);
  std::optional<double> seconds_left(std::vector<StudyRun> const& runs) const;

  std::string program_;
  Options options_;
  std::vector<Batch> running_ = {};
  LiveLine line_{1, 60};
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace shoal
