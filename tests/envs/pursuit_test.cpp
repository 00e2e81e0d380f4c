// Pursuit against episodes of PettingZoo's pursuit_v4 (fixtures/pursuit_v5.json), and the paper profile by its rules.
#include "shoal/envs/pursuit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/one_instance.hpp"
#include "support/uniform_play.hpp"

namespace shoal {
namespace {

using Json = nlohmann::json;
using Instance = OneInstance<Pursuit>;

Pursuit::Params with(Pursuit::Profile profile) {
  Pursuit::Params p;
  p.profile = profile;
  Pursuit::preset(p);
  return p;
}

void place_pursuer(Instance& game, int i, int x, int y) {
  game.state.pursuer_x[i] = std::uint8_t(x), game.state.pursuer_y[i] = std::uint8_t(y);
}
void place_evader(Instance& game, int e, int x, int y) {
  game.state.evader_x[e] = std::uint8_t(x), game.state.evader_y[e] = std::uint8_t(y);
}

/// A cycle in which the evaders that are left after captures (v5) or at its start (paper) act as told, in order.
Ended cycle(Instance& game, std::vector<int> const& pursuers, std::vector<int> const& evaders) {
  std::copy(pursuers.begin(), pursuers.end(), game.discrete.begin());
  auto const n = game.spec.agents();
  Actions const actions{{}, view<std::int32_t const>(game.discrete.data(), n, 1)};
  return Pursuit::cycle(SerialTeam{}, game.params, game.state, game.scratch, actions, view(game.rewards.data(), n),
                        [&](int e) {
                          auto const before = game.state.at_large & ((std::uint64_t(1) << e) - 1);
                          return evaders[std::size_t(__builtin_popcountll(before))];
                        });
}

std::vector<float> flat(Json const& rows) {
  std::vector<float> values;
  for (auto const& row : rows)
    for (auto const& cell : row)
      for (auto const& x : cell) values.push_back(x.get<float>());
  return values;
}

std::vector<float> observation(Instance& game, int i) {
  game.observe();
  auto const width = std::size_t(game.spec.groups[0].observation);
  auto const begin = game.own.begin() + std::ptrdiff_t(width * std::size_t(i));
  return {begin, begin + std::ptrdiff_t(width)};
}

void replay(Json const& episode) {
  auto params = with(Pursuit::Profile::v5);
  params.shared_reward = episode["shared_reward"];
  params.urgency_reward = episode["urgency_reward"];
  Instance game(params);
  game.reset();
  for (int i = 0; i < 8; ++i) place_pursuer(game, i, episode["pursuers0"][i][0], episode["pursuers0"][i][1]);
  for (int e = 0; e < 30; ++e) place_evader(game, e, episode["evaders0"][e][0], episode["evaders0"][e][1]);
  if (episode.contains("obs0_pursuer0")) {
    EXPECT_EQ(observation(game, 0), flat(episode["obs0_pursuer0"]));
  }
  int number = 0;
  for (auto const& step : episode["steps"]) {
    SCOPED_TRACE(testing::Message() << "cycle " << ++number);
    cycle(game, step["pa"], step["ea"]);
    for (int i = 0; i < 8; ++i) {
      EXPECT_NEAR(game.rewards[std::size_t(i)], step["r"][i].get<double>(), 2e-6) << "pursuer " << i;
      EXPECT_EQ((Json{game.state.pursuer_x[i], game.state.pursuer_y[i]}), step["pp"][i]) << "pursuer " << i;
    }
    std::size_t left = 0;
    for (int e = 0; e < 30; ++e)
      if (game.state.at_large >> e & 1) {
        EXPECT_EQ((Json{game.state.evader_x[e], game.state.evader_y[e]}), step["ep"][left++]) << "evader " << e;
      }
    ASSERT_EQ(left, step["ep"].size());
  }
  for (int k = 0; k < 3; ++k)
    EXPECT_EQ(observation(game, std::array{0, 3, 7}[std::size_t(k)]), flat(episode["obs_end"][k]));
}

TEST(PursuitV5, PlaysAsTheOriginal) {
  auto const* const given = std::getenv("SHOAL_PURSUIT_EPISODES");  // of tests/envs/fixtures/record_pursuit.py
  std::string const path = given ? given : std::string(SHOAL_SOURCE_DIR) + "/tests/envs/fixtures/pursuit_v5.json";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  auto const episodes = Json::parse(file);
  for (auto const& [name, episode] : episodes.items()) {
    SCOPED_TRACE(name);
    replay(episode);
  }
}

TEST(PursuitV5, TheTimeLimitTruncatesAndCaptureOfAllTerminates) {
  auto params = with(Pursuit::Profile::v5);
  params.n_evaders = 1, params.max_cycles = 3;
  Instance game(params);
  game.reset();
  for (int i = 0; i < 8; ++i) place_pursuer(game, i, 15, 15);
  place_evader(game, 0, 0, 0);
  std::vector<int> const stay(8, 4);
  EXPECT_EQ(cycle(game, stay, {4}), Ended::no);
  EXPECT_EQ(cycle(game, stay, {4}), Ended::no);
  EXPECT_EQ(cycle(game, stay, {4}), Ended::truncated);
  game.reset();
  place_evader(game, 0, 0, 0), place_pursuer(game, 0, 1, 0), place_pursuer(game, 1, 0, 1);
  EXPECT_EQ(cycle(game, stay, {4}), Ended::terminated);
  EXPECT_EQ(game.metric("evaders_caught"), 1);
}

TEST(PursuitV5, OneSideBeginsApart) {
  Instance game(with(Pursuit::Profile::v5));
  for (int episode = 0; episode < 50; ++episode) {
    game.reset();
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < i; ++j)
        EXPECT_GT(std::abs(game.state.pursuer_x[i] - game.state.pursuer_x[j]) +
                      std::abs(game.state.pursuer_y[i] - game.state.pursuer_y[j]),
                  1);
  }
}

// Two pursuers take the corner. The captured evader is still seen in this cycle, and in the next one no more.
TEST(PursuitPaper, ACapturedEvaderIsSeenOnceMore) {
  auto params = with(Pursuit::Profile::paper);
  params.n_evaders = 2;
  Instance game(params);
  game.reset();
  for (int i = 0; i < 8; ++i) place_pursuer(game, i, 15, 15);
  place_pursuer(game, 0, 1, 0), place_pursuer(game, 1, 0, 1);
  place_evader(game, 0, 0, 0), place_evader(game, 1, 14, 1);
  std::vector<int> const stay(8, 4);
  EXPECT_EQ(cycle(game, stay, {0, 4}), Ended::no);
  EXPECT_FLOAT_EQ(game.rewards[0], 5.01f);
  EXPECT_FLOAT_EQ(game.rewards[1], 5.01f);
  EXPECT_EQ(game.rewards[2], 0);
  auto const at = std::size_t(2 * 49 + 2 * 7 + 3);  // channel 2, cell (2, 3) of the window
  EXPECT_EQ(observation(game, 0)[at], 0.1f);
  EXPECT_EQ(observation(game, 1)[3 * 49], 1.0f / 8) << "the index";
  cycle(game, stay, {4});
  EXPECT_EQ(observation(game, 0)[at], 0);
  EXPECT_EQ(game.rewards[0], 0);
}

// Outside the grid a window's cell shows what it showed last, in an earlier episode too.
TEST(PursuitPaper, CellsOutsideKeepWhatTheyShowed) {
  for (bool const stale : {true, false}) {
    auto params = with(Pursuit::Profile::paper);
    params.n_evaders = 1, params.n_pursuers = 1, params.stale = stale;
    Instance game(params);
    game.reset();
    place_pursuer(game, 0, 4, 0), place_evader(game, 0, 1, 0);
    cycle(game, {0}, {4});  // pursuer to (3, 0): the evader is 2 to the left
    auto const two_left = std::size_t(2 * 49 + 1 * 7 + 3);
    EXPECT_EQ(observation(game, 0)[two_left], 0.1f);
    place_pursuer(game, 0, 2, 0), place_evader(game, 0, 9, 0);
    cycle(game, {0}, {4});  // to (1, 0): what is 2 to the left lies outside
    EXPECT_EQ(observation(game, 0)[two_left], stale ? 0.1f : 0.0f);
    EXPECT_EQ(observation(game, 0)[1 * 7 + 3], 0.1f) << "outside looks like a wall";
    game.reset();
    place_pursuer(game, 0, 2, 0), place_evader(game, 0, 9, 0);
    cycle(game, {0}, {4});
    EXPECT_EQ(observation(game, 0)[two_left], 0) << "the reset has shown the cell";
  }
}

TEST(PursuitPaper, TheTimeLimitTerminatesACycleLate) {
  auto params = with(Pursuit::Profile::paper);
  params.max_cycles = 2;
  Instance game(params);
  game.reset();
  std::vector<int> const stay(8, 4), evaders(30, 4);
  EXPECT_EQ(cycle(game, stay, evaders), Ended::no);
  EXPECT_EQ(cycle(game, stay, evaders), Ended::no);
  EXPECT_EQ(cycle(game, stay, evaders), Ended::terminated);
  EXPECT_EQ(game.spec.max_episode_steps, 3);
}

// Measured with the originals: paper 30.4 +- 0.9, v5 without urgency and sharing 31.01 +- 0.85, v5 -368.7 +- 0.9.
TEST(PursuitSlow, UniformPlayEarnsWhatItEarnsInTheOriginals) {
  auto const near = [](std::pair<double, double> const& found, double mean, double error) {
    EXPECT_NEAR(found.first, mean, 3 * std::hypot(found.second, error));
  };
  near(uniform_team_return("pursuit", {{"profile", std::string("paper")}}, 200), 30.4, 0.9);
  near(uniform_team_return("pursuit", {{"urgency_reward", 0.0}, {"shared_reward", false}}, 200), 31.01, 0.85);
  near(uniform_team_return("pursuit", {}, 200), -368.7, 0.9);
}

TEST(PursuitErrors, NameKeyAndValue) {
  auto params = with(Pursuit::Profile::v5);
  params.obs_range = 4;
  try {
    Pursuit::prepare(params);
    FAIL();
  } catch (SettingError const& error) {
    EXPECT_STREQ(error.what(), "obs_range = 4: expected an odd number");
  }
}

}  // namespace
}  // namespace shoal
