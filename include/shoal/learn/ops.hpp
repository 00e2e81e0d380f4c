// The learners' kernels on the device where their memory lies: threads on the CPU, the current stream on CUDA.
#pragma once

#include <c10/core/Device.h>

#include "shoal/learn/adam.hpp"
#include "shoal/learn/gae.hpp"
#include "shoal/learn/gather.hpp"
#include "shoal/learn/infer.hpp"
#include "shoal/learn/ppo_loss.hpp"
#include "shoal/learn/sample.hpp"
#include "shoal/learn/shuffle.hpp"
#include "shoal/learn/standardize.hpp"
#include "shoal/learn/uniform.hpp"

namespace shoal::ops {

void sample(SampleArgs const& args, c10::Device device);
void gae(GaeArgs const& args, c10::Device device);
void standardize(StandardizeArgs const& args, c10::Device device);
void gather(GatherArgs const& args, c10::Device device);
void ppo_loss(PpoLossArgs const& args, c10::Device device);
/// On CUDA, where can_infer() is true. @return whether it ran
bool infer(InferArgs const& args, c10::Device device);
void shuffle(ShuffleArgs const& args, c10::Device device);
void adam(AdamArgs const& args, c10::Device device);
void uniform(UniformArgs const& args, c10::Device device);

}  // namespace shoal::ops
