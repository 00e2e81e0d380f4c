// Small games whose equilibria are known on paper, learned to the end. Each run takes seconds: hence Slow. All on one
// thread with fixed seeds, so each is the same every time.
#include "shoal/train/trainer.hpp"
#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;

TrainerConfig game(std::vector<double> const& payoffs, int rounds) {
  TrainerConfig c{.environment = "matrix_game"};
  c.env = {{"rounds", std::int64_t(rounds)}, {"payoffs", payoffs}};
  c.policy.network.hidden = {1, {16}};
  c.policy.ppo.learning_rate = {3e-3, 0, 1};
  c.train = {.instances = 32, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  return c;
}

/// Means of the metrics over the last `last` of `stages` stages: those of a calibrator that does not move, on every
/// metric.
std::map<std::string, double> learn(TrainerConfig config, int stages, int last) {
  if (!config.calibrator) {
    config.calibrator.emplace().kind = CalibratorKind::rl;
    config.calibrator->increment = config.calibrator->increment_sd = 1e-6;
    config.calibrator->ppo.learning_rate.base = 0;
    TargetOptions all;
    for (auto const& info : environments())
      if (info.name == config.environment)
        for (auto const& metric : info.spec.metrics) all.metrics.push_back(metric), all.values.push_back(0);
    config.targets = {all};
  }
  Trainer trainer(config);
  std::map<std::string, double> means;
  for (int m = 0; m < stages; ++m) {
    auto const report = trainer.run_stage();
    if (m < stages - last) continue;
    for (auto const& x : report.targets) means[x.name] += x.value / last;
    for (auto const& x : report.profile) means[x.name] += x.mean / last;
    means["r_cal"] += *report.r_cal_mean / last;
  }
  return means;
}

TEST(LearningSlow, PrisonersDefect) {
  auto means = learn(game({3, 3, 0, 5, 5, 0, 1, 1}, 16), 60, 10);
  EXPECT_GT(means["player_1.action_2"], 0.95);
  EXPECT_GT(means["player_2.action_2"], 0.95);
}

TEST(LearningSlow, CoordinationSettlesOnOneEquilibrium) {
  auto means = learn(game({2, 2, 0, 0, 0, 0, 1, 1}, 16), 60, 10);
  EXPECT_GT(means["welfare"], 0.95 * (means["player_1.action_1"] > 0.5 ? 2 : 1));
}

/// The players know who they are. Without the bonus play circles around the mixed equilibrium.
std::map<std::string, double> learn_pennies(std::vector<double> const& payoffs, double entropy_weight) {
  auto config = game(payoffs, 16);
  config.policy.observation.indication = Indication::agent;
  config.policy.ppo.entropy_weight = entropy_weight;
  return learn(config, 100, 50);
}

TEST(LearningSlow, MatchingPenniesEndsNearOneHalf) {
  auto means = learn_pennies({1, -1, -1, 1, -1, 1, 1, -1}, 0.2);
  EXPECT_NEAR(means["player_1.action_1"], 0.5, 0.05);
  EXPECT_NEAR(means["player_2.action_1"], 0.5, 0.05);
}

// One half is where networks begin. With 3 at stake if both choose the first action, the equilibrium is one third for
// both, which the bonus moves a little towards one half.
TEST(LearningSlow, UnevenPenniesEndNearOneThird) {
  auto means = learn_pennies({3, -3, -1, 1, -1, 1, 1, -1}, 0.1);
  EXPECT_NEAR(means["player_1.action_1"], 1.0 / 3, 0.1);
  EXPECT_NEAR(means["player_2.action_1"], 1.0 / 3, 0.1);
}

// Without memory and with altruism a in [1/4, 2/3] the dilemma is a game of chicken, whose symmetric equilibrium
// cooperates with probability (4 a - 1) / (1 + a): one half at a = 3/7. Outside that range r_cal is flat; 300 stages
// because the two learners, each with the other's lag, swing into place.
TEST(LearningSlow, AltruismIsCalibratedToHalfOfCooperation) {
  auto config = game({3, 3, 0, 5, 5, 0, 1, 1}, 16);
  config.env.insert({{"memory", std::int64_t(0)}, {"altruism_1", 0.3}, {"altruism_sd_1", 0.3}});
  config.policy.ppo.learning_rate.base = 1e-2;
  config.policy.ppo.minibatches = 4;
  config.policy.ppo.entropy_weight = 0.05;
  config.train.instances = 64;
  config.calibrator.emplace().kind = CalibratorKind::rl;
  config.targets = {{{"player_1.action_1", "player_2.action_1"}, {0.5, 0.5}, 1, 0.2}};
  auto means = learn(config, 300, 30);
  EXPECT_NEAR(means["player_1.action_1"], 0.5, 0.1);
  EXPECT_NEAR(means["player_2.action_1"], 0.5, 0.1);
  EXPECT_NEAR(means["supertype_1.altruism_mean"], 3.0 / 7, 0.1);
}

}  // namespace
}  // namespace shoal
