// The policies of another run that `policy.run` names, and the file that a run which plays with them keeps of them.
#pragma once

#include <filesystem>
#include <string>

#include "shoal/learn/frozen_run.hpp"
#include "shoal/train/setup.hpp"

namespace shoal {

/// @param path  the folder of a run, of which the last whole checkpoint is read, or a file of write_frozen_runs()
/// @throws InputError if it is neither, or of another version of shoal
FrozenRun read_frozen_run(std::filesystem::path const& path);

/// Where a run's folder keeps what the section's `run` names: "frozen/policy.NAME.pt".
std::string frozen_file(std::string const& section);

/// Writes those files of all sections into the folder of a run.
/// @throws Error naming the file that cannot be written
void write_frozen_runs(TrainerConfig const& config, std::filesystem::path const& folder);

}  // namespace shoal
