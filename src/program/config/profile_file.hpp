// profile.toml: one supertype profile as a table for each supertype, which people read and `calibrator.profile_file`
// loads.
#pragma once

#include <string>
#include <vector>

#include "shoal/env/spec.hpp"

namespace shoal {

/// @param profile  in the order of ProfileSpace, in the coordinates' own units  @param header  lines that become
///                 comments
std::string profile_toml(std::string const& environment, Spec const& spec, std::vector<double> const& profile,
                         std::vector<std::string> const& header);

/// The profile in the order of ProfileSpace.
/// @throws InputError naming file, key and value: another environment, a missing or unknown coordinate, a value out of
///         its bounds
std::vector<double> read_profile(std::string const& path, std::string const& environment, Spec const& spec);

}  // namespace shoal
