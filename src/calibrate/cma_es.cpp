#include "src/calibrate/cma_es.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "src/calibrate/search_random.hpp"

namespace shoal {

CmaEs::CmaEs(CmaEsOptions options, at::Tensor initial, std::uint32_t seed)
    : initial_(std::move(initial)), seed_(seed), first_step_size_(options.step_size) {
  auto const n = double(initial_.size(0));
  population_ = options.population > 0 ? std::max(2, options.population) : 4 + int(3 * std::log(n));
  int const parents = population_ / 2;
  weights_ = std::log(0.5 * (population_ + 1)) - at::arange(1, parents + 1, at::kDouble).log();
  weights_ /= weights_.sum();
  mu_eff_ = 1 / weights_.square().sum().item<double>();
  c_sigma_ = (mu_eff_ + 2) / (n + mu_eff_ + 5);
  d_sigma_ = 1 + 2 * std::max(0.0, std::sqrt((mu_eff_ - 1) / (n + 1)) - 1) + c_sigma_;
  c_c_ = (4 + mu_eff_ / n) / (n + 4 + 2 * mu_eff_ / n);
  c_1_ = 2 / ((n + 1.3) * (n + 1.3) + mu_eff_);
  c_mu_ = std::min(1 - c_1_, 2 * (mu_eff_ - 2 + 1 / mu_eff_) / ((n + 2) * (n + 2) + mu_eff_));
  expected_norm_ = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

CmaEs::Distribution CmaEs::first() const {
  auto const n = initial_.size(0);
  auto const identity = at::eye(n, at::kDouble);
  auto const zeros = at::zeros({n}, at::kDouble);
  return {initial_, identity, identity, at::ones({n}, at::kDouble), zeros, zeros, first_step_size_};
}

at::Tensor CmaEs::next(SearchHistory const& history) const {
  auto const tried = history.values.size(0), generations = tried / population_;
  auto distribution = first();
  for (std::int64_t g = 0; g < generations; ++g)
    update(distribution, g, history.points.narrow(0, g * population_, population_),
           history.values.narrow(0, g * population_, population_));
  auto const normal = at::randn(initial_.sizes(), search_generator(seed_, tried), at::kDouble);
  auto const step = at::mv(distribution.axes, distribution.deviations * normal);
  return (distribution.mean + distribution.step_size * step).clamp(0, 1);
}

void CmaEs::update(Distribution& d, std::int64_t generation, at::Tensor const& points, at::Tensor const& values) const {
  auto const order = std::get<1>(values.sort(/*stable=*/true, 0, /*descending=*/true));
  auto const steps = (points.index_select(0, order.narrow(0, 0, weights_.size(0))) - d.mean) / d.step_size;
  auto const step = at::mv(steps.t(), weights_);
  d.mean = d.mean + d.step_size * step;

  auto const white = at::mv(d.axes, at::mv(d.axes.t(), step) / d.deviations);
  d.step_path = (1 - c_sigma_) * d.step_path + std::sqrt(c_sigma_ * (2 - c_sigma_) * mu_eff_) * white;
  double const norm = d.step_path.norm().item<double>();
  double const unbiased = norm / std::sqrt(1 - std::pow(1 - c_sigma_, 2.0 * double(generation + 1)));
  // A path that is too long says that the step size is still too small: the covariance then waits.
  bool const steady = unbiased < (1.4 + 2 / (double(initial_.size(0)) + 1)) * expected_norm_;
  d.covariance_path = (1 - c_c_) * d.covariance_path;
  if (steady) d.covariance_path = d.covariance_path + std::sqrt(c_c_ * (2 - c_c_) * mu_eff_) * step;

  double const kept = 1 - c_1_ - c_mu_ + (steady ? 0 : c_1_ * c_c_ * (2 - c_c_));
  auto const rank_mu = at::matmul(steps.t() * weights_, steps);
  d.covariance = kept * d.covariance + c_1_ * at::outer(d.covariance_path, d.covariance_path) + c_mu_ * rank_mu;
  auto const [squares, axes] = at::linalg_eigh(d.covariance);
  d.axes = axes;
  d.deviations = squares.clamp_min(1e-20).sqrt();
  d.step_size *= std::exp(c_sigma_ / d_sigma_ * (norm / expected_norm_ - 1));
}

}  // namespace shoal
