// The list of environments: shoal's own, and those of plugins.
#pragma once

#include <string>

#include "shoal/env/entry.hpp"

namespace shoal {

/// Adds the environment of a plugin. Adding one of the same name from the same file has no effect.
/// @param file  the plugin's absolute path
/// @throws InputError if the name is taken
void add_environment(EnvironmentEntry const& entry, std::string const& file);

}  // namespace shoal
