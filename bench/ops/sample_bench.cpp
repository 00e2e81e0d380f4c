// Actions with log-probability and entropy from a policy's distribution, and uniform ones: ours, against plain
// LibTorch, which draws from its own generator. `continuous` has the market's three normal heads, `discrete` its 11 x
// 11 x 6 levels.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/nn/distribution.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

ActionLayout layout_of(bool discrete) {
  if (!discrete) return {.continuous = 3};
  return {.continuous = 0, .discrete = 3, .choices = {11, 11, 6}, .total_choices = 28};
}

struct Rows {
  Rows(std::int64_t rows, bool of_choices)
      : layout(layout_of(of_choices)),
        parameters(at::randn({rows, layout.parameters()})),
        log_sd(at::full({layout.continuous}, -0.5f)),
        agents(at::zeros({1}, at::kInt)),
        continuous(at::empty({rows, layout.continuous})),
        discrete(at::empty({rows, layout.discrete}, at::kInt)),
        log_probabilities(at::empty({rows})),
        entropies(at::empty({rows})) {}
  ActionLayout layout;
  at::Tensor parameters, log_sd, agents, continuous, discrete, log_probabilities, entropies;
};

void ours(benchmark::State& state, bool of_choices) {
  Rows r(state.range(0), of_choices);
  std::uint32_t const stage = 0;
  SampleArgs args{.layout = r.layout,
                  .random = {},
                  .stage = &stage,
                  .purpose = Purpose::action,
                  .members = 1,
                  .all_agents = 1,
                  .rows = state.range(0),
                  .agents = r.agents.data_ptr<std::int32_t>(),
                  .parameters = r.parameters.data_ptr<float>(),
                  .log_sd = r.log_sd.data_ptr<float>(),
                  .masks = nullptr,
                  .continuous = r.continuous.data_ptr<float>(),
                  .discrete = r.discrete.data_ptr<std::int32_t>(),
                  .log_probabilities = r.log_probabilities.data_ptr<float>(),
                  .entropies = r.entropies.data_ptr<float>(),
                  .kept_parameters = nullptr};
  for (auto _ : state) {
    ++args.random.step;
    ops::sample(args, at::kCPU);
  }
  state.SetItemsProcessed(state.iterations() * args.rows);
}

void libtorch(benchmark::State& state, bool of_choices) {
  at::NoGradGuard const no_grad;
  Rows r(state.range(0), of_choices);
  ActionRows actions;
  for (auto _ : state) {
    if (of_choices) {
      std::vector<at::Tensor> chosen;
      for (auto const& logits : r.parameters.split_with_sizes({11, 11, 6}, 1))
        chosen.push_back(at::multinomial(at::softmax(logits, 1), 1, /*replacement=*/true));
      actions.discrete = at::cat(chosen, 1).to(at::kInt);
    } else {
      actions.continuous = r.parameters + at::exp(r.log_sd) * at::randn_like(r.parameters);
    }
    r.log_probabilities = log_probability(r.layout, r.parameters, r.log_sd, actions);
    r.entropies = entropy(r.layout, r.parameters, r.log_sd, {});
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void uniform_ours(benchmark::State& state) {
  Rows r(state.range(0), false);
  UniformArgs args{.random = {},
                   .instances = state.range(0) / 5,
                   .agents = 5,
                   .continuous_heads = 3,
                   .discrete_heads = 0,
                   .total_choices = 0,
                   .low = {-1, -1, 0},
                   .span = {2, 2, 1},
                   .choices = {},
                   .masks = nullptr,
                   .continuous = r.continuous.data_ptr<float>(),
                   .discrete = nullptr};
  for (auto _ : state) {
    ++args.random.step;
    ops::uniform(args, at::kCPU);
  }
  state.SetItemsProcessed(state.iterations() * args.instances * args.agents);
}

void uniform_libtorch(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  auto const actions = at::empty({state.range(0), 3});
  for (auto _ : state) {
    actions.narrow(1, 0, 2).uniform_(-1, 1);
    actions.select(1, 2).uniform_(0, 1);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void rows(benchmark::internal::Benchmark* bench) { bench->ArgName("rows")->Arg(320)->Arg(5120)->UseRealTime(); }

BENCHMARK_CAPTURE(ours, continuous, false)->Apply(rows);
BENCHMARK_CAPTURE(libtorch, continuous, false)->Apply(rows);
BENCHMARK_CAPTURE(ours, discrete, true)->Apply(rows);
BENCHMARK_CAPTURE(libtorch, discrete, true)->Apply(rows);
BENCHMARK(uniform_ours)->Apply(rows);
BENCHMARK(uniform_libtorch)->Apply(rows);

}  // namespace

}  // namespace shoal
