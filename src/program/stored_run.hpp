// A run's folder as a trainer that stands where its last checkpoint was written: what resuming and checking begin with.
#pragma once

#include <string>
#include <vector>

#include "program/run_config.hpp"
#include "program/run_directory.hpp"

namespace shoal {

struct StoredRun {
  RunConfig config;
  Trainer trainer;
};

/// A Trainer whose errors about settings name file and line.
Trainer make_trainer(Config const& file, RunConfig const& config);

/// Without a checkpoint the trainer stands at stage 0.
/// @param overrides  of keys that a resumed run may change
/// @throws InputError naming the file at fault
StoredRun load_run(RunDirectory const& directory, std::vector<std::string> const& overrides);

/// A run that has trained, ready to be played with on LibTorch's default stream.
/// @throws InputError naming the file at fault, also for a run without a checkpoint or of another version of shoal
StoredRun load_trained(RunDirectory const& directory, std::vector<std::string> const& overrides);

}  // namespace shoal
