#include "src/calibrate/bayesian_optimization.hpp"

#include "src/calibrate/search_random.hpp"
#include "support/helpers.hpp"
#include "support/searching.hpp"

namespace shoal {
namespace {

using namespace test;

// ---- Expected improvement -------------------------------------------------------------------------------------------

TEST(ExpectedImprovement, IsTheMeanOfAMillionDraws) {
  auto const normal = random_normal({1000000}, 1, at::kDouble);
  auto const best = at::tensor(0.3, at::kDouble);
  auto const means = at::tensor({0.3, 0.0, 1.0, -0.1, 0.25, 2.0}, at::kDouble);
  auto const sds = at::tensor({0.5, 0.4, 0.3, 0.5, 0.01, 1e-9}, at::kDouble);
  auto const improvement = expected_improvement({means, sds.square()}, best);
  for (int i = 0; i < 6; ++i)
    EXPECT_NEAR(number(improvement[i]), number((means[i] + sds[i] * normal - best).clamp_min(0).mean()), 1e-3) << i;
}

// ---- Where it looks -------------------------------------------------------------------------------------------------

double tilted(double const* x) { return x[0] - 0.5 * x[1]; }

TEST(BayesianOptimization, BeginsWithTheInitialProfileAndSobolPoints) {
  auto const initial = at::tensor({0.9, 0.2}, at::kDouble);
  BayesianOptimization const search({.initial_points = 9}, initial, 1);
  auto const [points, values] = run_search(search, 9, 2, tilted);
  EXPECT_TRUE(at::equal(points[0], initial));
  for (int axis : {0, 1}) {
    auto const part = std::get<0>((points.narrow(0, 1, 8).select(1, axis) * 8).floor().to(at::kLong).sort());
    EXPECT_TRUE(at::equal(part, at::arange(8)));
  }
}

TEST(BayesianOptimization, TheNextPointIsAFunctionOfOptionsSeedAndHistory) {
  SearchHistory const history{random_unit({10, 3}, 1), random_normal({10}, 2, at::kDouble)};
  auto const next = [&](BayesianOptions const& options, std::uint32_t seed) {
    return BayesianOptimization(options, middle(3), seed).next(history);
  };
  EXPECT_TRUE(at::equal(next({}, 1), next({}, 1)));
  EXPECT_FALSE(at::equal(next({}, 1), next({}, 2)));
  EXPECT_GT(distance(next({}, 1), next({.acquisition = Acquisition::upper_confidence_bound}, 1)), 1e-6);
}

// Values that rise with x_0 and fall with x_1 leave no doubt: the best corner, which the candidates alone do not reach.
TEST(BayesianOptimization, BothAcquisitionsFindTheBestCorner) {
  for (auto const acquisition : {Acquisition::expected_improvement, Acquisition::upper_confidence_bound}) {
    BayesianOptimization const search({.acquisition = acquisition, .beta = 0.1}, middle(2), 1);
    auto const points = run_search(search, 12, 2, tilted).points;
    EXPECT_LT(distance(points[11], at::tensor({1.0, 0.0}, at::kDouble)), 0.02);
  }
}

TEST(BayesianOptimization, ATrustRegionBoundsEveryMove) {
  BayesianOptimization const search({.initial_points = 2, .max_move = 0.15}, middle(2), 1);
  auto const points = run_search(search, 8, 2, tilted).points;
  EXPECT_LT(number(points.diff(1, 0).abs().max()), 0.15 + 1e-9);
  EXPECT_GT(number(points[7][0]), 0.8) << "it climbs none the less";
}

// ---- Branin ---------------------------------------------------------------------------------------------------------

/// The negative of Branin's function on the unit square: three maxima of -0.397887.
double branin(double const* u) {
  double const x = 15 * u[0] - 5, y = 15 * u[1], pi = M_PI;
  return -(std::pow(y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6, 2) + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10);
}

// Slow: each search fits a model 32 times.
class BayesianOptimizationSlow : public ::testing::TestWithParam<Acquisition> {};

TEST_P(BayesianOptimizationSlow, ComesNearTheOptimumOfBraninIn40Evaluations) {
  for (std::uint32_t const seed : {1, 2}) {
    BayesianOptimization const search({.acquisition = GetParam()}, middle(2), seed);
    EXPECT_GT(number(run_search(search, 40, 2, branin).values.max()), -0.397887 - 0.1) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BayesianOptimizationSlow,
                         ::testing::Values(Acquisition::expected_improvement, Acquisition::upper_confidence_bound),
                         [](auto const& which) {
                           return which.param == Acquisition::expected_improvement ? "ei" : "ucb";
                         });

}  // namespace
}  // namespace shoal
