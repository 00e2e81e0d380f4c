// Tensors with names: what a checkpoint keeps of a learner, and what errors call them by.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace shoal {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

using NamedTensors = std::vector<NamedTensor>;

}  // namespace shoal
