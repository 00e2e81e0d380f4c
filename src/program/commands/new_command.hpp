// `shoal new NAME`: begins a new environment in shoal's source tree. Header, tests and configuration are written from
// src/program/commands/templates, and the struct is entered into the list of environments. docs/environment.md
#pragma once

#include <filesystem>
#include <string>

namespace shoal {

/// "river_game" becomes "RiverGame". @throws InputError for a name that is no environment's
std::string struct_name(std::string const& name);

/// The text of cmake/Environments.cmake with one struct more in its list, by the alphabet.
/// @throws InputError where the text has no list, or the list has the struct
std::string with_environment(std::string const& list, std::string const& struct_name);

/// Writes all four files or none, and prints the commands that come next. @return the exit code
/// @throws InputError naming the name, folder or file at fault; Error where writing fails, e.g. on a full disk
int new_command(std::string const& name, std::filesystem::path const& root);

}  // namespace shoal
