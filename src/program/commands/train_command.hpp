// `shoal train`: runs or resumes an experiment.
#pragma once

#include <string>
#include <vector>

#include "shoal/data/collective.hpp"

namespace shoal {

struct TrainCommand {
  std::string config = {};                  // CONFIG.toml; empty with `resume`
  std::vector<std::string> overrides = {};  // --set key=value, and what --threads and --device stand for
  std::vector<std::string> seeds = {};      // a run each; none: the configuration's
  std::string out = {};  // empty: runs/NAME. The run's folder; of several runs, where theirs are: OUT/seed-N
  std::vector<std::string> resume = {};  // folders of earlier runs
  Collective collective = {};            // the processes that train the run together; the first writes its files
};

/// Several runs train side by side, a stage of each in turn; on CUDA their stages overlap. One that fails is named, the
/// others go on.
/// @return the exit code: 0, 1 if one of several failed, or 130 after an interrupt
int train(TrainCommand const& command);

}  // namespace shoal
