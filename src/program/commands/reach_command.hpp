// `shoal reach`: the best fit that a configuration's targets allow, by direct simulation before any training.
#pragma once

#include <string>
#include <vector>

namespace shoal {

/// Prints the fit and the profile. @return the exit code
int reach(std::string const& config, std::vector<std::string> const& overrides);

}  // namespace shoal
