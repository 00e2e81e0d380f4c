// Sections whose keys depend on the value of one of them: [calibrator] on kind, [policy] and [policy.NAME] on
// algorithm.
#pragma once

#include <string>
#include <vector>

#include "shoal/calibrate/options.hpp"
#include "shoal/learn/options.hpp"

namespace shoal {

/// Every key of any kind; help tells the kinds of those that not all have.
std::vector<Field> calibrator_fields();
std::vector<Field> policy_fields();

/// The keys of [policy] with one algorithm. @return empty for an unknown name
std::vector<Field> algorithm_fields(std::string const& algorithm);
std::vector<std::string> algorithm_names();

/// @throws SettingError also for a key that another kind has, which it names
CalibratorOptions read_calibrator(Settings const& settings);
PolicyOptions read_policy(Settings const& settings);

/// Of section [policy.NAME], whose keys come before those of [policy]. Of [policy] it takes those that its algorithm
/// has.
/// @throws SettingError as above, also for a key that belongs to [policy] alone
PolicyOptions read_policy_section(std::string const& name, Settings const& own, Settings const& policy);
/// Its keys as the section holds them.
Settings policy_section_settings(PolicyOptions const& options);

}  // namespace shoal
