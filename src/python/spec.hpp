// What shoal tells about environments, in Python's own types: python/shoal/spec.py makes classes of it.
#pragma once

#include <nanobind/nanobind.h>

#include "shoal/env/simulator.hpp"

namespace shoal::python {

/// The simulator's spec, with the widths of its observations and the names of its metrics.
nanobind::dict spec_of(Simulator const& simulator);

/// Every environment: name, summary and fields.
nanobind::list describe_all();

}  // namespace shoal::python
