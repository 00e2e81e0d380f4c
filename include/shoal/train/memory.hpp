// How much memory work takes, told before it is taken.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <string>

#include "shoal/train/trainer.hpp"

namespace shoal {

/// What some number of things takes: instances, or episodes.
struct MemoryNeed {
  std::string asked;  // as the user asked for them: "train.instances = 64"
  std::int64_t count = 0;
  std::int64_t bytes_each = 0, bytes_fixed = 0;
  int processes = 1;  // on this machine that need as much
};

/// Whether memory ran out, in LibTorch or elsewhere.
bool is_out_of_memory(std::exception const& error);

/// About what a Trainer of this configuration allocates: its simulator, rollout, learners and checkpoints.
MemoryNeed memory_need(TrainerConfig const& config);

/// About what a simulator takes for one instance, with a rollout.
/// @param steps   of the rollout; 0: the longest episode  @param agents  of each instance in it; 0: all
std::int64_t instance_bytes(std::string const& environment, Settings const& env, ObservationOptions const& observation,
                            int steps, int agents = 0);

/// About what is kept of an episode that is evaluated: its metrics.
std::int64_t episode_bytes(std::string const& environment, Settings const& env);

/// @throws Error naming what was asked, what it needs, what there is and how many fit, if that is too little
void check_memory(MemoryNeed const& need, at::Device device);

/// Of all that a Trainer of this configuration allocates.
/// @throws as above
void check_memory(TrainerConfig const& config, at::Device device);

}  // namespace shoal
