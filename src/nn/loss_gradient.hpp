// The gradient of PPO's loss (ops/ppo_loss.hpp) in a network that LibTorch differentiates: the kernel's gradient with
// respect to the network's outputs, taken on through it by autograd.
#pragma once

#include <ATen/core/Tensor.h>

#include "shoal/ops/ppo_loss.hpp"

namespace shoal {

class LossGradient {
 public:
  LossGradient(ActionLayout const& layout, at::Device device);

  /// Overwrites `gradients`, the flat ones of a network.
  /// @param args  without outputs  @param parameters [rows, P] and @param values [rows], the network's outputs with
  ///              gradients
  /// @param log_sd  the network's parameter  @param terms  [4], gains the rows' PpoTerms times args.scale; undefined:
  ///                not wanted
  void differentiate(PpoLossArgs args, at::Tensor const& parameters, at::Tensor const& values, at::Tensor const& log_sd,
                     at::Tensor const& gradients, at::Tensor const& terms);

 private:
  void resize(std::int64_t rows);

  ActionLayout layout_;
  at::TensorOptions options_;
  at::Tensor d_parameters_, d_values_, d_log_sd_, terms_;  // of a minibatch's rows
};

}  // namespace shoal
