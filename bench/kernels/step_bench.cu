// A step of every environment on CUDA, by lanes per instance and instances: agent steps per second, without inference.
// Actions stay the same. 32 steps are one measurement, so that waiting for the device hardly counts.
#include <benchmark/benchmark.h>

#include "envs/all.hpp"
#include "shoal/env/cuda_simulator.cuh"

namespace shoal {

namespace {

template <class T, class F>
cuda::DeviceBuffer<T> filled(std::size_t count, F f) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = f(Random{1, 0, 0, 0}.draw(Purpose::test, std::uint32_t(i)), i);
  return cuda::DeviceBuffer<T>(values);
}

template <class Env, int Lanes>
void step(benchmark::State& state) {
  if (auto const why = cuda::no_device(); !why.empty()) return state.SkipWithError(why.c_str());
  constexpr int steps = 32;
  int const n = int(state.range(0));
  typename Env::Params params;
  Env::prepare(params);
  CudaSimulator<Env, Lanes> sim(params, {.instances = n, .seed = 1, .device = Device::cuda});

  Group const& group = sim.spec().groups[0];
  auto const reals = group.continuous.size(), choices = group.discrete.size();
  auto const rows = std::size_t(n) * std::size_t(group.agents);
  auto const continuous = filled<float>(rows * reals, [&](Words draw, std::size_t i) {
    auto const& head = group.continuous[i % reals];
    return head.low + (head.high - head.low) * draw.unit(0);
  });
  auto const discrete = filled<std::int32_t>(rows * choices, [&](Words draw, std::size_t i) {
    return std::int32_t(draw.w[0] % std::uint32_t(group.discrete[i % choices].choices));
  });
  cuda::DeviceBuffer<float> observations(rows * std::size_t(sim.observation_width())), rewards(rows);
  cuda::DeviceBuffer<std::uint8_t> masks(rows * std::size_t(group.choices())), ended(rows);
  StepInput const in{.continuous = view(continuous.data(), n, group.agents, int(reals)),
                     .discrete = view(discrete.data(), n, group.agents, int(choices))};
  StepOutput const out{.observations = view(observations.data(), n, group.agents, sim.observation_width()),
                       .masks = view(masks.data(), n, group.agents, group.choices()),
                       .rewards = view(rewards.data(), n, group.agents),
                       .ended = view(ended.data(), n, group.agents),
                       .final_observations = {}};
  sim.reset(out);
  sim.synchronize();
  for (auto _ : state) {
    for (int t = 0; t < steps; ++t) sim.step(in, out);
    sim.synchronize();
  }
  state.SetItemsProcessed(state.iterations() * steps * std::int64_t(rows));
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("instances")->Arg(1 << 11)->Arg(1 << 14)->Arg(1 << 17)->UseRealTime();
}

}  // namespace

BENCHMARK(step<PublishedMarket, 8>)->Apply(sizes);
BENCHMARK(step<PublishedMarket, 16>)->Apply(sizes);
BENCHMARK(step<PublishedMarket, 32>)->Apply(sizes);
BENCHMARK(step<MatrixGame, 1>)->Apply(sizes);
BENCHMARK(step<MatrixGame, 4>)->Apply(sizes);
BENCHMARK(step<MatrixGame, 8>)->Apply(sizes);

}  // namespace shoal
