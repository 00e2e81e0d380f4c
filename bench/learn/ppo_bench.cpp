// One epoch of the market's update (eight minibatches of 3,840 samples, networks of 2 x 64): own kernels beside
// LibTorch's operators and autograd around our loss; and acting in one slot of the rollout, 320 rows.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "shoal/env/simulator.hpp"
#include "shoal/learn/ppo.hpp"

namespace shoal {
namespace {

/// A rollout of the market with a learner whose update is one epoch of eight minibatches.
struct Update {
  std::unique_ptr<Simulator> simulator = make_simulator("market", {}, {.instances = 64, .seed = 1});
  Rollout rollout = make_rollout(rollout_shape(*simulator, 96), at::kCPU);
  PpoLearner learner;

  explicit Update(bool fused)
      : learner({.epochs = 1}, {.agents = {0, 1, 2, 3, 4}, .seed = 1, .fused = fused},
                {.inputs = rollout.shape.width, .hidden = {64, 64}, .actions = rollout.shape.actions}, rollout.shape,
                at::kCPU) {
    simulator->reset(rollout.first());
    for (int t = 0; t < 96; ++t) {
      learner.actor().act(rollout, t);
      simulator->step(rollout.input(t), rollout.output(t));
    }
    learner.actor().evaluate_end(rollout);
    estimate_advantages(rollout, learner.actor(), 0.99, 0.95);
  }
};

void epoch(benchmark::State& state, bool fused) {
  at::set_num_threads(int(state.range(0)));
  Update update(fused);
  for (auto _ : state) update.learner.learn(update.rollout);
  state.SetItemsProcessed(state.iterations() * 96 * 64 * 5);
}

void rollout_slot(benchmark::State& state, bool fused) {
  at::set_num_threads(int(state.range(0)));
  Update update(fused);
  for (auto _ : state) update.learner.actor().act(update.rollout, 0);
  state.SetItemsProcessed(state.iterations() * 64 * 5);
}

BENCHMARK_CAPTURE(epoch, ours, true)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(epoch, libtorch, false)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rollout_slot, ours, true)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(rollout_slot, libtorch, false)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace shoal
