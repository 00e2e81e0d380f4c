#include "src/calibrate/bayesian_optimization.hpp"

#include <ATen/ATen.h>
#include <torch/optim/lbfgs.h>

#include <functional>
#include <numbers>

#include "src/calibrate/search_random.hpp"

namespace shoal {

namespace {

constexpr int candidates = 4096, refined = 10, iterations = 30;

// Streams of random numbers.
constexpr std::uint32_t initial_stream = 0, fit_stream = 1, acquisition_stream = 2;

at::Tensor standardized(at::Tensor const& values) {
  return (values - values.mean()) / values.std(/*unbiased=*/false).clamp_min(1e-12);
}

using PointFunction = std::function<at::Tensor(at::Tensor const& points)>;

/// Local maxima of `f` from `starts` [k, D], by L-BFGS on the sum. A point is low + width (1 + sin u) / 2, so that u is
/// free while the point stays in its box and can reach the bounds.
at::Tensor refine(PointFunction const& f, at::Tensor const& starts, at::Tensor const& low, at::Tensor const& width) {
  at::AutoGradMode const with_gradients(true);
  auto u = (2 * ((starts - low) / width).clamp(1e-6, 1 - 1e-6) - 1).asin().set_requires_grad(true);
  auto const point = [&] { return low + width * (0.5 + 0.5 * u.sin()); };
  auto const scale = f(starts).abs().max().detach().clamp_min(1e-300);  // improvements may be tiny
  torch::optim::LBFGS optimizer({u}, torch::optim::LBFGSOptions()
                                         .max_iter(iterations)
                                         .tolerance_grad(1e-5)
                                         .tolerance_change(1e-7)
                                         .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    auto const loss = -(f(point()) / scale).sum();
    loss.backward();
    return loss;
  });
  auto const found = point().detach();
  return at::where(found.isfinite().all(1, /*keepdim=*/true), found, starts);  // a line search may fail
}

}  // namespace

at::Tensor expected_improvement(GaussianProcess::Posterior const& posterior, at::Tensor const& best) {
  auto const sd = posterior.variance.clamp_min(1e-18).sqrt();
  auto const z = (posterior.mean - best) / sd;
  auto const density = (-0.5 * z.square()).exp() * (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2);
  return sd * (density + z * at::special_ndtr(z));
}

at::Tensor BayesianOptimization::next(SearchHistory const& history) const {
  auto const tried = history.values.size(0);
  if (tried == 0) return initial_.clone();
  auto const last = history.points[tried - 1];
  Box const box{(last - options_.max_move).clamp_min(0), (last + options_.max_move).clamp_max(1)};
  if (tried < options_.initial_points) return at::max(at::min(initial_point(tried), box.high), box.low);
  auto const process =
      fit_gaussian_process(history.points, standardized(history.values), search_generator(seed_, tried, fit_stream));
  return maximizer(process, box, search_generator(seed_, tried, acquisition_stream));
}

at::Tensor BayesianOptimization::initial_point(std::int64_t tried) const {
  auto const generator = search_generator(seed_, 0, initial_stream);
  return scrambled_sobol(int(tried), int(initial_.size(0)), generator)[tried - 1];
}

at::Tensor BayesianOptimization::maximizer(GaussianProcess const& process, Box const& box,
                                           at::Generator generator) const {
  auto const best = process.posterior(process.points()).mean.max();
  auto const acquisition = [&](at::Tensor const& points) {
    auto const posterior = process.posterior(points);
    if (options_.acquisition == Acquisition::expected_improvement) return expected_improvement(posterior, best);
    return posterior.mean + options_.beta * posterior.variance.clamp_min(1e-18).sqrt();
  };
  auto const width = box.high - box.low;
  auto const spread = box.low + width * scrambled_sobol(candidates, int(width.size(0)), generator);
  auto const starts = spread.index_select(0, std::get<1>(acquisition(spread).topk(refined)));
  auto const all = at::cat({starts, refine(acquisition, starts, box.low, width)});
  return all[acquisition(all).argmax().item<std::int64_t>()];
}

}  // namespace shoal
