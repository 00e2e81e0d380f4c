// Bayesian optimisation, CALSHEQ's baseline (calibration.md, section 3): a Gaussian process is fitted to the values of
// all profiles tried, and the next is where an acquisition function of its posterior is largest.
#pragma once

#include "shoal/calibrate/search_calibrator.hpp"
#include "src/calibrate/gaussian_process.hpp"

namespace shoal {

/// E max(f - best, 0) for f of the posterior, [m].
at::Tensor expected_improvement(GaussianProcess::Posterior const& posterior, at::Tensor const& best);

class BayesianOptimization final : public ProfileSearch {
 public:
  /// @param initial  [D] unit profile, the first to be tried
  BayesianOptimization(BayesianOptions options, at::Tensor initial, std::uint32_t seed)
      : options_(options), initial_(std::move(initial)), seed_(seed) {}

  at::Tensor next(SearchHistory const& history) const override;

 private:
  /// Where the next point may lie: the unit cube, or what options.max_move leaves of it.
  struct Box {
    at::Tensor low, high;
  };
  at::Tensor initial_point(std::int64_t tried) const;
  at::Tensor maximizer(GaussianProcess const& process, Box const& box, at::Generator generator) const;

  BayesianOptions options_;
  at::Tensor initial_;
  std::uint32_t seed_;
};

}  // namespace shoal
