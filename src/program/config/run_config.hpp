// From a configuration file to what a Trainer takes, and back to a file that needs nothing else.
#pragma once

#include <string>
#include <vector>

#include "program/config/config.hpp"
#include "shoal/train/trainer.hpp"

namespace shoal {

struct RunConfig {
  TrainerConfig trainer;
  std::string plugin;                 // that has the environment, an absolute path; empty: it is one of shoal's own
  std::vector<std::string> notes;     // where derived values come from; comments in the resolved file
  std::vector<std::string> warnings;  // what the user should know before the run begins
};

/// Reads every section, derives targets and parameters from [data], fills in defaults.
/// @throws InputError naming file, line, key, value and what was expected
RunConfig resolve(Config const& config);

/// The complete configuration as TOML: every key, with what [data] gave in place of that section.
std::string to_toml(RunConfig const& config);

/// What a checkpoint must agree with: to_toml() without the keys that a resumed run may change (`resumable_keys`), and
/// without the place of the plugin.
std::string identity(RunConfig const& config);

/// Keys of [train] that may differ between a run and its continuation.
bool is_resumable_key(std::string const& section_and_key);

}  // namespace shoal
