// Advantages to mean 0 and standard deviation 1, those of every second sample: ours, against LibTorch's index_select
// and index_copy.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

void ours(benchmark::State& state) {
  auto const values = at::randn({2 * state.range(0)});
  auto const index = at::arange(0, 2 * state.range(0), 2, at::kLong);
  StandardizeArgs args{.values = values.data_ptr<float>(),
                       .index = index.data_ptr<std::int64_t>(),
                       .count = index.numel(),
                       .partials = nullptr};
  auto const partials = at::empty({2, args.chunks()}, at::kDouble);
  args.partials = partials.data_ptr<double>();
  for (auto _ : state) ops::standardize(args, at::kCPU);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  auto const values = at::randn({2 * state.range(0)});
  auto const index = at::arange(0, 2 * state.range(0), 2, at::kLong);
  for (auto _ : state) {
    auto const own = values.index_select(0, index);
    values.index_copy_(0, index, (own - own.mean()) / (own.std(/*unbiased=*/false) + 1e-8));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(ours)->ArgName("samples")->Arg(30720)->Arg(491520)->UseRealTime();
BENCHMARK(libtorch)->ArgName("samples")->Arg(30720)->Arg(491520)->UseRealTime();

}  // namespace

}  // namespace shoal
