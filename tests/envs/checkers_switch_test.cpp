// Checkers and Switch against episodes of ma-gym (fixtures/checkers_switch.json), profile old by its rules, and the
// best returns.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/envs/checkers.hpp"
#include "shoal/envs/switch.hpp"
#include "support/one_instance.hpp"
#include "support/uniform_play.hpp"

namespace shoal {
namespace {

using Json = nlohmann::json;

Json const& episodes() {
  static auto const all = [] {
    std::ifstream file(std::string(SHOAL_SOURCE_DIR) + "/tests/envs/fixtures/checkers_switch.json");
    return Json::parse(file);
  }();
  return all;
}

template <class Env>
void expect_observed(OneInstance<Env>& game, Json const& expected) {
  game.observe();
  std::size_t at = 0;
  for (auto const& row : expected)
    for (auto const& x : row) EXPECT_NEAR(game.own[at++], x.get<double>(), 1e-7) << "place " << at - 1;
  EXPECT_EQ(at, game.own.size());
}

template <class Env>
void replay(Json const& episode, typename Env::Params const& params) {
  OneInstance<Env> game(params);
  game.reset();
  if (episode.contains("obs0")) expect_observed(game, episode["obs0"]);
  int number = 0;
  double total = 0;
  for (auto const& step : episode["steps"]) {
    SCOPED_TRACE(testing::Message() << "step " << ++number);
    for (int i = 0; i < game.spec.agents(); ++i) game.discrete[std::size_t(i)] = step["a"][i];
    bool const all_done = std::all_of(step["done"].begin(), step["done"].end(), [](bool done) { return done; });
    EXPECT_EQ(game.step() != Ended::no, all_done);
    for (int i = 0; i < game.spec.agents(); ++i) {
      EXPECT_NEAR(game.rewards[std::size_t(i)], step["r"][i].get<double>(), 1e-6);
      EXPECT_EQ((Json{game.state.y[i], game.state.x[i]}), step["pos"][i]);
      total += game.rewards[std::size_t(i)];
    }
    if (step.contains("obs")) expect_observed(game, step["obs"]);
  }
  if (episode.contains("total")) {
    EXPECT_NEAR(total, episode["total"].get<double>(), 1e-5);
  }
}

TEST(Checkers, PlaysAsTheOriginal) {
  replay<Checkers>(episodes()["Checkers-v0"], {});
  replay<Checkers>(episodes()["Checkers-v3"], {.clock = true, .full = true});
}

TEST(Switch, PlaysAsTheOriginal) {
  replay<Switch>(episodes()["Switch2-v0"], {});
  replay<Switch>(episodes()["Switch4-v2"], {.n_agents = 4, .clock = true});
  replay<Switch>(episodes()["Switch2-v0_scripted"], {});
}

TEST(CheckersOld, ObservesCodesAndPaysFive) {
  OneInstance<Checkers> game({.profile = Checkers::Profile::old});
  game.reset();
  expect_observed(game, Json{{0, 0.86, 0, 0, 0, 1, 3, 0, 2, 0, 0}, {0.67, 0.86, 2, 0, 0, 1, 3, 0, 0, 0, 0}});
  game.discrete = {1, 4};
  game.step();
  EXPECT_FLOAT_EQ(game.rewards[0], -5.01f);
  EXPECT_EQ(game.metric("lemons_left"), 8);
}

void act(Driver& d, int first, int second) {
  d.discrete(0, 0, 0) = first, d.discrete(0, 1, 0) = second;
  d->step(d.in, d.out);
}

// The first agent goes to its goal, where the original marks it done; the second stays where it is.
TEST(Switch, WhoHasArrivedIsDead) {
  Driver d("switch", {{"max_steps", std::int64_t(9)}}, {});
  d.reset();
  for (int const move : {0, 3, 3, 3, 3, 3}) act(d, move, 4);
  EXPECT_EQ(d.out.alive(0, 0), 1);
  act(d, 2, 4);
  EXPECT_EQ(d.out.rewards(0, 0), 5);
  EXPECT_EQ(d.out.ended(0, 0), 1);
  EXPECT_EQ(d.out.ended(0, 1), 0);
  EXPECT_EQ(d.out.alive(0, 0), 0);
  EXPECT_EQ(d.out.alive(0, 1), 1);
  EXPECT_EQ(d.observation(0), (std::vector<float>{0, 0, 0, 0.83f}));
  act(d, 2, 4);
  EXPECT_EQ(d.out.rewards(0, 0), 0);
  EXPECT_EQ(d.out.ended(0, 0), 0);
  act(d, 2, 4);
  EXPECT_EQ(d.out.ended(0, 0), 3);
  EXPECT_EQ(d.out.ended(0, 1), 2);
  EXPECT_EQ(d.final_observation(0), (std::vector<float>{0, 0, 0, 0.83f}));
  EXPECT_EQ(d.out.alive(0, 0), 1) << "of the next episode";
}

TEST(SwitchOld, WhoHasArrivedPaysOnAndLives) {
  Driver d("switch", {{"profile", std::string("old")}}, {});
  d.reset();
  for (int const move : {0, 3, 3, 3, 3, 3, 2}) act(d, move, 4);
  EXPECT_EQ(d.out.rewards(0, 0), 5);
  EXPECT_EQ(d.out.ended(0, 0), 0);
  EXPECT_EQ(d.out.alive(0, 0), 1);
  act(d, 4, 4);
  EXPECT_EQ(d.out.rewards(0, 0), -0.1f);
}

TEST(SwitchOld, MissingAgentsBlockTheirStartsAndAllPayUntilTheEnd) {
  OneInstance<Switch> game({.profile = Switch::Profile::old});
  game.reset();
  game.discrete = {0, 4};
  game.step();
  EXPECT_EQ(game.state.y[0], 1);
  game.step();
  EXPECT_EQ(game.state.y[0], 1) << "row 2, column 1 is the start of agent 2, who is not there";
  for (int i = 0; i < 5; ++i) game.discrete = {3, 4}, game.step();
  game.discrete = {2, 4}, game.step();
  EXPECT_EQ(game.rewards[0], 5);
  game.step();
  EXPECT_EQ(game.rewards[0], -0.1f);
  EXPECT_EQ(game.metric("arrived"), 1);
}

/// The best team return from here on, by search over joint states.
double best_return(OneInstance<Switch> game, std::map<std::uint64_t, double>& known) {
  std::uint64_t const key = std::uint64_t(game.state.step) << 40 | std::uint64_t(game.state.arrived) << 32 |
                            std::uint64_t(game.state.y[0] * 7 + game.state.x[0]) << 8 |
                            std::uint64_t(game.state.y[1] * 7 + game.state.x[1]);
  if (auto const it = known.find(key); it != known.end()) return it->second;
  double best = -1e9;
  for (int joint = 0; joint < 25; ++joint) {
    auto next = game;
    next.discrete = {joint / 5, joint % 5};
    auto const ended = next.step();
    double const now = double(next.rewards[0]) + double(next.rewards[1]);
    best = std::max(best, ended == Ended::no ? now + best_return(next, known) : now);
  }
  return known[key] = best;
}

TEST(SwitchSlow, BestReturnsAreThoseOfExactSearch) {
  for (auto const& [profile, best] : {std::pair{Switch::Profile::latest, 8.3}, {Switch::Profile::old, 7.8}}) {
    OneInstance<Switch> game({.profile = profile, .max_steps = 16});
    game.reset();
    std::map<std::uint64_t, double> known;
    EXPECT_NEAR(best_return(game, known), best, 1e-5);
  }
}

// Measured with the originals. Of episodes that end early, an instance's mean has more: a weak bias, within what is
// allowed here.
TEST(CheckersSwitchSlow, UniformPlayEarnsWhatItEarnsInTheOriginals) {
  auto const expect = [](std::string const& environment, Settings const& params, double mean, double allowed) {
    auto const [found, error] = uniform_team_return(environment, params, 20000);
    EXPECT_NEAR(found, mean, allowed + 3 * error) << environment;
  };
  auto const old = std::string("old");
  expect("checkers", {}, -2.184, 0.3);
  expect("checkers", {{"profile", old}}, -1.967, 0.2);
  expect("switch", {}, -9.094, 0.1);
  expect("switch", {{"n_agents", std::int64_t(4)}}, -19.073, 0.1);
  expect("switch", {{"profile", old}}, -9.223, 0.02);
  expect("switch", {{"profile", old}, {"n_agents", std::int64_t(4)}}, -19.249, 0.02);
}

}  // namespace
}  // namespace shoal
