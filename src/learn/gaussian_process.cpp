#include "src/learn/gaussian_process.hpp"

#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace shoal {

namespace {

constexpr int restarts = 8, iterations = 60;
// Covariances of points in the unit cube stay positive definite in f64 within these.
constexpr double log_length_bounds[2] = {-5, 6}, log_signal_bounds[2] = {-7, 7}, log_noise_bounds[2] = {-14, 3};

using Hyperparameters = GaussianProcess::Hyperparameters;

double log_length_centre(std::int64_t inputs) { return std::log(0.5 * std::sqrt(double(inputs))); }

/// From what the optimiser moves: [log lengths | mean | log signal | log noise].
Hyperparameters hyperparameters_of(at::Tensor const& theta) {
  auto const inputs = theta.size(0) - 3;
  auto const positive = [](at::Tensor const& x, double const(&bounds)[2]) {
    return x.clamp(bounds[0], bounds[1]).exp();
  };
  return {positive(theta.narrow(0, 0, inputs), log_length_bounds), theta[inputs],
          positive(theta[inputs + 1], log_signal_bounds), positive(theta[inputs + 2], log_noise_bounds)};
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

at::Tensor GaussianProcess::kernel(at::Tensor const& a, at::Tensor const& b) const {
  auto const x = a / hyperparameters_.lengths, y = b / hyperparameters_.lengths;
  auto const squared = x.square().sum(1, true) + y.square().sum(1) - 2 * at::matmul(x, y.t());
  auto const r = (5 * squared.clamp_min(1e-12)).sqrt();  // the root's derivative at 0 is infinite, the kernel's is not
  return hyperparameters_.signal * (1 + r + r.square() / 3) * (-r).exp();
}

GaussianProcess::Posterior GaussianProcess::posterior(at::Tensor const& points) const {
  auto const solved = at::linalg_solve_triangular(factor_, kernel(points_, points), /*upper=*/false);
  return {hyperparameters_.mean + at::matmul(solved.t(), whitened_).squeeze(1),
          (hyperparameters_.signal - solved.square().sum(0)).clamp_min(0)};
}

at::Tensor GaussianProcess::log_likelihood() const {
  double const constant = 0.5 * double(points_.size(0)) * std::log(2 * std::numbers::pi);
  return -0.5 * whitened_.square().sum() - factor_.diagonal().log().sum() - constant;
}

at::Tensor log_prior(Hyperparameters const& hyperparameters) {
  auto const& lengths = hyperparameters.lengths;
  return -0.5 * (lengths.log() - log_length_centre(lengths.size(0))).square().sum();
}

GaussianProcess fit_gaussian_process(at::Tensor const& points, at::Tensor const& values, at::Generator generator) {
  auto const loss_at = [&](at::Tensor const& theta) {
    GaussianProcess const process(points, values, hyperparameters_of(theta));
    return -process.log_likelihood() - log_prior(process.hyperparameters());
  };
  at::Tensor best;
  double least = std::numeric_limits<double>::infinity();
  for (int restart = 0; restart < restarts; ++restart) {
    auto theta = start_point(restart, points.size(1), generator).set_requires_grad(true);
    at::AutoGradMode const with_gradients(true);
    torch::optim::LBFGS optimizer({theta},
                                  torch::optim::LBFGSOptions().max_iter(iterations).line_search_fn("strong_wolfe"));
    optimizer.step([&] {
      optimizer.zero_grad();
      auto const loss = loss_at(theta);
      loss.backward();
      return loss;
    });
    theta = theta.detach();
    if (double const loss = loss_at(theta).item<double>(); loss < least) least = loss, best = theta;
  }
  return {points, values, hyperparameters_of(best)};
}

}  // namespace shoal
