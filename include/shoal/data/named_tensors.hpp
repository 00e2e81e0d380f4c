// Tensors with names: what a checkpoint keeps of a learner, and what errors call them by.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace shoal {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  /// Its axis of instances, each of which belongs to one process of a run; -1: every process has the whole tensor.
  int axis = -1;
};

using NamedTensors = std::vector<NamedTensor>;

}  // namespace shoal
