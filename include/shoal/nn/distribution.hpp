// A policy's distribution in plain LibTorch, differentiable: what the losses use and what the sampling kernel is tested
// against. Rows are samples; shapes are given for m rows. Layout of the parameters: sample.hpp.
#pragma once

#include <ATen/core/Tensor.h>

#include "shoal/ops/sample.hpp"

namespace shoal {

/// Actions and masks of m rows. Unused ones are undefined tensors.
struct ActionRows {
  at::Tensor continuous;  // [m, layout.continuous] f32
  at::Tensor discrete;    // [m, layout.discrete] i32
  at::Tensor masks;       // [m, layout.total_choices] u8, 1 = legal; undefined: all legal
};

/// log pi(a). @param parameters [m, layout.parameters()]  @param log_sd [layout.continuous]  @return [m]
at::Tensor log_probability(ActionLayout const& layout, at::Tensor const& parameters, at::Tensor const& log_sd,
                           ActionRows const& actions);

/// @return [m]
at::Tensor entropy(ActionLayout const& layout, at::Tensor const& parameters, at::Tensor const& log_sd,
                   at::Tensor const& masks);

/// KL(old || new), exact. @return [m]
at::Tensor kl_divergence(ActionLayout const& layout, at::Tensor const& old_parameters, at::Tensor const& old_log_sd,
                         at::Tensor const& parameters, at::Tensor const& log_sd, at::Tensor const& masks);

}  // namespace shoal
