// Metrics of finished market episodes: all of ours, instance by instance, against LibTorch computing their 18
// percentiles alone. Both start from the counts of trades by quantity and take percentiles by nearest rank.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/envs/market.hpp"

namespace shoal {

namespace {

constexpr int groups = 2;

PublishedMarket::Params default_params() {
  PublishedMarket::Params params;
  PublishedMarket::prepare(params);
  return params;
}

/// Episodes with random counts of trades.
std::vector<PublishedMarket::State> finished(std::int64_t instances) {
  std::vector<PublishedMarket::State> states(std::size_t(instances), PublishedMarket::State{});
  for (std::size_t i = 0; i < states.size(); ++i) {
    states[i].step = 96;
    for (int g = 0; g < groups; ++g)
      for (int c = 0; c < PublishedMarket::clusters; ++c)
        states[i].group_trades[g][c] =
            Random{1, std::uint32_t(i), 0, std::uint32_t(g)}.draw(Purpose::test, std::uint32_t(c)).w[0] % 500;
  }
  return states;
}

void ours(benchmark::State& state) {
  auto const params = default_params();
  auto const states = finished(state.range(0));
  auto const metrics = int(PublishedMarket::spec(params).metrics.size());
  std::vector<float> out(states.size() * std::size_t(metrics));
  PublishedMarket::Scratch scratch;
  for (auto _ : state) {
    for (std::size_t i = 0; i < states.size(); ++i)
      PublishedMarket::metrics(SerialTeam{}, params, states[i], scratch,
                               view(out.data() + i * std::size_t(metrics), metrics));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  auto const params = default_params();
  auto const counts = at::empty({state.range(0), groups, PublishedMarket::clusters});
  auto const states = finished(state.range(0));
  for (std::int64_t i = 0; i < state.range(0); ++i)
    for (int g = 0; g < groups; ++g)
      for (int c = 0; c < PublishedMarket::clusters; ++c)
        counts[i][g].data_ptr<float>()[c] = float(states[std::size_t(i)].group_trades[g][c]);
  auto const quantities = at::tensor(at::ArrayRef<float>(params.quantities, PublishedMarket::clusters));
  auto const deciles = at::arange(1, PublishedMarket::percentiles + 1).to(at::kFloat) / 10;
  for (auto _ : state) {
    auto const below = counts.cumsum(2);
    auto const wanted = below.select(2, PublishedMarket::clusters - 1).unsqueeze(2) * deciles;
    benchmark::DoNotOptimize(quantities.take(at::searchsorted(below, wanted).clamp_max(PublishedMarket::clusters - 1)));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(ours)->ArgName("instances")->Arg(64)->Arg(4096)->UseRealTime();
BENCHMARK(libtorch)->ArgName("instances")->Arg(64)->Arg(4096)->UseRealTime();

}  // namespace

}  // namespace shoal
