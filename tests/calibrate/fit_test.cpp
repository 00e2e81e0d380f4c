#include "shoal/calibrate/fit.hpp"

#include <algorithm>

#include "support/frozen_games.hpp"

namespace shoal {
namespace {

using namespace test;

std::int64_t metric(Fixture const& fixture, std::string const& name) {
  auto const names = fixture.simulator(1, 0)->metric_names();
  return std::find(names.begin(), names.end(), name) - names.begin();
}

// ---- Episodes -------------------------------------------------------------------------------------------------------

TEST(PlayEpisodes, MetricsOfPureStrategiesAreKnown) {
  for (auto const& [action, payoff] : {std::pair{0, 3.0}, {1, 1.0}}) {
    auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(4)}});
    always(*fixture.policies[0], action);
    auto const metrics = play_episodes(fixture.game(), 5, 1);
    auto const column = [&](char const* name) { return metrics.select(1, metric(fixture, name)); };
    EXPECT_LT(distance(column("player_1.payoff"), at::full({5}, payoff)), 1e-6);
    EXPECT_LT(distance(column("player_2.action_1"), at::full({5}, 1.0 - action)), 1e-6);
    EXPECT_LT(distance(column("supertype_1.return"), at::full({5}, 4 * payoff)), 1e-5);
    EXPECT_LT(distance(column("episode_length"), at::full({5}, 4.0)), 1e-6);
  }
}

/// With types, random ends and indifferent policies: no two episodes are the same.
Fixture random_game() {
  return matrix_game(dilemma, {{"rounds", std::int64_t(20)}, {"continuation", 0.9}, {"altruism_sd_1", 0.5}});
}

TEST(PlayEpisodes, AreAFunctionOfTheSeed) {
  std::vector<Fixture> games;
  games.push_back(random_game());
  games.push_back({"market", {{"steps", std::int64_t(3)}}, {{0}, {1, 2, 3, 4}}});
  for (auto const& fixture : games) {
    auto const metrics = play_episodes(fixture.game(), 6, 1);
    EXPECT_TRUE(at::equal(metrics, play_episodes(fixture.game(), 6, 1))) << fixture.environment;
    auto const other = play_episodes(fixture.game(), 6, 2);
    for (int i = 0; i < 6; ++i) {
      EXPECT_FALSE(at::equal(metrics[i], other[i])) << fixture.environment << ", " << i;
      for (int j = 0; j < i; ++j) EXPECT_FALSE(at::equal(metrics[i], metrics[j])) << fixture.environment << ", " << i;
    }
  }
}

// More than are played at once: the second part is not the first once more.
TEST(PlayEpisodes, ThereAreAsManyAsAskedFor) {
  auto const fixture = random_game();
  auto const width = std::int64_t(fixture.simulator(1, 0)->metric_names().size());
  EXPECT_EQ(play_episodes(fixture.game(), 1, 1).size(0), 1);
  auto const many = play_episodes(fixture.game(), 1030, 1);
  ASSERT_EQ(many.size(0), 1030);
  ASSERT_EQ(many.size(1), width);
  EXPECT_TRUE(at::isfinite(many).all().item<bool>());
  for (int i = 0; i < 6; ++i) EXPECT_FALSE(at::equal(many[i], many[1024 + i])) << i;
}

TEST(PlayEpisodes, TakeTheGivenProfilesInTurn) {
  auto fixture = matrix_game(dilemma);  // altruism w: a cooperator earns 3 + 3 w
  always(*fixture.policies[0], 0);
  fixture.supertypes = at::tensor({0.0f, 0.0f, 1.0f, 0.0f}).view({2, 1, 2});
  auto const returns = play_episodes(fixture.game(), 4, 1).select(1, metric(fixture, "supertype_1.return"));
  EXPECT_LT(distance(returns, at::tensor({3.0, 6.0, 3.0, 6.0})), 1e-6);
}

TEST(PlayEpisodes, LeaveThePoliciesAsTheyAre) {
  auto const fixture = random_game();
  auto const before = fixture.policies[0]->network().parameters().clone();
  play_episodes(fixture.game(), 4, 1);
  EXPECT_TRUE(at::equal(fixture.policies[0]->network().parameters(), before));
}

// ---- Estimates ------------------------------------------------------------------------------------------------------

TEST(Estimate, ByHand) {
  auto const x = estimate(at::tensor({1.0, 2.0, 3.0, 6.0}, at::kDouble));
  double const error = 1.959964 * std::sqrt((4 + 1 + 0 + 9) / 3.0) / 2;
  EXPECT_DOUBLE_EQ(x.mean, 3);
  EXPECT_NEAR(x.low, 3 - error, 1e-12);
  EXPECT_NEAR(x.high, 3 + error, 1e-12);
  auto const same = estimate(at::full({5}, 0.25, at::kDouble));
  EXPECT_EQ(same.low, 0.25);
  EXPECT_EQ(same.high, 0.25);
}

// As in CalibrationReward.ByHand: the three episodes' r_cal are 1, 0.5, and 0.25 / 3 + 0.75 = 5 / 6.
TEST(Fit, ByHand) {
  auto const targets = resolve_targets({{{"a"}, {1}, 1, 0.5}, {{"c"}, {-2}, 3, 2}}, {"a", "b", "c"});
  auto const metrics = at::tensor({1.0f, 99.0f, -2.0f, 1.5f, 99.0f, 0.0f, 0.0f, 99.0f, -2.0f}).view({3, 3});
  auto const fit = fit_of(targets, make_goal(targets, at::kCPU), metrics);
  auto const expect = [](Estimate const& x, double mean, double variance) {
    double const error = 1.959964 * std::sqrt(variance / 3);
    EXPECT_NEAR(x.mean, mean, 1e-6);
    EXPECT_NEAR(x.low, mean - error, 1e-6);
    EXPECT_NEAR(x.high, mean + error, 1e-6);
  };
  EXPECT_EQ(fit.episodes, 3);
  double const mean = 7.0 / 9;
  expect(fit.r_cal, mean, (std::pow(1 - mean, 2) + std::pow(0.5 - mean, 2) + std::pow(5.0 / 6 - mean, 2)) / 2);
  ASSERT_EQ(fit.targets.size(), 2u);
  EXPECT_EQ(fit.targets[0].name, "a");
  EXPECT_EQ(fit.targets[0].target, 1);
  expect(fit.targets[0].value, 2.5 / 3,
         (std::pow(1 - 2.5 / 3, 2) + std::pow(1.5 - 2.5 / 3, 2) + std::pow(2.5 / 3, 2)) / 2);
  EXPECT_EQ(fit.targets[1].name, "c");
  EXPECT_EQ(fit.targets[1].target, -2);
  expect(fit.targets[1].value, -4.0 / 3, (2 * std::pow(2.0 / 3, 2) + std::pow(4.0 / 3, 2)) / 2);
}

TEST(Fit, OfAGameWhoseAnswerIsKnown) {
  auto const fixture = matrix_game(dilemma);
  always(*fixture.policies[0], 0);
  auto const names = fixture.simulator(1, 0)->metric_names();
  auto const targets = resolve_targets({{{"player_1.payoff"}, {4}, 1, 1}}, names);
  auto const fit = fit_of(targets, make_goal(targets, at::kCPU), play_episodes(fixture.game(), 8, 1));
  EXPECT_EQ(fit.episodes, 8);
  EXPECT_DOUBLE_EQ(fit.r_cal.mean, 0.5);  // 3, one scale below the target
  EXPECT_DOUBLE_EQ(fit.r_cal.low, 0.5);
  EXPECT_DOUBLE_EQ(fit.targets[0].value.high, 3);
}

}  // namespace
}  // namespace shoal
