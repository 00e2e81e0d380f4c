// `shoal train`: runs or resumes an experiment.
#pragma once

#include <string>
#include <vector>

namespace shoal {

struct TrainCommand {
  std::string config;                  // CONFIG.toml; empty with `resume`
  std::vector<std::string> overrides;  // --set key=value, and what --seed, --threads and --device stand for
  std::string out;                     // empty: runs/NAME
  std::string resume;                  // folder of an earlier run
};

/// @return the exit code: 0, or 130 after an interrupt
int train(TrainCommand const& command);

}  // namespace shoal
