// Environments of one's own in shared libraries, which the CMake function shoal_add_environment() makes
// (docs/plugins.md).
#pragma once

#include <filesystem>
#include <string>

#include "shoal/env/entry.hpp"

namespace shoal {

/// What a plugin hands over.
struct Plugin {
  /// The version of shoal that it was compiled for, and a digest of the headers. First in every version.
  char const* interface;
  EnvironmentEntry (*entry)();  // called only where `interface` is the loader's
};

/// Loads a plugin's environment. From then on every function that takes the name of an environment knows it, until the
/// process ends. Loading a file again has no effect. Safe from several threads.
///
/// The plugins that the environment variable SHOAL_PLUGINS lists, separated by colons, are loaded by the first function
/// that looks for an environment; its InputError is theirs.
/// @return the environment's name
/// @throws InputError naming the file: no plugin, one for another version of shoal, or one whose name is taken
std::string load_plugin(std::filesystem::path const& path);

/// The plugin that has this environment, an absolute path.
/// @return empty if it is one of shoal's own, or unknown
std::string plugin_of(std::string const& environment);

}  // namespace shoal

/// The one symbol of a plugin.
extern "C" shoal::Plugin const* shoal_plugin();
