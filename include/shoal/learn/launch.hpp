// CUDA entries of the learners' kernels, defined in kernels/learn. Asynchronous on `stream` (a cudaStream_t), allocate nothing.
#pragma once

#include "shoal/learn/adam.hpp"
#include "shoal/learn/gae.hpp"
#include "shoal/learn/gather.hpp"
#include "shoal/learn/infer.hpp"
#include "shoal/learn/ppo_loss.hpp"
#include "shoal/learn/sample.hpp"
#include "shoal/learn/shuffle.hpp"
#include "shoal/learn/standardize.hpp"
#include "shoal/learn/uniform.hpp"

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
void shuffle(ShuffleArgs const& args, void* stream);
void adam(AdamArgs const& args, void* stream);
void uniform(UniformArgs const& args, void* stream);

}  // namespace shoal::cuda
