#include "src/calibrate/gaussian_process.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "src/calibrate/search_random.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

// ---- Against a dense solve ------------------------------------------------------------------------------------------

constexpr int count = 20, queries = 5, inputs = 4;

struct Dense {
  at::Tensor lengths = at::tensor({0.3, 0.7, 1.5, 0.5}, at::kDouble);
  double mean = 0.4, signal = 1.7, noise = 0.05;

  /// Matern-5/2, written out.
  double kernel(at::Tensor const& a, at::Tensor const& b) const {
    double squared = 0;
    for (int d = 0; d < inputs; ++d) squared += std::pow(number((a[d] - b[d]) / lengths[d]), 2);
    double const r = std::sqrt(5 * squared);
    return signal * (1 + r + r * r / 3) * std::exp(-r);
  }
  at::Tensor kernels(at::Tensor const& a, at::Tensor const& b) const {
    auto k = at::empty({a.size(0), b.size(0)}, at::kDouble);
    for (std::int64_t i = 0; i < a.size(0); ++i)
      for (std::int64_t j = 0; j < b.size(0); ++j) k[i][j] = kernel(a[i], b[j]);
    return k;
  }
  GaussianProcess process(at::Tensor const& points, at::Tensor const& values) const {
    return {points, values, {lengths, mean, signal, noise}};
  }
};

TEST(GaussianProcess, PosteriorIsThatOfADenseSolve) {
  Dense const dense;
  auto const points = random_unit({count, inputs}, 1), asked = random_unit({queries, inputs}, 2);
  auto const values = random_normal({count}, 3, at::kDouble);
  auto const inverse = at::linalg_inv(dense.kernels(points, points) + dense.noise * at::eye(count, at::kDouble));
  auto const cross = dense.kernels(asked, points);
  auto const residual = values - dense.mean;
  auto const process = dense.process(points, values);
  auto const [mean, variance] = process.posterior(asked);
  EXPECT_LT(distance(mean, dense.mean + at::mv(cross, at::mv(inverse, residual))), 1e-10);
  EXPECT_LT(distance(variance, dense.signal - (at::matmul(cross, inverse) * cross).sum(1)), 1e-10);
  double const likelihood = -0.5 * number(at::dot(residual, at::mv(inverse, residual))) +
                            0.5 * number(at::logdet(inverse)) - 0.5 * count * std::log(2 * M_PI);
  EXPECT_NEAR(process.log_likelihood(), likelihood, 1e-9);
}

TEST(GaussianProcess, WithoutNoiseItGoesThroughTheValues) {
  Dense dense;
  dense.noise = 1e-10;
  auto const points = random_unit({count, inputs}, 1), values = random_normal({count}, 3, at::kDouble);
  auto const [mean, variance] = dense.process(points, values).posterior(points);
  EXPECT_LT(distance(mean, values), 1e-6);
  EXPECT_LT(number(variance.max()), 1e-8);
}

TEST(GaussianProcess, LikelihoodHasTheGradientThatDifferencesShow) {
  auto const points = random_unit({count, inputs}, 1), values = random_normal({count}, 3, at::kDouble);
  auto const process_at = [&](at::Tensor const& x) {  // [log lengths | mean | log signal | log noise]
    auto const value = [&](int i) { return number(x[inputs + i]); };
    return GaussianProcess(points, values,
                           {x.narrow(0, 0, inputs).exp(), value(0), std::exp(value(1)), std::exp(value(2))});
  };
  auto const x = at::tensor({-1.2, -0.3, 0.4, -0.7, 0.4, 0.5, -3.0}, at::kDouble);
  auto const expected = numeric_gradient([&](at::Tensor const& y) { return process_at(y).log_likelihood(); }, x);
  EXPECT_LT(distance(process_at(x).log_likelihood_gradient(), expected), 1e-5);
}

// ---- Against scikit-learn -------------------------------------------------------------------------------------------

/// What fixtures/gaussian_process.py recorded.
class GaussianProcessFixture : public ::testing::Test {
 protected:
  nlohmann::json const fixture_ =
      nlohmann::json::parse(std::ifstream(SHOAL_SOURCE_DIR "/tests/calibrate/fixtures/gaussian_process.json"));

  static at::Tensor row(nlohmann::json const& json) { return at::tensor(json.get<std::vector<double>>(), at::kDouble); }
  static at::Tensor rows(nlohmann::json const& json) {
    std::vector<at::Tensor> all;
    for (auto const& item : json) all.push_back(row(item));
    return at::stack(all);
  }
  at::Tensor points_ = rows(fixture_["points"]), values_ = row(fixture_["values"]);
};

TEST_F(GaussianProcessFixture, PosteriorAndLikelihoodAreScikitLearns) {
  ASSERT_EQ(fixture_["cases"].size(), 3u);
  for (auto const& expected : fixture_["cases"]) {
    GaussianProcess const process(points_, values_,
                                  {row(expected["lengths"]), expected["mean"], expected["signal"], expected["noise"]});
    auto const [mean, variance] = process.posterior(rows(fixture_["queries"]));
    EXPECT_LT(distance(mean, row(expected["means"])), 1e-7);
    EXPECT_LT(distance(variance.sqrt(), row(expected["deviations"])), 1e-7);
    EXPECT_NEAR(process.log_likelihood(), expected["log_likelihood"].get<double>(), 1e-7);
  }
}

// scipy's L-BFGS-B from 20 starts on scikit-learn's likelihood and the prior found the largest value.
TEST_F(GaussianProcessFixture, FitFindsTheLargestPosteriorOfTheHyperparameters) {
  auto const process = fit_gaussian_process(points_, values_, search_generator(1, 0));
  auto const found = process.log_likelihood() + log_prior(process.hyperparameters());
  EXPECT_NEAR(found, fixture_["largest_log_posterior"].get<double>(), 1e-3);
}

// ---- Hard to fit ----------------------------------------------------------------------------------------------------

TEST(GaussianProcessFit, TakesPointsTwiceFewPointsAndFlatValues) {
  auto const point = random_unit({1, 23}, 1);
  for (auto const& [points, values] : {std::pair{point.expand({9, 23}), random_normal({9}, 2, at::kDouble)},
                                       {point, at::zeros({1}, at::kDouble)},
                                       {random_unit({9, 23}, 3), at::zeros({9}, at::kDouble)}}) {
    auto const [mean, variance] =
        fit_gaussian_process(points, values, search_generator(1, 0)).posterior(random_unit({4, 23}, 4));
    EXPECT_TRUE(at::isfinite(mean).all().item<bool>());
    EXPECT_TRUE(at::isfinite(variance).all().item<bool>());
  }
}

}  // namespace
}  // namespace shoal
