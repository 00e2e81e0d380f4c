// Inference of the market's actor and critic on CUDA: the kernel on tensor cores, the f32 kernel, and LibTorch's
// operators. Ten calls are one measurement, so that waiting for the device hardly counts.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <torch/cuda.h>

#include "shoal/nn/network.hpp"
#include "shoal/ops/launch.hpp"

namespace shoal {
namespace {

constexpr int inputs = 21, actions = 3, calls = 10;

struct Rows {
  explicit Rows(std::int64_t rows, int width)
      : network({.inputs = inputs, .hidden = {width, width}, .actions = {.continuous = actions}}, 1, at::kCUDA),
        observations(at::randn({rows, inputs}, at::kCUDA)),
        distribution(at::empty({rows, actions}, at::kCUDA)),
        values(at::empty({rows}, at::kCUDA)) {}
  ActorCritic network;
  at::Tensor observations, distribution, values;

  InferArgs args() const { return infer_args(network, observations, distribution, values); }
};

/// Times once(rows), which works on LibTorch's default stream.
template <class F>
void measure(benchmark::State& state, F once) {
  if (!torch::cuda::is_available()) return state.SkipWithError("no CUDA device");
  at::NoGradGuard const no_grad;
  Rows const rows(state.range(0), int(state.range(1)));
  once(rows);
  torch::cuda::synchronize();
  for (auto _ : state) {
    for (int i = 0; i < calls; ++i) once(rows);
    torch::cuda::synchronize();
  }
  state.SetItemsProcessed(state.iterations() * calls * state.range(0));
}

void tensor_cores(benchmark::State& state) {
  measure(state, [](Rows const& rows) { cuda::infer_tf32(rows.args(), nullptr); });
}
void f32(benchmark::State& state) {
  measure(state, [](Rows const& rows) { cuda::infer_f32(rows.args(), nullptr); });
}
void libtorch(benchmark::State& state) {
  measure(state, [](Rows const& rows) {
    rows.network.distribution_out(rows.observations, rows.distribution);
    rows.network.value_out(rows.observations, rows.values);
  });
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"rows", "width"})->ArgsProduct({{1 << 12, 1 << 16, 1 << 20}, {32, 64}})->UseRealTime();
}

BENCHMARK(tensor_cores)->Apply(sizes);
BENCHMARK(f32)->Apply(sizes);
BENCHMARK(libtorch)->Apply(sizes);

}  // namespace
}  // namespace shoal
