#include "shoal/data/estimate.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace shoal {

Estimate estimate(at::Tensor const& values) {
  constexpr double normal_quantile = 1.959964;  // of 97.5 %
  double const mean = values.mean().item<double>();
  double const error = normal_quantile * values.std().item<double>() / std::sqrt(double(values.numel()));
  return {mean, mean - error, mean + error};
}

}  // namespace shoal
