// `shoal evaluate`: the validation of a run once more, on episodes of its own: its profile or another, its targets or
// others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

struct EvaluateCommand {
  std::string directory;
  int episodes = 4096;
  std::uint32_t seed = 0;
  std::string profile = "";                 // a profile.toml; empty: the run's answer
  std::string targets = "";                 // a configuration, for its targets; empty: the run's
  bool coordinates = false;                 // also what a move of each coordinate costs
  std::vector<std::string> overrides = {};  // train.threads and train.device
};

/// Prints the fit, and writes evaluation.json into the run's folder. @return the exit code
int evaluate(EvaluateCommand const& command);

}  // namespace shoal
