// The global state behind observations, which critics see (ObservationOptions::central_critic).
#include "shoal/env/cpu_simulator.hpp"
#include "support/driver.hpp"
#include "support/errors.hpp"

namespace shoal {
namespace {

using test::input_error;

SimulatorOptions central(int instances, std::string team = "serial") {
  SimulatorOptions options{.instances = instances, .seed = 3, .team = std::move(team)};
  options.observation.central_critic = true;
  return options;
}

/// The environments that have one, and settings that end episodes soon.
std::vector<std::pair<std::string, Settings>> const games = {
    {"switch", {{"max_steps", std::int64_t(7)}, {"n_agents", std::int64_t(3)}}},
    {"checkers", {{"max_steps", std::int64_t(9)}}},
    {"pursuit", {{"max_cycles", std::int64_t(6)}, {"n_evaders", std::int64_t(3)}}}};

TEST(GlobalState, OfEveryEnvironmentThatHasOneIsTested) {
  std::size_t count = 0;
  for (auto const& info : environments()) count += info.spec.state > 0;
  EXPECT_EQ(count, games.size());
}

TEST(GlobalState, DoesNotDependOnTheOrderOfLanes) {
  for (auto const& [name, params] : games) {
    Driver serial(name, params, central(3)), scrambled(name, params, central(3, "scrambled:7"));
    serial.reset(), scrambled.reset();
    serial.steps(20), scrambled.steps(20);
    EXPECT_EQ(serial.hashes(), scrambled.hashes()) << name;
  }
}

TEST(GlobalState, OfSwitchSaysWhereAllAreAndHowLateItIs) {
  Driver game("switch", {{"max_steps", std::int64_t(4)}}, central(1));
  game.reset();
  auto const state = [&](View<float, 3> rows, int agent) {
    std::vector<float> values;
    for (int k = 2; k < 2 + 7; ++k) values.push_back(rows(0, agent, k));
    return values;
  };
  EXPECT_EQ(state(game.out.observations, 1), (std::vector<float>{0, 1 / 6.0f, 0, 0, 5 / 6.0f, 0, 0}));
  for (int t = 0; t < 4; ++t) game.step();
  EXPECT_EQ(state(game.out.final_observations, 0).back(), 1) << "the state in which the episode was cut";
  EXPECT_EQ(state(game.out.observations, 0).back(), 0) << "the next episode's";
}

TEST(GlobalState, IsRefusedWhereThereIsNone) {
  EXPECT_EQ(input_error([] { make_simulator("recall", {}, central(1)); }),
            "central_critic = true: the environment has no global state; expected false");
}

}  // namespace
}  // namespace shoal
