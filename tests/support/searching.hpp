// Runs a profile search on a function that can be computed at once.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <functional>

#include "shoal/calibrate/search_calibrator.hpp"

namespace shoal::test {

inline SearchHistory run_search(ProfileSearch const& search, int evaluations, int dimensions,
                                std::function<double(double const*)> const& value) {
  // As SearchCalibrator does: OpenMP's threads wait for each other, which a busy machine makes slow.
  at::set_num_threads(1);
  auto const points = at::zeros({evaluations, dimensions}, at::kDouble), values = at::zeros({evaluations}, at::kDouble);
  for (int i = 0; i < evaluations; ++i) {
    auto const point = search.next({points.narrow(0, 0, i), values.narrow(0, 0, i)});
    points[i].copy_(point);
    values[i] = value(point.contiguous().data_ptr<double>());
  }
  return {points, values};
}

inline at::Tensor middle(int dimensions) { return at::full({dimensions}, 0.5, at::kDouble); }

}  // namespace shoal::test
