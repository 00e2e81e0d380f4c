// Recall: distributions of cues and noise, observations and rewards by hand, the success rates of docs/recall.md.
#include "shoal/envs/recall.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/one_instance.hpp"
#include "support/uniform_play.hpp"

namespace shoal {
namespace {

using testing::Each;
using testing::ElementsAre;

using Game = OneInstance<Recall>;
using Reward = Recall::Reward;
static_assert(Environment<Recall>);
static_assert(sizeof(Recall::State) == 144);

Game begun(Recall::Params const& params, std::vector<int> const& cues) {
  Game game(params);
  game.reset();
  for (std::size_t i = 0; i < cues.size(); ++i) game.state.cue[i] = std::uint8_t(cues[i]);
  return game;
}

Ended play(Game& game, std::vector<std::int32_t> actions) {
  game.discrete = std::move(actions);
  return game.step();
}

/// All agents' observations, one after the other.
std::vector<float> observed(Game& game) {
  game.observe();
  return game.own;
}

/// Statistic of uniform counts beyond its mean, in its standard deviations.
double chi_square_excess(std::vector<double> const& counts) {
  double total = 0, chi = 0, free = double(counts.size()) - 1;
  for (double const x : counts) total += x;
  double const expected = total / double(counts.size());
  for (double const x : counts) chi += (x - expected) * (x - expected) / expected;
  return (chi - free) / std::sqrt(2 * free);
}

TEST(Recall, CuesAreUniformAndIndependentOfAgentsAndEpisodes) {
  Game game({.agents = 3, .cues = 3});
  std::vector<double> joint(27), successive(9);
  int last = 0;
  for (int episode = 0; episode < 27000; ++episode) {
    game.reset();
    auto const* cue = game.state.cue;
    ++joint[std::size_t(9 * cue[0] + 3 * cue[1] + cue[2])];
    if (episode % 2) ++successive[std::size_t(3 * last + cue[0])];
    last = cue[0];
  }
  EXPECT_LT(chi_square_excess(joint), 5);
  EXPECT_LT(chi_square_excess(successive), 5);
}

TEST(Recall, EveryAgentGetsEveryCueEquallyOften) {
  Game game({.agents = Recall::max_agents, .cues = Recall::max_cues});
  std::vector<double> all(Recall::max_agents * Recall::max_cues);
  for (int episode = 0; episode < 4000; ++episode) {
    game.reset();
    for (int i = 0; i < Recall::max_agents; ++i) ++all[std::size_t(i * Recall::max_cues + game.state.cue[i])];
  }
  EXPECT_LT(chi_square_excess(all), 5);
}

TEST(Recall, ObservesCueThenNoiseThenGo) {
  auto game = begun({.agents = 2, .cues = 3, .delay = 2}, {2, 0});
  EXPECT_THAT(observed(game), ElementsAre(0, 0, 1, 0, 0, 1, 0, 0, 0, 0));
  play(game, {0, 0});
  game.state.noise = 2;
  EXPECT_THAT(observed(game), ElementsAre(0, 0, 0, -1, 0, 0, 0, 0, 1, 0));
  play(game, {0, 0});
  EXPECT_THAT(observed(game), ElementsAre(0, 0, 0, 0, 1, 0, 0, 0, 0, 1));
  EXPECT_EQ(play(game, {0, 0}), Ended::terminated);
  EXPECT_THAT(observed(game), Each(0)) << "after the end";
}

TEST(Recall, WithoutDelayCueAndGoComeTogether) {
  auto game = begun({.agents = 2, .cues = 2, .delay = 0}, {1, 0});
  EXPECT_EQ(game.spec.max_episode_steps, 1);
  EXPECT_THAT(observed(game), ElementsAre(0, 1, 0, 1, 1, 0, 0, 1));
  EXPECT_EQ(play(game, {1, 1}), Ended::terminated);
  EXPECT_THAT(game.rewards, ElementsAre(1, 0));
}

// Sums of products: each bit alone, with the same bit of the step before, and with the next agent's.
TEST(Recall, NoiseIsFairAndIndependentOfStepsAndAgents) {
  constexpr int agents = Recall::max_agents, delay = 400, width = 4;
  Game game({.agents = agents, .cues = 2, .delay = delay});
  game.reset();
  std::vector<double> alone(agents);
  double successive = 0, neighbours = 0;
  std::vector<float> before;
  for (int t = 1; t <= delay; ++t) {
    game.step();
    auto const now = observed(game);
    for (int i = 0; i < agents; ++i) {
      double const bit = double(now[std::size_t(i * width + 2)]);
      ASSERT_EQ(std::abs(bit), t < delay ? 1 : 0);
      alone[std::size_t(i)] += bit;
      if (t > 1) successive += bit * double(before[std::size_t(i * width + 2)]);
      neighbours += bit * double(now[std::size_t((i + 1) % agents * width + 2)]);
    }
    before = now;
  }
  for (double const sum : alone) EXPECT_LT(std::abs(sum), 5 * std::sqrt(delay));
  EXPECT_LT(std::abs(successive), 5 * std::sqrt(agents * delay));
  EXPECT_LT(std::abs(neighbours), 5 * std::sqrt(agents * delay));
}

TEST(Recall, OneAnswerCountsAndThreeRewardsAreByHand) {
  auto const rewards = [](Reward reward) {
    auto game = begun({.delay = 1, .reward = reward}, {0, 1, 2, 3});
    EXPECT_EQ(play(game, {0, 1, 2, 3}), Ended::no);
    EXPECT_THAT(game.rewards, Each(0)) << "before the answer counts";
    EXPECT_EQ(play(game, {0, 2, 1, 0}), Ended::terminated);
    EXPECT_EQ(game.metric("success"), 0.25f);
    return game.rewards;
  };
  EXPECT_THAT(rewards(Reward::own), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(rewards(Reward::shared), ElementsAre(0.25f, 0.25f, 0.25f, 0.25f));
  EXPECT_THAT(rewards(Reward::mixed), ElementsAre(0.625f, 0.125f, 0.125f, 0.125f));
}

TEST(Recall, RoleAddsTheAgentsNumber) {
  auto game = begun({.agents = 6, .delay = 0, .role = true}, {3, 3, 3, 0, 0, 0});
  play(game, {3, 0, 1, 3, 0, 1});
  EXPECT_THAT(game.rewards, Each(1));
  game = begun({.agents = 6, .delay = 0, .role = true}, {3, 3, 3, 0, 0, 0});
  play(game, {3, 3, 3, 0, 0, 0});
  EXPECT_THAT(game.rewards, ElementsAre(1, 0, 0, 0, 1, 0));
}

TEST(Recall, EarlierActionsAreIgnored) {
  Game a, b;
  a.reset(), b.reset();
  for (int t = 0; t <= a.params.delay; ++t) {
    bool const last = t == a.params.delay;
    ASSERT_EQ(observed(a), observed(b)) << "step " << t;
    EXPECT_EQ(play(a, {0, 1, 2, 3}), last ? Ended::terminated : Ended::no);
    play(b, last ? std::vector{0, 1, 2, 3} : std::vector{3, 3, 0, 0});
    ASSERT_EQ(a.rewards, b.rewards) << "step " << t;
  }
  EXPECT_EQ(a.metric("success"), b.metric("success"));
}

TEST(Recall, AnswersAreForgottenInTheNextEpisode) {
  auto game = begun({.delay = 0}, {0, 0, 0, 0});
  play(game, {0, 0, 0, 0});
  EXPECT_EQ(game.metric("success"), 1);
  game.reset();
  EXPECT_EQ(game.metric("success"), 0);
}

/// Mean success when every agent answers its cue, as observed, plus `shift(agent)`.
template <class Shift>
double success_of(Recall::Params const& params, Shift shift) {
  constexpr int episodes = 50;
  Game game(params);
  double sum = 0;
  for (int episode = 0; episode < episodes; ++episode) {
    game.reset();
    auto const seen = observed(game);
    std::vector<std::int32_t> answers;
    for (int i = 0; i < params.agents; ++i) {
      auto const row = seen.begin() + i * game.spec.groups[0].observation;
      int const cue = int(std::find(row, seen.end(), 1.0f) - row);
      answers.push_back((cue + shift(i)) % params.cues);
    }
    for (int t = 0; t <= params.delay; ++t) play(game, answers);
    sum += double(game.metric("success"));
  }
  return sum / episodes;
}

TEST(Recall, WhoRemembersIsAlwaysRight) {
  EXPECT_EQ(success_of({}, [](int) { return 0; }), 1);
  EXPECT_EQ(success_of({.agents = 7, .cues = 3, .role = true}, [](int i) { return i; }), 1);
}

TEST(Recall, WithoutAnIdOneShiftOfRolesIsRight) {
  for (int shift = 0; shift < 4; ++shift)
    EXPECT_EQ(success_of({.role = true}, [&](int) { return shift; }), 0.25) << shift;
  for (int shift = 0; shift < 3; ++shift)
    EXPECT_NEAR(success_of({.agents = 5, .cues = 3, .role = true}, [&](int) { return shift; }), shift < 2 ? 0.4 : 0.2,
                1e-6)
        << shift;
}

// success is the first metric.
TEST(Recall, UniformPlaySucceedsByChance) {
  for (std::int64_t const cues : {2, 5})
    for (bool const role : {false, true}) {
      auto const [found, error] =
          uniform_team_return("recall", {{"cues", cues}, {"delay", std::int64_t(1)}, {"role", role}}, 2000);
      EXPECT_NEAR(found, 1 / double(cues), 4 * error) << cues;
      EXPECT_NEAR(error, std::sqrt(double(cues - 1) / 4 / 2000) / double(cues), 0.1 * error) << cues;
    }
}

TEST(Recall, RefusesMoreAgentsThanThereIsRoomFor) {
  EXPECT_EQ(Recall::with_agents(64), (Settings{{"agents", std::int64_t(64)}}));
  for (int const n : {0, 65}) EXPECT_THROW(Recall::with_agents(n), SettingError);
}

}  // namespace
}  // namespace shoal
