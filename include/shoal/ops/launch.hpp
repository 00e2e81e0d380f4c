// CUDA entries of the learners' kernels, defined in kernels/learn. Asynchronous on `stream` (a cudaStream_t), allocate
// nothing.
#pragma once

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

namespace shoal::cuda {

void sample(SampleArgs const& args, void* stream);
void gae(GaeArgs const& args, void* stream);
void standardize(StandardizeArgs const& args, void* stream);
void gather(GatherArgs const& args, void* stream);
void ppo_loss(PpoLossArgs const& args, void* stream);
/// By the first of the two kernels below that can.
void infer(InferArgs const& args, void* stream);
bool can_infer(InferArgs const& args);
/// On tensor cores: from compute capability 8.0, up to 128 wide, weights split in two that fit into a block's memory.
void infer_tf32(InferArgs const& args, void* stream);
bool can_infer_tf32(InferArgs const& args);
/// Where the network's weights and a tile's activations fit into a block's memory.
void infer_f32(InferArgs const& args, void* stream);
bool can_infer_f32(InferArgs const& args);
/// Where both perceptrons and a tile's values fit into a block's memory.
void differentiate(GradientArgs const& args, void* stream);
bool can_differentiate(GradientArgs const& args);
void shuffle(ShuffleArgs const& args, void* stream);
void adam(AdamArgs const& args, void* stream);
void uniform(UniformArgs const& args, void* stream);
void nstep(NStepArgs const& args, void* stream);
void draw_rows(DrawRowsArgs const& args, void* stream);
void new_priorities(NewPrioritiesArgs const& args, void* stream);
void update_priorities(UpdatePrioritiesArgs const& args, void* stream);

}  // namespace shoal::cuda
