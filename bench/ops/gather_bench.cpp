// A minibatch of the market's samples out of a rollout: ours, all fields in one pass, against an index_select a field.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

/// observation, distribution parameters, actions; log-probability, advantage and return
constexpr int widths[] = {21, 3, 3, 1, 1, 1};

struct Fields {
  explicit Fields(std::int64_t samples) : index(at::randperm(samples).narrow(0, 0, samples / 8)) {
    for (int const width : widths) {
      from.push_back(at::randn({samples, width}));
      to.push_back(at::empty({index.numel(), width}));
    }
  }
  at::Tensor index;
  std::vector<at::Tensor> from, to;
};

void ours(benchmark::State& state) {
  Fields fields(state.range(0));
  GatherArgs args{
      .fields = {}, .count = 0, .index = fields.index.data_ptr<std::int64_t>(), .rows = fields.index.numel()};
  for (std::size_t f = 0; f < fields.from.size(); ++f)
    args.fields[args.count++] = {static_cast<std::uint8_t const*>(fields.from[f].data_ptr()),
                                 static_cast<std::uint8_t*>(fields.to[f].data_ptr()), 4 * widths[f]};
  for (auto _ : state) ops::gather(args, at::kCPU);
  state.SetItemsProcessed(state.iterations() * args.rows);
}

void libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Fields fields(state.range(0));
  for (auto _ : state)
    for (std::size_t f = 0; f < fields.from.size(); ++f)
      at::index_select_out(fields.to[f], fields.from[f], 0, fields.index);
  state.SetItemsProcessed(state.iterations() * fields.index.numel());
}

BENCHMARK(ours)->ArgName("samples")->Arg(30720)->Arg(491520)->UseRealTime();
BENCHMARK(libtorch)->ArgName("samples")->Arg(30720)->Arg(491520)->UseRealTime();

}  // namespace

}  // namespace shoal
