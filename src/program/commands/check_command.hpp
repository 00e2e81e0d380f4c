// `shoal check`: whether a run's policy is an epsilon-shared equilibrium at the run's final profile
// (docs/equilibrium.md).
#pragma once

#include <string>
#include <vector>

#include "shoal/analysis/equilibrium.hpp"

namespace shoal {

struct CheckCommand {
  std::string directory;
  EquilibriumOptions options = {};
  bool particles = false;                   // keep the cloud of the calibrator's particles; else their mean
  std::vector<std::string> overrides = {};  // train.threads and train.device
};

/// One sentence for people: epsilon, what it rests on, and what it does not tell.
std::string verdict(EquilibriumReport const& report);

/// Prints a table and the verdict, writes check.json into the run's folder. @return the exit code
int check(CheckCommand const& command);

}  // namespace shoal
