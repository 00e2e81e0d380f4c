// Groups of agents with spaces of their own: a simulator's outputs for each, and padded to one.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "shoal/env/backend.hpp"
#include "support/driver.hpp"
#include "support/errors.hpp"

namespace shoal {
namespace {

using testing::ElementsAre;

/// The memory of one group.
struct Rows {
  Rows(Simulator const& simulator, int g) : group(simulator.spec().groups[std::size_t(g)]) {
    int const n = simulator.options().instances, agents = group.agents, width = simulator.observation_width(g);
    auto const rows = std::size_t(n * agents);
    observations.assign(rows * std::size_t(width), -5), finals = observations;
    masks.assign(rows * std::size_t(group.choices()), 9);
    rewards.assign(rows, -5), ended.assign(rows, 9), alive.assign(rows, 9);
    actions.assign(rows * group.discrete.size(), 0);
    out = {.observations = view(observations.data(), n, agents, width),
           .masks = view(masks.data(), n, agents, group.choices()),
           .alive = view(alive.data(), n, agents),
           .rewards = view(rewards.data(), n, agents),
           .ended = view(ended.data(), n, agents),
           .final_observations = view(finals.data(), n, agents, width)};
    in.discrete = view<std::int32_t const>(actions.data(), n, agents, int(group.discrete.size()));
  }

  Group const& group;
  std::vector<float> observations, finals, rewards;
  std::vector<std::uint8_t> masks, alive, ended;
  std::vector<std::int32_t> actions;
  StepInput in;
  StepOutput out;
};

struct TwoRoles {
  explicit TwoRoles(int instances, ObservationOptions const& observation = {})
      : simulator(make_simulator("two_role", {}, {.instances = instances, .seed = 7, .observation = observation})),
        a(*simulator, 0),
        b(*simulator, 1) {}

  void reset() { simulator->reset(std::vector{a.out, b.out}); }
  void step() { simulator->step(std::vector{a.in, b.in}, std::vector{a.out, b.out}); }

  std::unique_ptr<Simulator> simulator;
  Rows a, b;
};

TEST(Groups, HaveSpacesOfTheirOwn) {
  TwoRoles game(1);
  auto const& spec = game.simulator->spec();
  EXPECT_EQ(spec.agents(), 2);
  EXPECT_EQ(spec.first_agent(1), 1);
  EXPECT_EQ(game.simulator->observation_width(0), 4);
  EXPECT_EQ(game.simulator->observation_width(1), 7);
}

TEST(Groups, PaddedTheyShowAndEarnTheSame) {
  constexpr int instances = 5;
  TwoRoles game(instances);
  Driver joint("two_role", {}, {.instances = instances, .seed = 7});
  game.reset(), joint.reset();
  for (int t = 0; t < 40; ++t) {
    joint.draw_actions();
    for (int i = 0; i < instances; ++i) {
      game.a.actions[std::size_t(i)] = joint.discrete(i, 0, 0);
      game.b.actions[std::size_t(i)] = joint.discrete(i, 1, 0);
    }
    game.step();
    joint->step(joint.in, joint.out);
    for (int i = 0; i < instances; ++i) {
      for (int k = 0; k < 7; ++k) {
        ASSERT_EQ(joint.out.observations(i, 0, k), k < 4 ? game.a.out.observations(i, 0, k) : 0);
        ASSERT_EQ(joint.out.observations(i, 1, k), game.b.out.observations(i, 0, k));
        if (joint.ended(i)) {
          ASSERT_EQ(joint.out.final_observations(i, 1, k), game.b.out.final_observations(i, 0, k));
        }
      }
      ASSERT_EQ(joint.out.rewards(i, 0), game.a.out.rewards(i, 0));
      ASSERT_EQ(joint.out.rewards(i, 1), game.b.out.rewards(i, 0));
      ASSERT_EQ(joint.out.ended(i, 1), game.b.out.ended(i, 0));
    }
  }
  EXPECT_THAT(game.a.alive, testing::Each(1));
  EXPECT_THAT(game.b.alive, testing::Each(1));
}

TEST(Groups, MasksForbidWhatAGroupLacks) {
  Driver joint("two_role", {}, {.instances = 1});
  EXPECT_TRUE(joint.spec().groups[0].masked);
  joint.reset();
  EXPECT_EQ(joint.spec().groups[0].choices(), 5);
  std::vector<int> masks;
  for (int a = 0; a < 2; ++a)
    for (int c = 0; c < 5; ++c) masks.push_back(joint.out.masks(0, a, c));
  EXPECT_THAT(masks, ElementsAre(1, 1, 1, 0, 0, 1, 1, 1, 1, 1));
}

TEST(Groups, IndicationStandsInTheSameColumnsForAll) {
  auto const rows = [](Indication indication) {
    Driver joint("two_role", {}, {.instances = 1, .observation = {.indication = indication, .width = 10}});
    joint.reset();
    std::vector<float> ends;
    for (int a = 0; a < 2; ++a)
      for (int k = 7; k < 10; ++k) ends.push_back(joint.out.observations(0, a, k));
    return ends;
  };
  EXPECT_THAT(rows(Indication::none), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(rows(Indication::agent), ElementsAre(1, 0, 0, 0, 1, 0));
  EXPECT_THAT(rows(Indication::group), ElementsAre(1, 0, 0, 0, 1, 0));
}

TEST(Groups, IndicationOfASpaceOfItsOwnCountsWithinTheGroup) {
  TwoRoles game(1, {.indication = Indication::agent});
  game.reset();
  EXPECT_EQ(game.simulator->observation_width(0), 5);
  EXPECT_EQ(game.a.out.observations(0, 0, 4), 1);
  EXPECT_EQ(game.b.out.observations(0, 0, 7), 1);
  TwoRoles roles(1, {.indication = Indication::group});
  roles.reset();
  EXPECT_EQ(roles.b.out.observations(0, 0, 7), 0);
  EXPECT_EQ(roles.b.out.observations(0, 0, 8), 1);
}

TEST(Groups, ErrorsNameThem) {
  TwoRoles game(2);
  game.reset();
  EXPECT_EQ(test::input_error([&] {
              game.simulator->step(game.a.in, std::vector{game.a.out, game.b.out});
            }),
            "1 inputs: expected 2, one for each group of agents");
  EXPECT_EQ(test::input_error([&] {
              game.simulator->step(std::vector{game.a.in, game.b.in}, std::vector{game.a.out, game.a.out});
            }),
            "group \"b\": observations: shape [2, 1, 4], expected shape [2, 1, 7]");
  game.b.actions[1] = 5;
  EXPECT_EQ(test::input_error([&] { game.step(); }),
            "two_role: instance 1, agent 1, answer: 5, expected one in [0, 5)");
}

// A choice that the padded head has and the group lacks.
TEST(Groups, PaddedActionsAreHeldToTheGroupsOwnHeads) {
  Driver joint("two_role", {}, {.instances = 1});
  joint.reset();
  joint.discrete(0, 1, 0) = 4;
  joint->step(joint.in, joint.out);
  joint.discrete(0, 0, 0) = 3;
  EXPECT_EQ(test::input_error([&] { joint->step(joint.in, joint.out); }),
            "two_role: instance 0, agent 0, answer: 3, expected one in [0, 3)");
}

// Two heads against one, a real one against none.
TEST(Groups, PaddedSpecHasTheWidestOfEverything) {
  Spec spec;
  spec.groups = {
      {.name = "x", .agents = 2, .observation = 3, .type = 1, .continuous = {{"go", -1, 1}}},
      {.name = "y", .agents = 1, .observation = 2, .type = 4, .discrete = {{"p", 2}, {"q", 3}}},
      {.name = "z", .agents = 3, .observation = 1, .continuous = {{"to", -2, 0.5f}}, .discrete = {{"r", 4}}}};
  auto const all = padded(spec).groups[0];
  EXPECT_EQ(all.agents, 6);
  EXPECT_EQ(all.observation, 3);
  EXPECT_EQ(all.type, 4);
  ASSERT_EQ(all.continuous.size(), 1u);
  EXPECT_EQ(all.continuous[0].low, -2);
  EXPECT_EQ(all.continuous[0].high, 1);
  ASSERT_EQ(all.discrete.size(), 2u);
  EXPECT_EQ(all.discrete[0].choices, 4);
  EXPECT_EQ(all.discrete[1].choices, 3);
  int const any = GroupLayout::padding_choice(true), no = GroupLayout::padding_choice(false);
  EXPECT_THAT(padded_choices(spec), ElementsAre(any, no, no, no, any, no, no,  // x has no heads
                                                0, 1, no, no, 2, 3, 4,         // y
                                                0, 1, 2, 3, any, no, no));     // z
}

}  // namespace
}  // namespace shoal
