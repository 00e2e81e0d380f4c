// Python's values as settings.
#pragma once

#include <nanobind/nanobind.h>

#include "shoal/core/settings.hpp"

namespace shoal::python {

/// Booleans, integers, real numbers, strings, and lists of numbers or of strings; NumPy's scalars and arrays too.
/// @throws SettingError naming the key of a value that is none of these
Settings to_settings(nanobind::dict values);

/// The reverse, for what resolve_params returns.
nanobind::dict to_python(Settings const& settings);

}  // namespace shoal::python
