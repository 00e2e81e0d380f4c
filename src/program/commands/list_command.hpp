// `shoal list [NAME]`: what a configuration can hold, printed from the same field lists that read it.
#pragma once

#include <string>

namespace shoal {

/// @param name  empty: an overview; else an environment or a section of a configuration
/// @return the exit code
/// @throws InputError for a name that is neither
int list_command(std::string const& name);

}  // namespace shoal
