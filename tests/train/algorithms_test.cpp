// What holds for every algorithm, through the trainer.
#include "shoal/train/trainer.hpp"
#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr Algorithm all_algorithms[] = {Algorithm::ppo, Algorithm::a2c, Algorithm::reinforce, Algorithm::dqn};

std::string name_of(Algorithm algorithm) {
  PolicyOptions options;
  options.algorithm = algorithm;
  return std::get<std::string>(to_settings(options).at("algorithm"));
}

/// Two players whose second choice earns 1 and whose first one earns nothing.
TrainerConfig easy_run(Algorithm algorithm, PolicyMapKind map) {
  auto c = small_run(false);
  c.env = {{"rounds", std::int64_t(4)}, {"payoffs", std::vector<double>{0, 0, 0, 1, 1, 0, 1, 1}}};
  c.policy.algorithm = algorithm;
  c.policy.map = map;
  c.policy.network.hidden = {1, {8}};
  for (auto* rate : {&c.policy.ppo.learning_rate, &c.policy.a2c.learning_rate, &c.policy.reinforce.learning_rate,
                     &c.policy.dqn.learning_rate})
    *rate = {1e-2, 0, 1};
  c.policy.dqn.replay = 512;
  c.policy.dqn.batch = 64;
  c.policy.dqn.learning_starts = 64;
  c.policy.dqn.exploration_stages = 20;
  c.policy.dqn.updates = 4;
  c.train.instances = 16;
  return c;
}

TEST(Algorithms, AllLearnWhatEarns) {
  for (auto const algorithm : all_algorithms)
    for (auto const map : {PolicyMapKind::shared, PolicyMapKind::agent}) {
      Trainer trainer(easy_run(algorithm, map));
      StageReport report;
      for (int m = 0; m < 60; ++m) report = trainer.run_stage();
      ASSERT_EQ(report.returns.size(), 1u);
      EXPECT_GT(report.returns[0].mean, 0.85 * 4) << name_of(algorithm);
    }
}

// Rollouts of three steps cut episodes of four.
// DQN's loss is made of LibTorch's own operators, which promise no bits.
TEST(Algorithms, ThoseOfOurOwnKernelsHaveTheSameBitsOnAnyNumberOfThreads) {
  for (auto const algorithm : {Algorithm::ppo, Algorithm::a2c, Algorithm::reinforce}) {
    std::vector<std::vector<double>> found;
    for (int const threads : {1, 3}) {
      auto config = easy_run(algorithm, PolicyMapKind::shared);
      config.train.threads = threads;
      config.train.steps = 3;
      Trainer trainer(config);
      std::vector<double> all;
      for (int m = 0; m < 5; ++m) {
        auto const more = figures(trainer.run_stage());
        all.insert(all.end(), more.begin(), more.end());
      }
      found.push_back(all);
    }
    EXPECT_EQ(found[0], found[1]) << name_of(algorithm);
  }
}

using AlgorithmFiles = Files;

TEST_F(AlgorithmFiles, AllGoOnBitForBit) {
  for (auto const algorithm : all_algorithms) {
    auto config = easy_run(algorithm, PolicyMapKind::agent);
    config.train.steps = 3;
    Trainer whole(config), first(config), second(config);
    for (int m = 0; m < 3; ++m) whole.run_stage(), first.run_stage();
    first.save(path("checkpoint"), "configuration");
    second.load(path("checkpoint"), "configuration");
    for (int m = 3; m < 7; ++m)
      EXPECT_EQ(figures(second.run_stage()), figures(whole.run_stage())) << name_of(algorithm);
  }
}

}  // namespace
}  // namespace shoal
