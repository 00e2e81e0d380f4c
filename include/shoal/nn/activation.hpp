// tanh of hidden layers. LibTorch's CPU tanh costs more than the matrix product before it; this one is about eight
// times as fast.
#pragma once

#include <ATen/core/Tensor.h>

namespace shoal {

/// With gradient, of contiguous f32. On the CPU within 1e-6 of at::tanh; elsewhere at::tanh itself.
at::Tensor tanh_activation(at::Tensor const& x);

/// Without gradient.
void tanh_in_place(at::Tensor& x);

}  // namespace shoal
