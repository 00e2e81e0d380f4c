// Adam over one flat tensor of parameters (ops/adam.hpp). Step and rate lie on the device, so that a captured graph
// stays valid.
#pragma once

#include <ATen/core/Tensor.h>

#include "shoal/data/named_tensors.hpp"

namespace shoal {

class Optimizer {
 public:
  explicit Optimizer(at::Tensor const& parameters);

  /// Waits for nothing.
  void set_rate(double rate);

  /// One step. @param max_norm  the gradient's norm is cut to it; 0: not
  void descend(at::Tensor const& parameters, at::Tensor const& gradients, double max_norm);

  /// Forgets all steps.
  void reset();

  NamedTensors state() const { return {{"mean", mean_}, {"variance", variance_}, {"step", step_}}; }

 private:
  at::Tensor mean_, variance_;  // running moments of the gradients
  at::Tensor step_, rate_;      // one value each
  at::Tensor partials_;         // scratch
};

}  // namespace shoal
