// Sections whose keys depend on the value of one of them: [calibrator] on kind, [policy] on algorithm.
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

}  // namespace shoal
