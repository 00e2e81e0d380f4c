// reset_instance and step_instance on plain memory: what CUDA kernels call, here with teams of one lane and of real
// threads. Run under ThreadSanitizer, EveryBatch.ThreadTeamsGiveTheSame reports what would be a race on a GPU.
#include "shoal/env/batch.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "env/driver.hpp"
#include "envs/all.hpp"
#include "shoal/core/thread_team.hpp"
#include "shoal/env/backend.hpp"

namespace shoal {
namespace {

template <class T>
using HostVector = std::vector<T>;

// A batch with scratch and outputs of its own, and the same random actions for equal times.
template <class Env>
class Instances {
 public:
  static constexpr int count = 2;

  explicit Instances(Settings const& settings, unsigned char fill = 0)
      : params(prepared(settings)),
        spec(Env::spec(params)),
        memory(spec, options(spec)),
        batch(memory.batch(params, options(spec))) {
    // What reset() does not write must not matter.
    std::memset(static_cast<void*>(memory.states.data()), fill, sizeof(memory.states[0]) * memory.states.size());
    std::memset(static_cast<void*>(&scratch), fill, sizeof scratch);
    int const agents = spec.agents, width = memory.layout.width, choices = memory.layout.choices;
    auto const rows = std::size_t(count * agents);
    observations.resize(rows * std::size_t(width)), finals.resize(rows * std::size_t(width));
    rewards.resize(rows), ended.resize(rows), masks.resize(rows * std::size_t(choices));
    continuous.resize(rows * spec.continuous.size()), discrete.resize(rows * spec.discrete.size());
    out = {.observations = view(observations.data(), count, agents, width),
           .masks = view(masks.data(), count, agents, choices),
           .rewards = view(rewards.data(), count, agents),
           .ended = view(ended.data(), count, agents),
           .final_observations = view(finals.data(), count, agents, width)};
    if (spec.discrete.empty()) out.masks = {};
    in = {.continuous = view<float const>(continuous.data(), count, agents, int(spec.continuous.size())),
          .discrete = view<std::int32_t const>(discrete.data(), count, agents, int(spec.discrete.size()))};
  }

  void draw_actions(std::uint32_t time) {
    for (std::size_t k = 0; k < continuous.size(); ++k) {
      auto const& head = spec.continuous[k % spec.continuous.size()];
      float const u =
          float(int(Random{8, 0, 0, time}.draw(Purpose::test, std::uint32_t(k)).unit(0) * 9)) / 8;  // with ties
      continuous[k] = head.low + (head.high - head.low) * u;
    }
    for (std::size_t k = 0; k < discrete.size(); ++k) {
      auto const& head = spec.discrete[k % spec.discrete.size()];
      discrete[k] = int(Random{8, 0, 0, time}.draw(Purpose::test, std::uint32_t(k)).unit(1) * float(head.choices));
    }
  }

  template <class Team>
  void reset(Team team) {
    for (int i = 0; i < count; ++i) reset_instance(team, batch, scratch, out, i);
  }
  template <class Team>
  void step(Team team) {
    for (int i = 0; i < count; ++i) step_instance(team, batch, scratch, in, out, i);
  }
  void hash_into(TrajectoryHash& hash) const {
    for (auto const* values : {&observations, &finals, &rewards, &memory.metric_sums, &memory.returns})
      for (float const x : *values) hash.add(x);
    for (auto const* values : {&ended, &masks})
      for (auto const x : *values) hash.add(std::uint32_t(x));
    for (auto const& clock : memory.clocks) hash.add(clock.episode), hash.add(clock.step);
  }

  static SimulatorOptions options(Spec const& spec) {
    int const padded = spec.observation + spec.type + spec.agents + 5;
    return {.instances = count, .seed = 3, .observation = {.indication = true, .width = padded}};
  }
  static typename Env::Params prepared(Settings const& settings) {
    typename Env::Params p;
    read_settings(p, settings);
    Env::prepare(p);
    return p;
  }

  typename Env::Params params;
  Spec spec;
  BatchMemory<Env, HostVector> memory;
  Batch<Env> batch;
  StepScratch<Env> scratch;
  std::vector<float> observations, finals, rewards, continuous;
  std::vector<std::uint8_t> ended, masks;
  std::vector<std::int32_t> discrete;
  StepInput in;
  StepOutput out;
};

// Settings of all variants of Env.
template <class Env>
std::vector<Settings> all_settings() {
  std::vector<Settings> all = {{}};
  for (auto const& v : extra_variants(Env::name)) all.push_back(v.params);
  return all;
}

constexpr std::uint32_t steps = 8;

template <class Env>
std::uint64_t serial_hash(Settings const& settings, unsigned char fill = 0) {
  Instances<Env> instances(settings, fill);
  TrajectoryHash hash;
  instances.reset(SerialTeam{});
  for (std::uint32_t t = 0; t < steps; ++t) {
    instances.draw_actions(t);
    instances.step(SerialTeam{});
    instances.hash_into(hash);
  }
  return hash.value();
}

template <class Env>
std::uint64_t threaded_hash(Settings const& settings, int lanes) {
  Instances<Env> instances(settings);
  TrajectoryHash hash;
  run_threads(lanes, [&](ThreadTeam team) {
    instances.reset(team);
    for (std::uint32_t t = 0; t < steps; ++t) {
      team.once([&] { instances.draw_actions(t); });
      instances.step(team);
      team.once([&] { instances.hash_into(hash); });
    }
  });
  return hash.value();
}

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

template <class Env>
class EveryBatch : public testing::Test {};
TYPED_TEST_SUITE(EveryBatch, AsTypes<AllEnvironments>::type, EnvironmentName);

TYPED_TEST(EveryBatch, ThreadTeamsGiveTheSame) {
  for (auto const& settings : all_settings<TypeParam>())
    for (int lanes : {2, 5})
      EXPECT_EQ(threaded_hash<TypeParam>(settings, lanes), serial_hash<TypeParam>(settings)) << lanes;
}

// On a GPU, scratch is shared memory that others have used, and states are never cleared.
TYPED_TEST(EveryBatch, GarbageInScratchAndFreshStatesDoesNotShow) {
  for (auto const& settings : all_settings<TypeParam>())
    EXPECT_EQ(serial_hash<TypeParam>(settings, 0xa5), serial_hash<TypeParam>(settings, 0));
}

// final_observations is what observe() gives for the state that step() left, before the reset.
TYPED_TEST(EveryBatch, FinalObservationIsOfTheStateBeforeTheReset) {
  for (auto const& settings : all_settings<TypeParam>()) {
    Instances<TypeParam> a(settings), b(settings);
    a.reset(SerialTeam{}), b.reset(SerialTeam{});
    std::uint32_t t = 0;
    for (; a.out.ended(0, 0) == 0; ++t) {
      a.draw_actions(t), b.draw_actions(t);
      a.step(SerialTeam{});
      if (a.out.ended(0, 0) == 0) b.step(SerialTeam{});
    }
    Actions const actions{detail::row_of(b.in.continuous, 0), detail::row_of(b.in.discrete, 0)};
    auto const ended = TypeParam::step(SerialTeam{}, b.params, b.memory.states[0], b.scratch.env, actions,
                                       b.out.rewards(0), random_of(b.batch, 0));
    EXPECT_EQ(std::uint8_t(ended), a.out.ended(0, 0));
    observe_instance(SerialTeam{}, b.batch, b.out, 0);
    for (int i = 0; i < a.spec.agents; ++i)
      for (int k = 0; k < a.memory.layout.width; ++k)
        ASSERT_EQ(a.out.final_observations(0, i, k), b.out.observations(0, i, k));
  }
}

// What a CUDA backend needs: bytes to copy, and scratch that may lie in shared memory.
TYPED_TEST(EveryBatch, StateAndScratchArePlain) {
  static_assert(std::is_trivially_copyable_v<Batch<TypeParam>> &&
                std::is_trivially_copyable_v<typename TypeParam::State>);
  static_assert(std::is_trivially_default_constructible_v<typename TypeParam::Scratch>);
}

}  // namespace
}  // namespace shoal
