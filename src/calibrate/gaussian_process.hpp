// A Gaussian process with a constant mean, a Matern-5/2 kernel with a length scale for each input, and equal noise
// everywhere (Rasmussen and Williams, 2006, chapters 2, 4 and 5). All tensors are f64 on the CPU.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace shoal {

class GaussianProcess {
 public:
  struct Hyperparameters {
    at::Tensor lengths;          // [d]
    double mean, signal, noise;  // signal and noise are variances
  };
  /// Of the function, without noise, at m points; differentiable in them.
  struct Posterior {
    at::Tensor mean, variance;  // [m]
  };

  /// @param points [n, d]  @param values [n]
  GaussianProcess(at::Tensor points, at::Tensor const& values, Hyperparameters hyperparameters);

  Posterior posterior(at::Tensor const& points) const;
  /// log p(values | points, hyperparameters)
  double log_likelihood() const;
  /// In [log lengths | mean | log signal | log noise], [d + 3]. By hand: autograd would take three times as long.
  at::Tensor log_likelihood_gradient() const;

  at::Tensor const& points() const { return points_; }
  Hyperparameters const& hyperparameters() const { return hyperparameters_; }

 private:
  at::Tensor scaled_distances(at::Tensor const& a, at::Tensor const& b) const;
  at::Tensor kernel(at::Tensor const& a, at::Tensor const& b) const;

  at::Tensor points_;
  Hyperparameters hyperparameters_;
  at::Tensor factor_;    // [n, n] lower Cholesky factor of the values' covariance
  at::Tensor whitened_;  // [n, 1] factor^-1 (values - mean)
};

/// log p(hyperparameters) but for a constant: the logarithm of a length scale is normal around log(sqrt(d) / 2) with
/// deviation 1.
double log_prior(GaussianProcess::Hyperparameters const& hyperparameters);

/// With the hyperparameters that maximise log_likelihood + log_prior, by L-BFGS from 8 starts.
/// @param points  in the unit cube  @param values  of mean 0 and deviation 1: the starts and bounds are made for those
GaussianProcess fit_gaussian_process(at::Tensor const& points, at::Tensor const& values, at::Generator generator);

}  // namespace shoal
