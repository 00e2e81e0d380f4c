// A run in training: its trainer, and the folder that keeps what happens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "program/config/run_config.hpp"
#include "program/reports/tensorboard.hpp"
#include "program/runs/run_directory.hpp"
#include "program/runs/stored_run.hpp"

namespace shoal {

class TrainingRun {
 public:
  /// A new run saves where it begins.
  /// @param directory  nothing in all but the first of the processes that train the run together: they write no files
  TrainingRun(StoredRun run, std::optional<RunDirectory> directory);

  /// A stage in two halves, as of Trainer, so that several runs share a device; the second records it, and saves if a
  /// checkpoint is due.
  void launch_stage() { trainer_.launch_stage(); }
  StageReport finish_stage();

  bool done() const { return trainer_.next_stage() >= trainer_.stages(); }
  /// Writes a checkpoint unless there is one of this stage.
  void save();
  /// Whether this process writes the run's files. What follows is for it alone.
  bool records() const { return files_.has_value(); }
  /// All rows of metrics.jsonl.
  std::vector<std::string> rows() const { return files_->directory.read_metrics(); }
  /// What the run came to, for a reader: the fit, and whether it is done. @param rows  rows()
  std::string conclusion(std::vector<std::string> const& rows) const;
  /// summary.json of a run that is done. @param rows  rows()
  void write_summary(std::vector<std::string> const& rows) const;

  Trainer const& trainer() const { return trainer_; }
  RunConfig const& config() const { return config_; }
  std::filesystem::path const& folder() const { return files_->directory.path(); }

 private:
  struct Files {
    RunDirectory directory;
    TensorBoardWriter events;
  };

  void write_profile(Fit const& fit, char const* when) const;
  std::string digest() const;

  RunConfig config_;
  Trainer trainer_;
  std::optional<Files> files_;
  std::int64_t saved_;  // the stage of the last checkpoint
};

}  // namespace shoal
