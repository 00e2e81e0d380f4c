// CMA-ES with rank-one and rank-mu updates and cumulative step-size adaptation (Hansen, arXiv 1604.00772, with its
// defaults, without negative weights). Points outside the bounds are clipped, and the updates see the clipped ones.
#pragma once

#include "shoal/calibrate/search_calibrator.hpp"

namespace shoal {

class CmaEs final : public ProfileSearch {
 public:
  /// @param initial  [D] unit profile, mean of the first generation
  CmaEs(CmaEsOptions options, at::Tensor initial, std::uint32_t seed);

  at::Tensor next(SearchHistory const& history) const override;

 private:
  struct Distribution {
    at::Tensor mean, covariance;            // the covariance without the step size
    at::Tensor axes, deviations;            // the covariance is axes diag(deviations^2) axes^T
    at::Tensor step_path, covariance_path;  // evolution paths
    double step_size;
  };
  Distribution first() const;
  void update(Distribution& d, std::int64_t generation, at::Tensor const& points, at::Tensor const& values) const;

  at::Tensor initial_, weights_;  // [D], [parents]
  std::uint32_t seed_;
  int population_;
  double first_step_size_;
  // Names as in the tutorial, table 1: mass of the weights, rates of the paths, damping, rates of the covariance's two
  // updates.
  double mu_eff_, c_sigma_, d_sigma_, c_c_, c_1_, c_mu_, expected_norm_;
};

}  // namespace shoal
