// reset_instance and step_instance on plain memory: what CUDA kernels call, here with teams of one lane and of real
// threads. Run under ThreadSanitizer, EveryBatch.ThreadTeamsGiveTheSame reports what would be a race on a GPU.
#include "shoal/env/batch.hpp"

#include <gtest/gtest.h>

#include "envs/all.hpp"
#include "shoal/core/thread_team.hpp"
#include "support/instances.hpp"

namespace shoal {
namespace {

constexpr std::uint32_t steps = 8;

template <class Env>
std::uint64_t serial_hash(Settings const& settings, unsigned char fill = 0) {
  Instances<Env> instances(settings, fill);
  TrajectoryHash hash;
  instances.reset(SerialTeam{});
  for (std::uint32_t t = 0; t < steps; ++t) {
    instances.draw_actions({8, 0, 0, t});
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
      team.once([&] { instances.draw_actions({8, 0, 0, t}); });
      instances.step(team);
      team.once([&] { instances.hash_into(hash); });
    }
  });
  return hash.value();
}

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
    for (; !a.has_ended(0); ++t) {
      a.draw_actions({8, 0, 0, t}), b.draw_actions({8, 0, 0, t});
      a.step(SerialTeam{});
      if (!a.has_ended(0)) b.step(SerialTeam{});
    }
    PerGroup<Actions, groups_of<TypeParam>()> actions;
    PerGroup<Rewards, groups_of<TypeParam>()> rewards;
    for (int g = 0; g < groups_of<TypeParam>(); ++g) {
      auto const in = b.inputs()[g];
      actions[g] = {detail::row_of(in.continuous, 0), detail::row_of(in.discrete, 0)};
      rewards[g] = b.outputs()[g].rewards(0);
    }
    auto const ended =
        TypeParam::step(SerialTeam{}, b.params, b.memory.states[0], b.scratch.env, detail::given<TypeParam>(actions),
                        detail::given<TypeParam>(rewards), random_of(b.batch, 0));
    EXPECT_EQ(a.out.ended(0, 0) & std::uint8_t(ended), std::uint8_t(ended)) << "the dead are terminated too";
    observe_instance(SerialTeam{}, b.batch, b.outputs(), 0);
    for (int i = 0; i < a.spec.agents(); ++i)
      for (int k = 0; k < a.batch.groups[0].width; ++k)
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
