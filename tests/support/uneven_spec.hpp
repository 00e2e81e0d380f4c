// An environment's spec for tests of calibrators.
#pragma once

#include "shoal/env/spec.hpp"

namespace shoal::test {

/// Three supertypes of 2, 0 and 1 coordinates with bounds of their own.
inline Spec uneven_spec() {
  Spec spec{.groups = {{.agents = 3}}};
  spec.supertypes = {{"x", {{"p", -1, 3, 0}, {"q", 10, 20, 19}}}, {"y", {}}, {"z", {{"p", 0, 0.1f, 0.05f}}}};
  spec.supertype_of = {0, 1, 2};
  return spec;
}

}  // namespace shoal::test
