// A run's folder as a trainer that stands where its last whole checkpoint was written: what resuming and checking begin
// with.
#pragma once

#include <string>
#include <vector>

#include "program/config/run_config.hpp"
#include "program/runs/run_directory.hpp"

namespace shoal {

struct StoredRun {
  RunConfig config;
  Trainer trainer;
  std::string checkpoint = {};           // what the trainer was loaded from; empty: a new run
  std::string digest = {};               // of that file
  std::vector<std::string> broken = {};  // later checkpoints that are cut short
};

/// Another version may play by other rules. The first line of config.toml tells which wrote it.
/// @throws InputError if that is another one
void check_version(RunDirectory const& directory);

/// A Trainer whose errors about settings name file and line.
/// @param beside  how many runs train in this process: they share the threads that each asks for
Trainer make_trainer(Config const& file, RunConfig const& config, std::size_t beside = 1);

/// @param overrides  of keys that a resumed run may change  @param beside  of make_trainer()
/// @throws InputError naming the file at fault, also for a run without a checkpoint or of another version of shoal
StoredRun load_run(RunDirectory const& directory, std::vector<std::string> const& overrides, std::size_t beside = 1,
                   Collective const& collective = {});

/// A run that has trained, ready to be played with on LibTorch's default stream. Tells which broken checkpoints were
/// passed over.
/// @throws InputError as load_run()
StoredRun load_trained(RunDirectory const& directory, std::vector<std::string> const& overrides);

/// Tells which checkpoints were passed over.
void tell_broken(StoredRun const& run);

}  // namespace shoal
