// What a step through the C interface takes beside one of the C++ Simulator: both simulate the same, with actions and
// outputs in the same memory, in turns of about a millisecond. `overhead` is the median over turns of C over C++, less
// 1.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "shoal.h"
#include "shoal/env/simulator.hpp"

namespace shoal {

namespace {

void check(shoal_status status) {
  if (status != SHOAL_OK) throw Error(shoal_last_error());
}

/// A simulator behind the C interface and one in C++, of one group, that share their arrays.
struct Pair {
  Pair(char const* environment, int instances)
      : cpp(make_simulator(environment, {}, {.instances = instances, .seed = 1})) {
    shoal_options options;
    check(shoal_options_init(&options, sizeof options));
    options.instances = instances;
    options.seed = 1;
    check(shoal_create(&c, environment, nullptr, &options));
    auto const& group = cpp->spec().groups[0];
    if (!group.continuous.empty()) in.continuous = view_of<float const, 3>(SHOAL_CONTINUOUS_ACTIONS);
    if (!group.discrete.empty()) in.discrete = view_of<std::int32_t const, 3>(SHOAL_DISCRETE_ACTIONS);
    out.observations = view_of<float, 3>(SHOAL_OBSERVATIONS);
    out.rewards = view_of<float, 2>(SHOAL_REWARDS);
    out.ended = view_of<std::uint8_t, 2>(SHOAL_ENDED);
    check(shoal_reset(c));
    cpp->reset(out);
  }
  ~Pair() { shoal_close(c); }
  Pair(Pair const&) = delete;
  Pair& operator=(Pair const&) = delete;

  template <class T, int Rank>
  View<T, Rank> view_of(int which) {
    shoal_array a;
    check(shoal_get_array(c, which, 0, &a, sizeof a));
    View<T, Rank> view;
    view.data = static_cast<T*>(a.data);
    std::copy_n(a.shape, Rank, view.extents);
    std::copy_n(a.strides, Rank, view.strides);
    return view;
  }

  std::unique_ptr<Simulator> cpp;
  shoal_simulator* c = nullptr;
  StepInput in;
  StepOutput out;
};

template <class F>
double seconds_of(int steps, F step) {
  auto const start = std::chrono::steady_clock::now();
  for (int t = 0; t < steps; ++t) step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void step(benchmark::State& state, char const* environment) {
  int const instances = int(state.range(0));
  Pair pair(environment, instances);
  auto const step_c = [&] { benchmark::DoNotOptimize(shoal_step(pair.c)); };
  auto const step_cpp = [&] { pair.cpp->step(pair.in, pair.out); };
  int const steps = std::max(1, int(1e-3 / (seconds_of(100, step_cpp) / 100)));
  std::vector<double> ratios, cpp_seconds;
  bool c_first = false;
  for (auto _ : state) {
    double c = 0, cpp = 0;
    if (c_first) c = seconds_of(steps, step_c);
    cpp = seconds_of(steps, step_cpp);
    if (!c_first) c = seconds_of(steps, step_c);
    c_first = !c_first;
    ratios.push_back(c / cpp - 1);
    cpp_seconds.push_back(cpp / steps);
  }
  auto const median = [](std::vector<double>& all) {
    std::nth_element(all.begin(), all.begin() + std::ptrdiff_t(all.size() / 2), all.end());
    return all[all.size() / 2];
  };
  state.counters["overhead_percent"] = 100 * median(ratios);
  state.counters["cpp_us_a_step"] = 1e6 * median(cpp_seconds);
}

BENCHMARK_CAPTURE(step, market, "market")->ArgName("instances")->Arg(64)->Arg(4096)->UseRealTime();
BENCHMARK_CAPTURE(step, matrix_game, "matrix_game")->ArgName("instances")->Arg(64)->Arg(4096)->UseRealTime();

}  // namespace

}  // namespace shoal
