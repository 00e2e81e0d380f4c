#include "src/calibrate/gaussian_process.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/optim/lbfgs.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace shoal {

namespace {

constexpr int restarts = 8, iterations = 60;

// Of the logarithms of length scales, signal and noise: covariances of points in the unit cube stay positive definite
// in f64.
struct Bounds {
  at::Tensor low, high;  // [d + 3]
};

Bounds bounds(std::int64_t inputs) {
  constexpr double none = std::numeric_limits<double>::infinity();
  auto const row = [&](double length, double mean, double signal, double noise) {
    return at::cat({at::full({inputs}, length, at::kDouble), at::tensor({mean, signal, noise}, at::kDouble)});
  };
  return {row(-5, -none, -7, -14), row(6, none, 7, 3)};
}

double log_length_centre(std::int64_t inputs) { return std::log(0.5 * std::sqrt(double(inputs))); }

/// From what the optimiser moves: [log lengths | mean | log signal | log noise].
GaussianProcess::Hyperparameters hyperparameters_of(at::Tensor const& theta) {
  auto const inputs = theta.size(0) - 3;
  double const* const x = theta.data_ptr<double>() + inputs;
  return {theta.narrow(0, 0, inputs).exp(), x[0], std::exp(x[1]), std::exp(x[2])};
}

/// The first start is the prior's centre with a tenth of the deviation as noise, the others are drawn.
at::Tensor start_point(int restart, std::int64_t inputs, at::Generator const& generator) {
  auto theta = at::zeros({inputs + 3}, at::kDouble);
  theta.narrow(0, 0, inputs).fill_(log_length_centre(inputs));
  theta[inputs + 2] = std::log(0.01);
  if (restart > 0) {
    theta += at::randn({inputs + 3}, generator, at::kDouble);
    theta[inputs] = 0;
  }
  return theta;
}

}  // namespace

GaussianProcess::GaussianProcess(at::Tensor points, at::Tensor const& values, Hyperparameters hyperparameters)
    : points_(std::move(points)), hyperparameters_(std::move(hyperparameters)) {
  auto const noise = hyperparameters_.noise * at::eye(points_.size(0), at::kDouble);
  factor_ = at::linalg_cholesky(kernel(points_, points_) + noise);
  auto const residual = (values - hyperparameters_.mean).unsqueeze(1);
  whitened_ = at::linalg_solve_triangular(factor_, residual, /*upper=*/false);
}

/// sqrt(5) |a - b| in units of the length scales, [a, b].
at::Tensor GaussianProcess::scaled_distances(at::Tensor const& a, at::Tensor const& b) const {
  auto const x = a / hyperparameters_.lengths, y = b / hyperparameters_.lengths;
  auto const squared = x.square().sum(1, true) + y.square().sum(1) - 2 * at::matmul(x, y.t());
  return (5 * squared.clamp_min(1e-12)).sqrt();  // the root's derivative at 0 is infinite, the kernel's is not
}

at::Tensor GaussianProcess::kernel(at::Tensor const& a, at::Tensor const& b) const {
  auto const r = scaled_distances(a, b);
  return hyperparameters_.signal * (1 + r + r.square() / 3) * (-r).exp();
}

GaussianProcess::Posterior GaussianProcess::posterior(at::Tensor const& points) const {
  auto const solved = at::linalg_solve_triangular(factor_, kernel(points_, points), /*upper=*/false);
  return {hyperparameters_.mean + at::matmul(solved.t(), whitened_).squeeze(1),
          (hyperparameters_.signal - solved.square().sum(0)).clamp_min(0)};
}

double GaussianProcess::log_likelihood() const {
  double const constant = 0.5 * double(points_.size(0)) * std::log(2 * std::numbers::pi);
  return -(0.5 * whitened_.square().sum() + factor_.diagonal().log().sum()).item<double>() - constant;
}

at::Tensor GaussianProcess::log_likelihood_gradient() const {
  auto const& h = hyperparameters_;
  auto const inverse = at::cholesky_inverse(factor_);
  auto const weights = at::linalg_solve_triangular(factor_.t(), whitened_, /*upper=*/true);
  auto const by_covariance = 0.5 * (at::matmul(weights, weights.t()) - inverse);  // of log p, element by element

  auto const r = scaled_distances(points_, points_);
  auto const decay = h.signal * (-r).exp();
  auto const by_log_signal = (by_covariance * decay * (1 + r + r.square() / 3)).sum();
  auto const by_log_noise = h.noise * by_covariance.diagonal().sum();
  // d covariance / d log length_k = 5/3 signal (1 + r) exp(-r) (x_k - x'_k)^2, x in units of the lengths
  auto const m = by_covariance * (5.0 / 3) * decay * (1 + r);
  auto const x = points_ / h.lengths;
  auto const by_log_lengths = 2 * (m.sum(1, true) * x.square() - x * at::matmul(m, x)).sum(0);
  return at::cat({by_log_lengths, at::stack({weights.sum(), by_log_signal, by_log_noise})});
}

double log_prior(GaussianProcess::Hyperparameters const& hyperparameters) {
  auto const& lengths = hyperparameters.lengths;
  return -0.5 * (lengths.log() - log_length_centre(lengths.size(0))).square().sum().item<double>();
}

GaussianProcess fit_gaussian_process(at::Tensor const& points, at::Tensor const& values, at::Generator generator) {
  at::NoGradGuard const no_grad;
  auto const inputs = points.size(1);
  auto const [low, high] = bounds(inputs);
  // Writes the loss's gradient, if it is wanted.
  auto const loss_at = [&, low = low, high = high](at::Tensor const& theta, at::Tensor const& gradient = {}) {
    auto const inside = theta.clamp(low, high);
    GaussianProcess const process(points, values, hyperparameters_of(inside));
    if (gradient.defined()) {
      gradient.copy_(-process.log_likelihood_gradient());
      gradient.narrow(0, 0, inputs) += inside.narrow(0, 0, inputs) - log_length_centre(inputs);
      gradient.mul_(inside == theta);
    }
    return -process.log_likelihood() - log_prior(process.hyperparameters());
  };
  at::Tensor best;
  double least = std::numeric_limits<double>::infinity();
  for (int restart = 0; restart < restarts; ++restart) {
    auto const theta = start_point(restart, inputs, generator).set_requires_grad(true);
    theta.mutable_grad() = at::zeros_like(theta);
    torch::optim::LBFGS optimizer({theta}, torch::optim::LBFGSOptions()
                                               .max_iter(iterations)
                                               .tolerance_grad(1e-5)
                                               .tolerance_change(1e-7)
                                               .line_search_fn("strong_wolfe"));
    optimizer.step([&] { return at::tensor(loss_at(theta.detach(), theta.grad()), at::kDouble); });
    auto const found = theta.detach().clamp(low, high);
    if (double const loss = loss_at(found); loss < least) least = loss, best = found;
  }
  return {points, values, hyperparameters_of(best)};
}

}  // namespace shoal
