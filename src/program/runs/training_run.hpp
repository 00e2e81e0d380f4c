// A run in training: its trainer, and the folder that keeps what happens.
#pragma once

#include <cstdint>
#include <filesystem>
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
  TrainingRun(StoredRun run, RunDirectory directory);

  /// A stage in two halves, as of Trainer, so that several runs share a device; the second records it, and saves if a
  /// checkpoint is due.
  void launch_stage() { trainer_.launch_stage(); }
  StageReport finish_stage();

  bool done() const { return trainer_.next_stage() >= trainer_.stages(); }
  /// Writes a checkpoint unless there is one of this stage.
  void save();
  /// All rows of metrics.jsonl.
  std::vector<std::string> rows() const { return directory_.read_metrics(); }
  /// What the run came to, for a reader: the fit, and whether it is done. @param rows  rows()
  std::string conclusion(std::vector<std::string> const& rows) const;
  /// summary.json of a run that is done. @param rows  rows()
  void write_summary(std::vector<std::string> const& rows) const;

  Trainer const& trainer() const { return trainer_; }
  RunConfig const& config() const { return config_; }
  std::filesystem::path const& folder() const { return directory_.path(); }

 private:
  void write_profile(Fit const& fit, char const* when) const;
  std::string digest() const;

  RunConfig config_;
  Trainer trainer_;
  RunDirectory directory_;
  TensorBoardWriter events_;
  std::int64_t saved_;  // the stage of the last checkpoint
};

}  // namespace shoal
