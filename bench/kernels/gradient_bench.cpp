// One epoch of the market's update on CUDA (eight minibatches, networks of 2 x 64): the kernel of gradients beside
// LibTorch's operators and autograd around our loss. bench/learn/ppo_bench.cpp is the same on the CPU.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <torch/cuda.h>

#include "shoal/learn/ppo.hpp"

namespace shoal {
namespace {

constexpr int steps = 15, agents = 5;

void epoch(benchmark::State& state, bool fused) {
  if (!torch::cuda::is_available()) return state.SkipWithError("no CUDA device");
  at::Device const device(at::kCUDA, 0);
  int const instances = int(state.range(0));
  RolloutShape const shape{
      .steps = steps, .instances = instances, .agents = agents, .width = 21, .actions = {.continuous = 3}};
  auto const rollout = make_rollout(shape, device);
  PpoLearner learner({.epochs = 1}, {.agents = {0, 1, 2, 3, 4}, .seed = 1, .fused = fused},
                     {.inputs = shape.width, .hidden = {64, 64}, .actions = shape.actions}, shape, device);
  rollout.observations.normal_();
  for (int t = 0; t < steps; ++t) learner.actor().act(rollout, t);
  rollout.advantages.normal_();
  rollout.returns.normal_();
  learner.learn(rollout);
  torch::cuda::synchronize();
  for (auto _ : state) {
    learner.learn(rollout);
    torch::cuda::synchronize();
  }
  state.SetItemsProcessed(state.iterations() * steps * instances * agents);
}

BENCHMARK_CAPTURE(epoch, ours, true)->Arg(64)->Arg(1024)->Arg(4096)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(epoch, libtorch, false)->Arg(64)->Arg(1024)->Arg(4096)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace shoal
