// A mean over independent episodes and how sure one may be of it.
#pragma once

#include <ATen/core/Tensor.h>

namespace shoal {

/// A mean over episodes and its 95 % interval, mean +- 1.96 sd / sqrt(episodes).
struct Estimate {
  double mean = 0, low = 0, high = 0;
};

/// @param values  [episodes] f64, independent, at least two
Estimate estimate(at::Tensor const& values);

}  // namespace shoal
