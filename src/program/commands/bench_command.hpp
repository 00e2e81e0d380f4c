// `shoal bench`: agent steps per second of the environment alone, with inference, and with the update, over sizes.
#pragma once

#include <string>
#include <vector>

#include "program/commands/bench_run.hpp"

namespace shoal {

struct BenchOptions {
  std::vector<std::string> environments = {};  // empty: all
  std::vector<std::string> overrides = {};     // "section.key=value", as of `shoal train`
  std::string instances = {};                  // "N", or "A:B": A, 2 A, 4 A, ... up to B; empty: train.instances
  std::vector<int> agents = {};                // empty: the environment's own number
  std::vector<int> threads = {};               // empty: train.threads
  std::vector<int> horizons = {};              // empty: train.steps, or else an episode of at most 128 steps
  std::string mode = "all";                    // step, rollout, train or all
  double seconds = 1;                          // of a repetition
  int repetitions = 5;
  std::string device = {};  // empty: train.device
  std::string json = {};    // a file
};

/// Prints the table, on a terminal with progress, and writes the JSON file. After an interrupt or an error: what was
/// measured.
/// @return the exit code: 0, or 130 after an interrupt
/// @throws InputError naming the option at fault, before anything is measured where possible
int bench_command(BenchOptions const& options);

}  // namespace shoal
