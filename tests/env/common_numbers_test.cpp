// Instances that share their random numbers (SimulatorOptions::common) differ by what they do and by their supertypes.
#include <gtest/gtest.h>

#include <set>

#include "support/driver.hpp"

namespace shoal {
namespace {

using Trajectory = std::vector<float>;

/// What every instance shows over 12 steps in which all act as the first instance of a simulator that stays the same.
std::vector<Trajectory> trajectories(Variant const& v, SimulatorOptions options, float change_of_odd_supertypes = 0) {
  options.seed = 5;
  Driver actor(v.environment, v.params, {.seed = 7}), d(v.environment, v.params, options);
  auto const supertypes = d->supertypes();
  for (int i = 1; i < d.instances; i += 2)
    for (int s = 0; s < supertypes.extents[1]; ++s)
      for (int c = 0; c < supertypes.extents[2]; ++c) supertypes(i, s, c) += change_of_odd_supertypes;
  actor.reset();
  d.reset();
  std::vector<Trajectory> shown;
  for (int i = 0; i < d.instances; ++i) shown.push_back(d.observation(i));
  for (int t = 0; t < 12; ++t) {
    actor.step();
    for (int i = 0; i < d.instances; ++i)
      for (int a = 0; a < d.agents; ++a) {
        for (std::size_t h = 0; h < d.group().continuous.size(); ++h) d.continuous(i, a, h) = actor.continuous(0, a, h);
        for (std::size_t h = 0; h < d.group().discrete.size(); ++h) d.discrete(i, a, h) = actor.discrete(0, a, h);
      }
    d->step(d.in, d.out);
    for (int i = 0; i < d.instances; ++i) {
      auto& all = shown[std::size_t(i)];
      for (float const x : d.observation(i)) all.push_back(x);
      for (int a = 0; a < d.agents; ++a) all.push_back(d.out.rewards(i, a));
      all.push_back(d.ended(i) ? 1 : 0);
    }
  }
  return shown;
}

std::size_t distinct(std::vector<Trajectory> const& all) { return std::set<Trajectory>(all.begin(), all.end()).size(); }

/// Games in which chance plays a part.
std::vector<Variant> games_of_chance() {
  return {{"market", "market", {}}, {"matrix_game", "matrix_game", {{"altruism_sd_1", 0.5}}}};
}

class CommonNumbersAnywhere : public testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(All, CommonNumbersAnywhere, testing::ValuesIn(all_variants()),
                         [](auto const& test) { return test.param.name; });

TEST_P(CommonNumbersAnywhere, InstancesOfAGroupThatActAlikeAreOneTrajectory) {
  auto const pairs = trajectories(GetParam(), {.instances = 6, .common = 2});
  for (std::size_t i = 0; i < 6; i += 2) EXPECT_EQ(pairs[i], pairs[i + 1]) << i;
  auto const triples = trajectories(GetParam(), {.instances = 6, .common = 3});
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(triples[i], triples[i - i % 3]) << i;
}

TEST_P(CommonNumbersAnywhere, ThreadsAndLanesDoNotShow) {
  auto const one = trajectories(GetParam(), {.instances = 6, .common = 2});
  EXPECT_EQ(trajectories(GetParam(), {.instances = 6, .common = 2, .threads = 3}), one);
  EXPECT_EQ(trajectories(GetParam(), {.instances = 6, .common = 2, .team = "scrambled:7"}), one);
}

TEST(CommonNumbers, GroupsDiffer) {
  for (auto const& game : games_of_chance()) {
    EXPECT_EQ(distinct(trajectories(game, {.instances = 6, .common = 2})), 3u) << game.name;
    EXPECT_EQ(distinct(trajectories(game, {.instances = 6, .common = 6})), 1u) << game.name;
    EXPECT_EQ(distinct(trajectories(game, {.instances = 6})), 6u) << game.name << ", by default each draws its own";
  }
}

// Group g draws what instance g would alone.
TEST(CommonNumbers, AreThoseOfTheGroupsNumber) {
  for (auto const& game : games_of_chance()) {
    auto const alone = trajectories(game, {.instances = 4});
    auto const pairs = trajectories(game, {.instances = 8, .common = 2});
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(pairs[i], alone[i / 2]) << game.name << ", " << i;
    EXPECT_EQ(trajectories(game, {.instances = 4, .common = 1}), alone) << game.name;
  }
}

// A range of a distributed run may begin within a group.
TEST(CommonNumbers, GroupsAreCountedFromTheFirstInstanceOfAll) {
  for (auto const& game : games_of_chance()) {
    auto const whole = trajectories(game, {.instances = 8, .common = 2});
    auto const part = trajectories(game, {.instances = 3, .first_instance = 3, .common = 2});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(part[i], whole[3 + i]) << game.name << ", " << i;
    EXPECT_NE(part[0], part[1]) << game.name << ": instances 3 and 4 are of two groups";
    EXPECT_EQ(part[1], part[2]) << game.name;
  }
}

// Otherwise nothing could be learned from a pair.
TEST(CommonNumbers, SupertypesStillTellInstancesOfAGroupApart) {
  for (auto const& game : games_of_chance())
    EXPECT_EQ(distinct(trajectories(game, {.instances = 6, .common = 2}, 0.05f)), 6u) << game.name;
}

}  // namespace
}  // namespace shoal
