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
void infer(InferArgs const& args, void* stream);
/// Whether the network's weights and a tile's activations fit into a block's memory.
bool can_infer(InferArgs const& args);
void shuffle(ShuffleArgs const& args, void* stream);
void adam(AdamArgs const& args, void* stream);
void uniform(UniformArgs const& args, void* stream);

}  // namespace shoal::cuda
