// MatrixGame's rules, by hand.
#include "shoal/envs/matrix_game.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/one_instance.hpp"

namespace shoal {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

using Game = OneInstance<MatrixGame>;
static_assert(Environment<MatrixGame>);
static_assert(sizeof(MatrixGame::State) == 648);
static_assert(sizeof(SmallMatrixGame::State) == 60);  // one cache line
static_assert(sizeof(SmallMatrixGame::Smaller::State) == 44);

Ended play(Game& game, std::vector<std::int32_t> actions) {
  game.discrete = std::move(actions);
  return game.step();
}

std::vector<float> observed(Game& game, int player) {
  game.observe();
  auto const width = game.spec.groups[0].observation;
  return {game.own.begin() + player * width, game.own.begin() + (player + 1) * width};
}

// 2 x 3 x 1 actions; the payoff of player i (from 1) for actions a, b is 100 i + 10 a + b.
MatrixGame::Params asymmetric() {
  MatrixGame::Params p;
  p.actions = {3, {2, 3, 1}};
  p.payoffs.count = 18;
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int i = 0; i < 3; ++i) p.payoffs.items[(a * 3 + b) * 3 + i] = float(100 * (i + 1) + 10 * a + b);
  return p;
}

TEST(MatrixGame, PrisonersDilemmaPaysTemptationRewardPunishmentSucker) {
  Game game;
  game.reset();
  play(game, {0, 0});
  EXPECT_THAT(game.rewards, ElementsAre(3, 3));
  play(game, {0, 1});
  EXPECT_THAT(game.rewards, ElementsAre(0, 5));
  play(game, {1, 0});
  EXPECT_THAT(game.rewards, ElementsAre(5, 0));
  play(game, {1, 1});
  EXPECT_THAT(game.rewards, ElementsAre(1, 1));
}

TEST(MatrixGame, PlayersMayHaveDifferentNumbersOfActions) {
  Game game(asymmetric());
  game.reset();
  play(game, {1, 2, 0});
  EXPECT_THAT(game.rewards, ElementsAre(112, 212, 312));
  play(game, {0, 1, 0});
  EXPECT_THAT(game.rewards, ElementsAre(101, 201, 301));
}

TEST(MatrixGame, MasksHideActionsThatAPlayerLacks) {
  Game game(asymmetric());
  game.reset();
  game.observe();
  EXPECT_TRUE(game.spec.groups[0].masked);
  EXPECT_THAT(game.masks, ElementsAre(1, 1, 0, 1, 1, 1, 1, 0, 0));
  EXPECT_FALSE(Game().spec.groups[0].masked);
}

TEST(MatrixGame, ActionsThatAPlayerLacksCountAsItsLast) {
  Game game(asymmetric());
  game.reset();
  play(game, {2, 0, 2});
  EXPECT_THAT(game.rewards, ElementsAre(110, 210, 310));
}

TEST(MatrixGame, ObservesNothingBeforeTheFirstRound) {
  Game game;
  game.reset();
  EXPECT_THAT(observed(game, 0), ElementsAre(0, 0, 0, 0, 0));
}

TEST(MatrixGame, ObservesItsOwnActionFirst) {
  Game game;
  game.reset();
  play(game, {0, 1});
  EXPECT_THAT(observed(game, 0), ElementsAre(1, /*own*/ 1, 0, /*other*/ 0, 1));
  EXPECT_THAT(observed(game, 1), ElementsAre(1, /*own*/ 0, 1, /*other*/ 1, 0));
}

TEST(MatrixGame, RemembersRoundsLatestFirstAndPlayersInCyclicOrder) {
  auto p = asymmetric();
  p.memory = 2;
  Game game(p);
  game.reset();
  play(game, {1, 2, 0});
  EXPECT_THAT(observed(game, 1), ElementsAreArray<float>({1, 0, 0, 1, 1, 0, 0, 0, 1, 0,  // players 2, 3, 1
                                                          0, 0, 0, 0, 0, 0, 0, 0, 0}));  // no earlier round
  play(game, {0, 1, 0});
  play(game, {1, 0, 0});
  EXPECT_THAT(observed(game, 1), ElementsAreArray<float>({1, 1, 0, 0, 1, 0, 0, 0, 1, 0,  // round 3
                                                          0, 1, 0, 1, 0, 0, 1, 0, 0}));  // round 2
}

TEST(MatrixGame, MemoryEndsWithTheEpisode) {
  Game game;
  game.reset();
  play(game, {1, 1});
  game.reset();
  EXPECT_THAT(observed(game, 0), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_EQ(game.state.payoff[0], 0);
}

TEST(MatrixGame, AltruismAddsTheMeanPayoffOfTheOthers) {
  auto p = asymmetric();
  p.altruism_1 = 0.5f;
  Game game(p);
  game.reset();
  play(game, {1, 2, 0});
  EXPECT_THAT(game.rewards,
              ElementsAre(112 + 0.5f * (212 + 312) / 2, 212 + 0.5f * (112 + 312) / 2, 312 + 0.5f * (112 + 212) / 2));
  game.observe();
  EXPECT_THAT(game.type, ElementsAre(0.5f, 0.5f, 0.5f));
}

TEST(MatrixGame, AltruismBelongsToTheSupertypeAndIsDrawnForEachPlayer) {
  auto p = asymmetric();
  p.group_1 = 1;
  p.altruism_1 = -0.25f;
  p.altruism_2 = 0.1f;
  p.altruism_sd_2 = 0.2f;
  Game game(p);
  EXPECT_THAT(game.spec.supertype_of, ElementsAre(0, 1, 1));
  game.reset();
  EXPECT_EQ(game.state.altruism[0], -0.25f);
  EXPECT_NE(game.state.altruism[1], game.state.altruism[2]);
  float const first = game.state.altruism[1];
  game.reset();
  EXPECT_NE(game.state.altruism[1], first);
}

TEST(MatrixGame, AltruismHasTheSupertypesMeanAndDeviation) {
  auto p = asymmetric();
  p.altruism_1 = 0.1f;
  p.altruism_sd_1 = 0.2f;
  Game game(p);
  double sum = 0, squares = 0;
  constexpr int n = 3 * 20000;
  for (int episode = 0; episode < n / 3; ++episode) {
    game.reset();
    for (int i = 0; i < 3; ++i)
      sum += double(game.state.altruism[i]), squares += std::pow(double(game.state.altruism[i]) - 0.1, 2);
  }
  EXPECT_NEAR(sum / n, 0.1, 4 * 0.2 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 0.04, 4 * 0.04 * std::sqrt(2.0 / n));
}

TEST(MatrixGame, EndsTruncatedAfterTheLastRound) {
  MatrixGame::Params p;
  p.rounds = 3;
  Game game(p);
  game.reset();
  EXPECT_EQ(play(game, {0, 0}), Ended::no);
  EXPECT_EQ(play(game, {0, 0}), Ended::no);
  EXPECT_EQ(play(game, {0, 0}), Ended::truncated);
}

TEST(MatrixGame, TerminatesWithOneMinusContinuation) {
  MatrixGame::Params p;
  p.continuation = 0.7f;
  p.rounds = 1 << 20;
  Game game(p);
  int ends = 0;
  constexpr int n = 100000;
  game.reset();
  for (int t = 0; t < n; ++t) {
    auto const ended = play(game, {0, 0});
    ASSERT_NE(ended, Ended::truncated);
    if (ended == Ended::terminated) ++ends, game.reset();
  }
  EXPECT_NEAR(ends, 0.3 * n, 4 * std::sqrt(n * 0.3 * 0.7));
}

TEST(MatrixGame, TerminationInTheLastRoundIsATermination) {
  MatrixGame::Params p;
  p.continuation = 0;
  p.rounds = 1;
  Game game(p);
  game.reset();
  EXPECT_EQ(play(game, {0, 0}), Ended::terminated);
}

TEST(MatrixGame, MetricsArePayoffARoundActionFrequenciesAndWelfare) {
  Game game;
  game.reset();
  play(game, {0, 0});
  play(game, {1, 0});
  play(game, {1, 0});
  play(game, {1, 1});
  EXPECT_EQ(game.metric("player_1.payoff"), (3 + 5 + 5 + 1) / 4.0f);
  EXPECT_EQ(game.metric("player_2.payoff"), (3 + 0 + 0 + 1) / 4.0f);
  EXPECT_EQ(game.metric("player_1.action_1"), 0.25f);
  EXPECT_EQ(game.metric("player_1.action_2"), 0.75f);
  EXPECT_EQ(game.metric("player_2.action_1"), 0.75f);
  EXPECT_EQ(game.metric("welfare"), (14 + 4) / 8.0f);
}

template <class Smaller>
void expect_that_room_does_not_show(MatrixGame::Params p) {
  p.continuation = 0.9f;
  p.altruism_1 = 0.2f, p.altruism_sd_1 = 0.5f;
  p.rounds = 10;
  for (int const memory : {0, 1}) {
    p.memory = memory;
    OneInstance<MatrixGame> large(p, 3);
    OneInstance<Smaller> small(p, 3);
    for (int episode = 0; episode < 3; ++episode) {
      large.reset(), small.reset();
      Ended ended = Ended::no;
      for (std::uint32_t t = 0; t < 10 && ended == Ended::no; ++t) {
        for (std::uint32_t i = 0; i < 2; ++i)
          large.discrete[i] = small.discrete[i] =
              int(Random{8, 0, std::uint32_t(episode), t}.draw(Purpose::test, i).unit(0) * float(p.actions.items[0]));
        ended = large.step();
        ASSERT_EQ(ended, small.step());
        ASSERT_EQ(large.rewards, small.rewards) << "round " << t;
        large.observe(), small.observe();
        ASSERT_EQ(large.own, small.own) << "round " << t;
      }
      for (auto const& name : large.spec.metrics) EXPECT_EQ(large.metric(name), small.metric(name)) << name;
    }
  }
}

// Room for more players, actions and rounds than there are does not show in a trajectory.
TEST(MatrixGame, RoomDoesNotShow) {
  MatrixGame::Params p;
  expect_that_room_does_not_show<SmallMatrixGame>(p);
  expect_that_room_does_not_show<SmallMatrixGame::Smaller>(p);
  p.actions = {2, {3, 2}};
  p.payoffs = {12, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  expect_that_room_does_not_show<SmallMatrixGame>(p);
}

TEST(MatrixGame, RoomForTwoActionsIsForExactlyTwo) {
  MatrixGame::Params p;
  MatrixGame::prepare(p);
  EXPECT_TRUE(SmallMatrixGame::Smaller::fits(p));
  p.actions = {2, {1, 1}};
  p.payoffs = {2, {3, 4}};
  MatrixGame::prepare(p);
  EXPECT_FALSE(SmallMatrixGame::Smaller::fits(p));
  EXPECT_TRUE(SmallMatrixGame::fits(p));
}

}  // namespace
}  // namespace shoal
