// Means over seeds and how sure one may be of them.
#pragma once

#include <optional>
#include <vector>

namespace shoal {

struct SampleMean {
  int count = 0;
  double mean = 0;
  std::optional<double> sd = {};          // of the sample, n - 1; from two values on
  std::optional<double> half_width = {};  // of the mean's 95 % confidence interval by Student's t; from two values on
};

/// @param values  at least one
SampleMean sample_mean(std::vector<double> const& values);

/// The 97.5 % quantile of Student's t: 12.706 for one degree of freedom, 1.960 for many.
/// The distribution function is the finite sum of Abramowitz and Stegun, 26.7.3 and 26.7.4, inverted by bisection.
double student_quantile(int degrees_of_freedom);

}  // namespace shoal
