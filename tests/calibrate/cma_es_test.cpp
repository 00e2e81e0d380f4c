#include "src/calibrate/cma_es.hpp"

#include "support/helpers.hpp"
#include "support/searching.hpp"

namespace shoal {
namespace {

using namespace test;

TEST(CmaEs, TheFirstGenerationIsNormalAroundTheInitialProfile) {
  auto const initial = at::tensor({0.3, 0.5, 0.6}, at::kDouble);
  CmaEs const search({.step_size = 0.05, .population = 2000}, initial, 1);
  auto const points = run_search(search, 1000, 3, [](double const*) { return 0.0; }).points;
  EXPECT_LT(distance(points.mean(0), initial), 0.01);
  EXPECT_LT(distance(points.std(0), at::full({3}, 0.05)), 0.005);
}

TEST(CmaEs, StaysWithinTheBounds) {
  CmaEs const search({.step_size = 1}, middle(3), 1);
  auto const points = run_search(search, 40, 3, [](double const* x) { return x[0] + x[1]; }).points;
  EXPECT_EQ(number(points.max()), 1);
  EXPECT_EQ(number(points.min()), 0);
}

// Slow: a search computes its past anew at each step, so that a history is all it needs.
TEST(CmaEsSlow, FindsTheTopOfASphere) {
  double const top[] = {0.3, 0.6, 0.45, 0.7};
  CmaEs const search({}, middle(4), 1);
  auto const history = run_search(search, 400, 4, [&](double const* x) {
    double value = 0;
    for (int d = 0; d < 4; ++d) value -= (x[d] - top[d]) * (x[d] - top[d]);
    return value;
  });
  EXPECT_GT(number(history.values.max()), -1e-6);
}

// Axes of a ratio of 100 : 1 that are not the coordinates': the covariance has to turn and stretch.
TEST(CmaEsSlow, FindsTheTopOfATurnedEllipsoid) {
  auto const ellipsoid = [](double const* x) {
    double const u = x[0] - 0.4 + x[1] - 0.6, v = x[0] - 0.4 - (x[1] - 0.6), w = x[2] - 0.5;
    return -(u * u + 1e4 * v * v + 1e2 * w * w);
  };
  CmaEs const search({}, middle(3), 1);
  EXPECT_GT(number(run_search(search, 500, 3, ellipsoid).values.max()), -1e-4);
}

}  // namespace
}  // namespace shoal
