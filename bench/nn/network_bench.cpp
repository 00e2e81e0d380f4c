// Inference of the market's actor and critic: ActorCritic, which writes in place and has a tanh of its own, against
// plain LibTorch layers. Rows are agents of all instances.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "shoal/nn/network.hpp"

namespace shoal {

namespace {

constexpr int inputs = 21, actions = 3;

void ours(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  int const width = int(state.range(1));
  ActorCritic const network({.inputs = inputs, .hidden = {width, width}, .actions = {.continuous = actions}}, 1,
                            at::kCPU);
  auto const x = at::randn({state.range(0), inputs});
  auto const distribution = at::empty({state.range(0), actions}), value = at::empty({state.range(0)});
  for (auto _ : state) {
    network.distribution_out(x, distribution);
    network.value_out(x, value);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

torch::nn::Sequential layers(int width, int outputs) {
  using torch::nn::Linear, torch::nn::Tanh;
  return torch::nn::Sequential(Linear(inputs, width), Tanh(), Linear(width, width), Tanh(), Linear(width, outputs));
}

void libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  auto actor = layers(int(state.range(1)), actions), critic = layers(int(state.range(1)), 1);
  auto const x = at::randn({state.range(0), inputs});
  for (auto _ : state) {
    benchmark::DoNotOptimize(actor->forward(x));
    benchmark::DoNotOptimize(critic->forward(x));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "width"})->ArgsProduct({{320, 5120}, {64, 256}})->UseRealTime();
}

BENCHMARK(ours)->Apply(sizes);
BENCHMARK(libtorch)->Apply(sizes);

}  // namespace

}  // namespace shoal
