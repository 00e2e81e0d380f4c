// Metrics of finished market episodes: all of ours, instance by instance, against LibTorch computing their 18 percentiles alone. Both
// start from the counts of trades by quantity and take percentiles by nearest rank.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include "shoal/envs/market.hpp"

namespace shoal {

namespace {

Market::Params default_params() {
  Market::Params params;
  Market::prepare(params);
  return params;
}

/// Episodes with random counts of trades.
std::vector<Market::State> finished(std::int64_t instances) {
  std::vector<Market::State> states(std::size_t(instances), Market::State{});
  for (std::size_t i = 0; i < states.size(); ++i) {
    states[i].step = 96;
    for (int g = 0; g < Market::groups; ++g)
      for (int c = 0; c < Market::clusters; ++c)
        states[i].group_trades[g][c] =
            Random{1, std::uint32_t(i), 0, std::uint32_t(g)}.draw(Purpose::test, std::uint32_t(c)).w[0] % 500;
  }
  return states;
}

void ours(benchmark::State& state) {
  auto const params = default_params();
  auto const states = finished(state.range(0));
  auto const metrics = int(Market::spec(params).metrics.size());
  std::vector<float> out(states.size() * std::size_t(metrics));
  Market::Scratch scratch;
  for (auto _ : state) {
    for (std::size_t i = 0; i < states.size(); ++i)
      Market::metrics(SerialTeam{}, params, states[i], scratch, view(out.data() + i * std::size_t(metrics), metrics));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  auto const params = default_params();
  auto const counts = at::empty({state.range(0), Market::groups, Market::clusters});
  auto const states = finished(state.range(0));
  for (std::int64_t i = 0; i < state.range(0); ++i)
    for (int g = 0; g < Market::groups; ++g)
      for (int c = 0; c < Market::clusters; ++c)
        counts[i][g].data_ptr<float>()[c] = float(states[std::size_t(i)].group_trades[g][c]);
  auto const quantities = at::tensor(at::ArrayRef<float>(params.quantities, Market::clusters));
  auto const deciles = at::arange(1, Market::percentiles + 1).to(at::kFloat) / 10;
  for (auto _ : state) {
    auto const below = counts.cumsum(2);
    auto const wanted = below.select(2, Market::clusters - 1).unsqueeze(2) * deciles;
    benchmark::DoNotOptimize(quantities.take(at::searchsorted(below, wanted).clamp_max(Market::clusters - 1)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(ours)->ArgName("instances")->Arg(64)->Arg(4096)->UseRealTime();
BENCHMARK(libtorch)->ArgName("instances")->Arg(64)->Arg(4096)->UseRealTime();

}  // namespace

}  // namespace shoal
