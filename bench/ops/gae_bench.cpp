// Advantages of [steps, columns]: our column by column, against the loop over time in LibTorch.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

constexpr int steps = 96;
constexpr float discount = 0.99f, lambda = 0.95f;

struct Columns {
  explicit Columns(std::int64_t columns)
      : rewards(at::randn({steps, columns})),
        values(at::randn({steps + 1, columns})),
        ended(at::rand({steps, columns}).lt(0.01).to(at::kByte)),
        advantages(at::empty({steps, columns})),
        returns(at::empty({steps, columns})) {}
  at::Tensor rewards, values, ended, advantages, returns;
};

void ours(benchmark::State& state) {
  Columns c(state.range(0));
  GaeArgs const args{.steps = steps,
                     .columns = state.range(0),
                     .discount = discount,
                     .lambda = lambda,
                     .rewards = c.rewards.data_ptr<float>(),
                     .values = c.values.data_ptr<float>(),
                     .final_values = nullptr,
                     .ended = c.ended.data_ptr<std::uint8_t>(),
                     .advantages = c.advantages.data_ptr<float>(),
                     .returns = c.returns.data_ptr<float>()};
  for (auto _ : state) ops::gae(args, at::kCPU);
  state.SetItemsProcessed(state.iterations() * steps * state.range(0));
}

void libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Columns c(state.range(0));
  for (auto _ : state) {
    auto const goes_on = 1 - c.ended.to(at::kFloat);
    auto advantage = at::zeros({state.range(0)});
    for (int t = steps - 1; t >= 0; --t) {
      auto const delta = c.rewards[t] + discount * c.values[t + 1] * goes_on[t] - c.values[t];
      advantage = delta + discount * lambda * goes_on[t] * advantage;
      c.advantages[t].copy_(advantage);
    }
    at::add_out(c.returns, c.advantages, c.values.narrow(0, 0, steps));
  }
  state.SetItemsProcessed(state.iterations() * steps * state.range(0));
}

BENCHMARK(ours)->ArgName("columns")->Arg(320)->Arg(5120)->UseRealTime();
BENCHMARK(libtorch)->ArgName("columns")->Arg(320)->Arg(5120)->UseRealTime();

}  // namespace

}  // namespace shoal
