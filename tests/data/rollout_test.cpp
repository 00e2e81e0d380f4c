#include "shoal/data/rollout.hpp"

#include "support/helpers.hpp"
#include "support/tagged_simulator.hpp"

namespace shoal {
namespace {

using namespace test;
using Tagged = TaggedSimulator;

constexpr int steps = 5, instances = 4;

/// f(t, instance, agent) for every place of a rollout of `slots` slots.
template <class F>
void everywhere(int slots, F f) {
  for (int t = 0; t < slots; ++t)
    for (int i = 0; i < instances; ++i)
      for (int a = 0; a < Tagged::agents; ++a) f(t, i, a);
}

TEST(Rollout, EverythingLiesInItsPlace) {
  Tagged simulator(instances);
  auto const r = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  everywhere(steps, [&](int t, int i, int a) {  // actions that say where they belong
    r.continuous[t][i][a][0] = Tagged::tag(t, i, a);
    r.discrete[t][i][a][0] = int(Tagged::tag(t, i, a));
    r.discrete[t][i][a][1] = -int(Tagged::tag(t, i, a));
  });
  simulator.reset(r.first());
  for (int t = 0; t < steps; ++t) simulator.step(r.input(t), r.output(t));

  auto const observations = r.observations.accessor<float, 4>(),
             final_observations = r.final_observations.accessor<float, 4>();
  auto const masks = r.masks.accessor<std::uint8_t, 4>();
  auto const rewards = r.rewards.accessor<float, 3>();
  auto const ended = r.ended.accessor<std::uint8_t, 3>();
  everywhere(steps + 1, [&](int t, int i, int a) {
    for (int k = 0; k < Tagged::width; ++k) EXPECT_EQ(observations[t][i][a][k], Tagged::seen(t, i, a, k));
    for (int c = 0; c < 5; ++c) EXPECT_EQ(masks[t][i][a][c], Tagged::legal(t, i, a, c));
  });
  everywhere(steps, [&](int t, int i, int a) {
    EXPECT_EQ(rewards[t][i][a], Tagged::tag(t, i, a));
    EXPECT_EQ(ended[t][i][a], int(Tagged::ended(t, i)));
    bool const end = Tagged::ended(t, i) != Ended::no;
    for (int k = 0; k < Tagged::width; ++k)
      EXPECT_EQ(final_observations[t][i][a][k], end ? Tagged::seen(t + 1, i, a, k, true) : 0.0f);
    auto const row = std::size_t(i * Tagged::agents + a), at = std::size_t(t);
    EXPECT_EQ(simulator.continuous[at][row], Tagged::tag(t, i, a));
    EXPECT_EQ(simulator.discrete[at][2 * row], int(Tagged::tag(t, i, a)));
    EXPECT_EQ(simulator.discrete[at][2 * row + 1], -int(Tagged::tag(t, i, a)));
  });
}

TEST(Rollout, KeepsOnlyWhatTheSpecNeeds) {
  auto const bare =
      make_rollout({.steps = 2, .instances = 3, .agents = 1, .width = 4, .actions = heads(2, {})}, at::kCPU);
  EXPECT_FALSE(bare.masks.defined() || bare.final_observations.defined() || bare.final_values.defined());
  EXPECT_EQ(bare.output(1).masks.data, nullptr);
  EXPECT_EQ(bare.output(1).final_observations.data, nullptr);
  EXPECT_EQ(bare.discrete.numel(), 0);
}

TEST(Rollout, HeadsComeFromTheSpec) {
  Group group{.agents = 1};
  group.continuous = {{"x", 0, 1}, {"y", 0, 1}};
  group.discrete = {{"a", 3}, {"b", 5}};
  auto const layout = action_layout(group);
  EXPECT_EQ(layout.continuous, 2);
  EXPECT_EQ(layout.discrete, 2);
  EXPECT_EQ(layout.choices[0], 3);
  EXPECT_EQ(layout.choices[1], 5);
  EXPECT_EQ(layout.parameters(), 10);
  group.discrete.resize(max_discrete_heads + 1, {"c", 2});
  EXPECT_EQ(message_of<InputError>([&] { action_layout(group); }), "17 discrete heads: at most 16");
}

}  // namespace
}  // namespace shoal
