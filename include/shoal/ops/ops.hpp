// The learners' kernels on the device where their memory lies: threads on the CPU, the current stream on CUDA.
#pragma once

#include <c10/core/Device.h>

#include "shoal/env/heuristic.hpp"
#include "shoal/ops/adam.hpp"
#include "shoal/ops/gae.hpp"
#include "shoal/ops/gather.hpp"
#include "shoal/ops/gradient.hpp"
#include "shoal/ops/infer.hpp"
#include "shoal/ops/nstep.hpp"
#include "shoal/ops/ppo_loss.hpp"
#include "shoal/ops/prioritized.hpp"
#include "shoal/ops/sample.hpp"
#include "shoal/ops/shuffle.hpp"
#include "shoal/ops/standardize.hpp"
#include "shoal/ops/uniform.hpp"

namespace shoal::ops {

void sample(SampleArgs const& args, c10::Device device);
void gae(GaeArgs const& args, c10::Device device);
void standardize(StandardizeArgs const& args, c10::Device device);
void gather(GatherArgs const& args, c10::Device device);
void ppo_loss(PpoLossArgs const& args, c10::Device device);
/// On CUDA, where can_infer() is true. @return whether it ran
bool infer(InferArgs const& args, c10::Device device);
/// Whether there is a kernel for it: on CUDA, where the network fits. Needs no memory for the parts.
bool can_differentiate(GradientArgs const& args, c10::Device device);
/// Where can_differentiate() is true.
void differentiate(GradientArgs const& args, c10::Device device);
void shuffle(ShuffleArgs const& args, c10::Device device);
void adam(AdamArgs const& args, c10::Device device);
void uniform(UniformArgs const& args, c10::Device device);
void heuristic(Heuristic const& own, HeuristicArgs const& args, c10::Device device);
void nstep(NStepArgs const& args, c10::Device device);
void draw_rows(DrawRowsArgs const& args, c10::Device device);
void new_priorities(NewPrioritiesArgs const& args, c10::Device device);
void update_priorities(UpdatePrioritiesArgs const& args, c10::Device device);

}  // namespace shoal::ops
