#include "program/reports/statistics.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

namespace shoal {

namespace {

/// Probability that |t| is below `x`.
double student_within(double x, int degrees) {
  double const angle = std::atan(x / std::sqrt(double(degrees)));
  double const sine = std::sin(angle), cosine = std::cos(angle);
  bool const odd = degrees % 2 == 1;
  double term = odd ? cosine : 1, sum = degrees > 1 ? term : 0;
  for (int k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= double(k - 1) / double(k) * cosine * cosine;
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
}

}  // namespace

double student_quantile(int degrees_of_freedom) {
  double low = 1, high = 13;
  for (int i = 0; i < 60; ++i) {
    double const middle = (low + high) / 2;
    (student_within(middle, degrees_of_freedom) < 0.95 ? low : high) = middle;
  }
  return low;
}

SampleMean sample_mean(std::vector<double> const& values) {
  auto const n = double(values.size());
  SampleMean result{.count = int(values.size()), .mean = std::accumulate(values.begin(), values.end(), 0.0) / n};
  if (values.size() < 2) return result;
  double squares = 0;
  for (double const x : values) squares += (x - result.mean) * (x - result.mean);
  result.sd = std::sqrt(squares / (n - 1));
  result.half_width = student_quantile(result.count - 1) * *result.sd / std::sqrt(n);
  return result;
}

}  // namespace shoal
