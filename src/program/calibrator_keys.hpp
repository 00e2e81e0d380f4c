// The keys of [calibrator]: each kind of calibrator has its own.
#pragma once

#include <vector>

#include "shoal/core/settings.hpp"
#include "shoal/learn/options.hpp"

namespace shoal {

/// All kinds' keys; the help of one that not every kind has begins with those that do.
std::vector<Field> calibrator_fields();

/// @throws SettingError as read_settings(), and for a key of another kind, which it names
CalibratorOptions read_calibrator(Settings const& settings);

}  // namespace shoal
