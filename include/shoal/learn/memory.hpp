// How much memory a run takes, told before it is taken.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "shoal/learn/trainer.hpp"

namespace shoal {

struct MemoryNeed {
  std::int64_t bytes_per_instance = 0;  // the simulator's state and the rollout
  int instances = 0, steps = 0;
  std::int64_t bytes() const { return bytes_per_instance * instances; }
};

/// About what a Trainer of this configuration allocates for its simulator and its rollout, by far its largest parts.
MemoryNeed memory_need(TrainerConfig const& config);

/// @throws Error naming train.instances, train.steps, what they need, what there is and how many instances fit, if that is too little
void check_memory(TrainerConfig const& config, at::Device device);

}  // namespace shoal
