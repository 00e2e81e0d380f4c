// Steps the market in a program of one's own. docs/embedding.md shows it.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "shoal/core/hash.hpp"
#include "shoal/env/simulator.hpp"

int main() {
  constexpr int instances = 64;
  auto const simulator =
      shoal::make_simulator("market", {{"merchants", std::int64_t(3)}}, {.instances = instances, .seed = 1});
  auto const& group = simulator->spec().groups[0];
  int const heads = int(group.continuous.size()), width = simulator->observation_width();
  std::size_t const rows = std::size_t(instances * group.agents);

  std::vector<float> actions(rows * std::size_t(heads)), observations(rows * std::size_t(width)), rewards(rows);
  std::vector<std::uint8_t> ended(rows);
  shoal::StepInput const in{.continuous = shoal::view<float const>(actions.data(), instances, group.agents, heads)};
  shoal::StepOutput const out{.observations = shoal::view(observations.data(), instances, group.agents, width),
                              .rewards = shoal::view(rewards.data(), instances, group.agents),
                              .ended = shoal::view(ended.data(), instances, group.agents)};
  simulator->reset(out);
  shoal::TrajectoryHash hash;
  for (int t = 0; t < 50; ++t) {
    // Your policy goes here: it reads `observations` and writes `actions`.
    simulator->step(in, out);
    for (float const reward : rewards) hash.add(reward);
  }
  std::printf("%016llx\n", static_cast<unsigned long long>(hash.value()));
}
