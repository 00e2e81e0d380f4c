// Agents that act by their environment's own heuristic.
#include "shoal/env/heuristic.hpp"
#include "shoal/calibrate/fit.hpp"
#include "support/errors.hpp"
#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;

TrainerConfig heuristic_run(std::string const& environment, Settings env, int instances) {
  TrainerConfig c{.environment = environment, .env = std::move(env)};
  c.policy.algorithm = Algorithm::heuristic;
  c.policy.map = PolicyMapKind::group;
  c.train = {.stages = 1, .instances = instances, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  return c;
}

double metric(StageReport const& report, std::string const& name) {
  for (auto const& m : report.metrics)
    if (m.name == name) return m.mean;
  return std::numeric_limits<double>::quiet_NaN();
}

StageReport played(TrainerConfig const& config) { return Trainer(config).run_stage(); }

TEST(Heuristic, OfTwoRolesIsAlwaysRight) {
  for (bool const disjoint : {false, true})
    EXPECT_EQ(metric(played(heuristic_run("two_role", {{"disjoint", disjoint}}, 64)), "total"), 32);
}

// 30.4 and, without urgency and sharing, 31.0 are what uniform play earns (tests/envs/pursuit_test.cpp).
TEST(Heuristic, OfPursuersCatchesEvaders) {
  for (std::string const profile : {"paper", "v5"}) {
    auto const report =
        played(heuristic_run("pursuit", {{"profile", profile}, {"urgency_reward", 0.0}, {"shared_reward", false}}, 16));
    EXPECT_GT(metric(report, "team_return"), 100) << profile;
    EXPECT_GT(metric(report, "evaders_caught"), 4) << profile;
  }
}

// A merchant and step in basis points times units: the known trade-off of hedging at h = 0.5.
TEST(Heuristic, OfMerchantsEarnsWhatIsKnown) {
  auto const report = played(heuristic_run("market", {{"terminal_unwind", false}}, 200));
  auto const per_step = [&](std::string const& what) {
    double sum = 0;
    for (int m = 1; m <= 5; ++m) sum += metric(report, "merchant_" + std::to_string(m) + "." + what);
    return 1e4 * sum / 5 / 96;
  };
  EXPECT_NEAR(per_step("spread_pnl"), 46, 0.05 * 46);
  EXPECT_NEAR(per_step("hedge_cost"), 15.8, 0.05 * 15.8);
  EXPECT_NEAR(per_step("abs_inventory_pnl"), 106, 0.05 * 106);
  auto const discrete = played(heuristic_run("market", {{"actions", std::string("discrete")}}, 50));
  EXPECT_NEAR(metric(discrete, "merchant_1.share"), 0.19, 0.03) << "levels 0.2 apart, most quotes tie at 0";
}

TEST(Heuristic, ActsTheSameOnAnyNumberOfThreads) {
  auto config = heuristic_run("pursuit", {{"max_cycles", std::int64_t(40)}}, 600);
  auto const one = played(config);
  config.train.threads = 3;
  EXPECT_EQ(figures(played(config)), figures(one));
}

using HeuristicFiles = Files;

TEST_F(HeuristicFiles, OthersLearnBesideItBitForBit) {
  auto config = heuristic_run("market", {{"merchants", std::int64_t(3)}, {"steps", std::int64_t(8)}}, 6);
  config.sections = {{"supertype_2", config.policy}};
  config.policy = {};
  config.policy.network.hidden = {1, {8}};
  config.train.stages = 4;
  Trainer whole(config), first(config), second(config);
  for (int m = 0; m < 2; ++m) whole.run_stage(), first.run_stage();
  first.save(path("checkpoint"), "configuration");
  second.load(path("checkpoint"), "configuration");
  for (int m = 0; m < 2; ++m) EXPECT_EQ(figures(second.run_stage()), figures(whole.run_stage()));
  ASSERT_EQ(whole.learners().size(), 2u);
  EXPECT_FALSE(whole.learners()[1]->learns());
  EXPECT_EQ(play_episodes(whole.frozen_game({}), 8, 1).size(0), 8);
}

std::string error_of(TrainerConfig const& config) {
  return message_of<SettingError>([&] { Trainer{config}; });
}

TEST(Heuristic, IsRefusedWhereThereIsNone) {
  EXPECT_EQ(error_of(heuristic_run("matrix_game", {}, 2)),
            "policy.algorithm = \"heuristic\": matrix_game has none; expected another algorithm, or one of the "
            "environments market, pursuit, two_role");
  auto padded = heuristic_run("two_role", {}, 2);
  padded.policy.observation.pad_groups = true;
  EXPECT_EQ(error_of(padded),
            "policy.algorithm = \"heuristic\": it acts in the space of its agents' own group; expected "
            "policy.pad_groups = false");
}

}  // namespace
}  // namespace shoal
