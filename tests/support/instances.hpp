// A batch without a simulator around it: the functions of shoal/env/batch.hpp on plain memory, with any team.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "shoal/core/hash.hpp"
#include "shoal/core/random.hpp"
#include "shoal/env/backend.hpp"
#include "support/variants.hpp"

namespace shoal {

template <class T>
using HostVector = std::vector<T>;

/// A batch with scratch and outputs of its own.
template <class Env>
class Instances {
 public:
  static constexpr int count = 2;

  explicit Instances(Settings const& settings, unsigned char fill = 0)
      : params(prepared(settings)),
        spec(spec_of<Env>(params)),
        group(spec.groups.size() > 1 ? padded(spec).groups[0] : spec.groups[0]),
        memory(spec, options(spec)),
        batch(memory.batch(params, options(spec))) {
    // What reset() does not write must not matter.
    std::memset(static_cast<void*>(memory.states.data()), fill, sizeof(memory.states[0]) * memory.states.size());
    std::memset(static_cast<void*>(&scratch), fill, sizeof scratch);
    int const agents = spec.agents(), width = batch.groups[0].width, choices = group.choices();
    auto const rows = std::size_t(count * agents);
    observations.resize(rows * std::size_t(width)), finals.resize(rows * std::size_t(width));
    rewards.resize(rows), ended.resize(rows), alive.resize(rows), masks.resize(rows * std::size_t(choices));
    continuous.resize(rows * group.continuous.size()), discrete.resize(rows * group.discrete.size());
    out = {.observations = view(observations.data(), count, agents, width),
           .masks = view(masks.data(), count, agents, choices),
           .alive = view(alive.data(), count, agents),
           .rewards = view(rewards.data(), count, agents),
           .ended = view(ended.data(), count, agents),
           .final_observations = view(finals.data(), count, agents, width)};
    if (group.discrete.empty()) out.masks = {};
    in = {.continuous = view<float const>(continuous.data(), count, agents, int(group.continuous.size())),
          .discrete = view<std::int32_t const>(discrete.data(), count, agents, int(group.discrete.size()))};
  }

  StepInputs<Env> inputs() const { return parts_of<Env>(GroupSpan<StepInput>(in), spec); }
  StepOutputs<Env> outputs() const { return parts_of<Env>(GroupSpan<StepOutput>(out), spec); }

  /// Random actions, with ties.
  void draw_actions(Random const& random) {
    for (std::size_t k = 0; k < continuous.size(); ++k) {
      auto const& head = group.continuous[k % group.continuous.size()];
      float const u = float(int(random.draw(Purpose::test, std::uint32_t(k)).unit(0) * 9)) / 8;
      continuous[k] = head.low + (head.high - head.low) * u;
    }
    for (std::size_t k = 0; k < discrete.size(); ++k) {
      auto const& head = group.discrete[k % group.discrete.size()];
      auto const agent = k / group.discrete.size() % std::size_t(spec.agents());
      int const choices = std::min(head.choices, choices_of(int(agent), k % group.discrete.size()));
      discrete[k] = int(random.draw(Purpose::test, std::uint32_t(k)).unit(1) * float(choices));
    }
  }

  template <class Team>
  void reset(Team team) {
    for (int i = 0; i < count; ++i) reset_instance(team, batch, scratch, outputs(), i);
  }
  template <class Team>
  void step(Team team) {
    for (int i = 0; i < count; ++i) step_instance(team, batch, scratch, inputs(), outputs(), i);
  }
  /// Whether the last step ended the instance's episode; a death alone does not.
  bool has_ended(int i) const {
    bool all = true;
    for (int a = 0; a < spec.agents(); ++a) all &= out.ended(i, a) != 0;
    return all;
  }
  void hash_into(TrajectoryHash& hash) const {
    for (auto const* values : {&observations, &finals, &rewards, &memory.metric_sums, &memory.returns})
      for (float const x : *values) hash.add(x);
    for (auto const* values : {&ended, &masks, &alive})
      for (auto const x : *values) hash.add(std::uint32_t(x));
    for (auto const& clock : memory.clocks) hash.add(clock.episode), hash.add(clock.step);
  }

  /// Of a head of the agent's own group; 1 where that lacks it.
  int choices_of(int agent, std::size_t head) const {
    int g = 0;
    while (agent >= spec.first_agent(g + 1)) ++g;
    auto const& heads = spec.groups[std::size_t(g)].discrete;
    return head < heads.size() ? heads[head].choices : 1;
  }

  static SimulatorOptions options(Spec const& spec) {
    int width = 0;
    for (auto const& g : spec.groups) width = std::max(width, g.observation + g.type + spec.agents() + 5);
    return {.instances = count,
            .seed = 3,
            .observation = {.indication = Indication::agent, .width = width, .pad_groups = true}};
  }
  static typename Env::Params prepared(Settings const& settings) {
    typename Env::Params p;
    read_settings(p, settings);
    Env::prepare(p);
    return p;
  }

  typename Env::Params params;
  Spec spec;
  Group group;  // all agents; several groups are padded to one
  BatchMemory<Env, HostVector> memory;
  Batch<Env> batch;
  StepScratch<Env> scratch;
  std::vector<float> observations, finals, rewards, continuous;
  std::vector<std::uint8_t> ended, masks, alive;
  std::vector<std::int32_t> discrete;
  StepInput in;
  StepOutput out;
};

/// Settings of all variants of Env.
template <class Env>
std::vector<Settings> all_settings() {
  std::vector<Settings> all = {{}};
  for (auto const& v : extra_variants(Env::name)) all.push_back(v.params);
  return all;
}

/// Of a std::tuple of environments, for typed tests.
template <class Tuple>
struct AsTypes;
template <class... Env>
struct AsTypes<std::tuple<Env...>> {
  using type = testing::Types<Env...>;
};
struct EnvironmentName {
  template <class Env>
  static std::string GetName(int) {
    return Env::name;
  }
};

}  // namespace shoal
