// A step of every environment on the CPU, by instances, agents and threads: agent steps per second, without drawing
// actions. The same actions in every step; `shoal bench --mode step` draws them afresh.
#include <benchmark/benchmark.h>

#include "shoal/core/random.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

namespace {

/// A simulator with memory for one step.
struct Stepper {
  Stepper(char const* environment, int instances, int agents, int threads)
      : simulator(make_simulator(environment, params_with_agents(environment, agents),
                                 {.instances = instances, .seed = 1, .threads = threads})) {
    auto const& group = simulator->spec().groups[0];
    int const reals = int(group.continuous.size()), picks = int(group.discrete.size());
    int const width = simulator->observation_width(), choices = group.choices();
    auto const rows = std::size_t(instances) * std::size_t(agents);
    for (std::size_t i = 0; i < rows * group.continuous.size(); ++i) {
      auto const& head = group.continuous[i % group.continuous.size()];
      continuous.push_back(head.low + (head.high - head.low) * word(i).unit(0));
    }
    for (std::size_t i = 0; i < rows * group.discrete.size(); ++i)
      discrete.push_back(std::int32_t(word(i).w[0] % unsigned(group.discrete[i % group.discrete.size()].choices)));
    observations.resize(rows * std::size_t(width));
    masks.resize(rows * std::size_t(choices));
    rewards.resize(rows);
    ended.resize(rows);
    in = {.continuous = view<float const>(continuous.data(), instances, agents, reals),
          .discrete = view<std::int32_t const>(discrete.data(), instances, agents, picks)};
    out = {.observations = view(observations.data(), instances, agents, width),
           .masks = view(masks.data(), instances, agents, choices),
           .rewards = view(rewards.data(), instances, agents),
           .ended = view(ended.data(), instances, agents)};
    simulator->reset(out);
  }

  static Words word(std::size_t i) { return Random{1, 0, 0, 0}.draw(Purpose::test, std::uint32_t(i)); }

  std::unique_ptr<Simulator> simulator;
  std::vector<float> continuous, observations, rewards;
  std::vector<std::int32_t> discrete;
  std::vector<std::uint8_t> masks, ended;
  StepInput in;
  StepOutput out;
};

void step(benchmark::State& state, char const* environment) {
  int const instances = int(state.range(0)), agents = int(state.range(1)), threads = int(state.range(2));
  Stepper stepper(environment, instances, agents, threads);
  for (auto _ : state) stepper.simulator->step(stepper.in, stepper.out);
  state.SetItemsProcessed(state.iterations() * instances * agents);
}

void reset(benchmark::State& state, char const* environment) {
  int const instances = int(state.range(0)), agents = int(state.range(1)), threads = int(state.range(2));
  Stepper stepper(environment, instances, agents, threads);
  for (auto _ : state) stepper.simulator->reset(stepper.out);
  state.SetItemsProcessed(state.iterations() * instances * agents);
}

std::vector<std::string> const sizes{"instances", "agents", "threads"};

BENCHMARK_CAPTURE(step, market, "market")
    ->ArgNames(sizes)
    ->ArgsProduct({{64, 1024}, {2, 5, 16}, {1, 2}})
    ->UseRealTime();
BENCHMARK_CAPTURE(step, matrix_game, "matrix_game")
    ->ArgNames(sizes)
    ->ArgsProduct({{64, 4096}, {2, 8}, {1, 2}})
    ->UseRealTime();
BENCHMARK_CAPTURE(reset, market, "market")->ArgNames(sizes)->ArgsProduct({{1024}, {2, 5, 16}, {1}})->UseRealTime();
BENCHMARK_CAPTURE(reset, matrix_game, "matrix_game")
    ->ArgNames(sizes)
    ->ArgsProduct({{4096}, {2, 8}, {1}})
    ->UseRealTime();

}  // namespace

}  // namespace shoal
