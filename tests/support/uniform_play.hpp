// Uniform play of an environment whose first metric is the team's return.
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "support/driver.hpp"

namespace shoal {

/// Mean over instances, each of which plays its longest episode's time, and its standard error. Where episodes end
/// early an instance counts as the mean of its own.
inline std::pair<double, double> uniform_team_return(std::string const& environment, Settings const& params,
                                                     int instances) {
  Driver d(environment, params, {.instances = instances, .seed = 5}, 0);
  d.reset();
  d.steps(d.spec().max_episode_steps);
  auto const metrics = d->metrics();
  double sum = 0, square = 0;
  for (int i = 0; i < instances; ++i) {
    EXPECT_GE(metrics.episodes(i), 1);
    double const x = metrics.sums(i, 0) / metrics.episodes(i);
    sum += x, square += x * x;
  }
  double const mean = sum / instances;
  return {mean, std::sqrt((square / instances - mean * mean) / instances)};
}

}  // namespace shoal
