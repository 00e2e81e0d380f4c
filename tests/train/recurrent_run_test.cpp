// Runs whose policies have a memory, through the trainer.
#include "shoal/analysis/equilibrium.hpp"
#include "shoal/calibrate/fit.hpp"
#include "shoal/learn/stochastic_actor.hpp"
#include "support/validated_runs.hpp"

namespace shoal {
namespace {

using namespace test;

/// Two agents who have to name one of two cues that they saw two steps before.
TrainerConfig recall_run(Algorithm algorithm, MemoryKind memory) {
  TrainerConfig c{.environment = "recall"};
  c.env = {{"agents", std::int64_t(2)}, {"cues", std::int64_t(2)}, {"delay", std::int64_t(2)}};
  c.policy.algorithm = algorithm;
  c.policy.memory = memory;
  c.policy.memory_size = 16;
  c.policy.network.hidden = {1, {16}};
  c.policy.ppo.minibatches = 2;
  for (auto* rate : {&c.policy.ppo.learning_rate, &c.policy.a2c.learning_rate, &c.policy.reinforce.learning_rate})
    *rate = {1e-2, 0, 1};
  c.train = {.stages = 100, .instances = 32, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  return c;
}

double success(StageReport const& report) {
  for (auto const& metric : report.metrics)
    if (metric.name == "success") return metric.mean;
  return -1;
}

/// The mean over the last ten of so many stages.
double success_after(Trainer& trainer, int stages) {
  double sum = 0;
  for (int m = 0; m < stages; ++m) {
    auto const report = trainer.run_stage();
    if (m >= stages - 10) sum += success(report) / 10;
  }
  return sum;
}

TEST(RecurrentRuns, AnLstmSolvesRecallWithEveryAlgorithm) {
  for (auto const algorithm : {Algorithm::ppo, Algorithm::a2c, Algorithm::reinforce}) {
    Trainer trainer(recall_run(algorithm, MemoryKind::lstm));
    EXPECT_GE(success_after(trainer, 40), 0.95) << int(algorithm);
  }
}

TEST(RecurrentRuns, SoDoesAGru) {
  Trainer trainer(recall_run(Algorithm::reinforce, MemoryKind::gru));
  EXPECT_GE(success_after(trainer, 40), 0.95);
}

TEST(RecurrentRuns, WithoutMemoryRecallStaysAtChance) {
  Trainer trainer(recall_run(Algorithm::reinforce, MemoryKind::none));
  EXPECT_NEAR(success_after(trainer, 60), 0.5, 0.1);
}

TEST(RecurrentRuns, FrozenCopiesRememberToo) {
  Trainer trainer(recall_run(Algorithm::reinforce, MemoryKind::lstm));
  success_after(trainer, 40);
  auto const metrics = play_episodes(trainer.frozen_game({}), 200, 7);
  EXPECT_GE(number(metrics.select(1, 0).mean()), 0.95);
}

TEST(RecurrentRuns, SequencesOfPpoMayBeCut) {
  auto config = recall_run(Algorithm::ppo, MemoryKind::lstm);
  config.env["delay"] = std::int64_t(3);
  config.policy.sequence = 2;
  Trainer trainer(config);
  EXPECT_TRUE(std::isfinite(success_after(trainer, 10)));
}

// The base of experiments/recall/study.toml.
TEST(RecurrentRunsSlow, OneLstmOfFourAgentsRecallsEightStepsBack) {
  TrainerConfig config{.environment = "recall"};
  config.policy.algorithm = Algorithm::reinforce;
  config.policy.memory = MemoryKind::lstm;
  config.policy.memory_size = 128;
  config.policy.network.hidden = {1, {128}};
  config.train = {.stages = 200, .instances = 64, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  Trainer trainer(config);
  EXPECT_GE(success_after(trainer, 200), 0.95);
}

using RecurrentFiles = Files;

// Stages of two steps cut episodes of three: what is remembered goes from one to the next.
TEST_F(RecurrentFiles, RunsGoOnBitForBit) {
  for (auto const algorithm : {Algorithm::ppo, Algorithm::a2c, Algorithm::reinforce})
    for (auto const map : {PolicyMapKind::shared, PolicyMapKind::agent}) {
      auto config = recall_run(algorithm, MemoryKind::lstm);
      config.policy.map = map;
      config.train.steps = 2;
      Trainer whole(config), first(config), second(config);
      for (int m = 0; m < 2; ++m) whole.run_stage(), first.run_stage();
      first.save(path("checkpoint"), "configuration");
      second.load(path("checkpoint"), "configuration");
      EXPECT_GT(number(read_checkpoint(path("checkpoint")).tensors.at("policy.0.memory").abs().max()), 0);
      for (int m = 2; m < 5; ++m) EXPECT_EQ(figures(second.run_stage()), figures(whole.run_stage())) << int(algorithm);
      expect_same(state_of(second), state_of(whole));
    }
}

/// Key and message of what a configuration is refused for.
std::string refusal(TrainerConfig const& config) {
  try {
    Trainer trainer(config);
  } catch (SettingError const& error) {
    return error.key + error.message;
  }
  return "nothing thrown";
}

TEST(RecurrentRuns, SequencesThatDoNotFitAreRefused) {
  auto config = recall_run(Algorithm::ppo, MemoryKind::gru);
  config.env["delay"] = std::int64_t(11);
  config.policy.sequence = 5;
  EXPECT_EQ(refusal(config),
            "policy.sequence = 5: expected 0 or a divisor of the 12 steps of a stage (train.steps): 1, 2, 3, 4, 6, 12");
  config.policy.sequence = 6;
  config.policy.ppo.minibatches = 129;  // of 2 * 32 * 2 sequences
  EXPECT_EQ(refusal(config), "policy.minibatches = 129: expected at most 128, the sequences of a stage");
  config.policy.memory = MemoryKind::none;
  EXPECT_EQ(refusal(config), "policy.sequence = 6: needs policy.memory = \"lstm\" or \"gru\"; expected 0");
}

TEST(RecurrentRuns, DeviationsAndChallengersAreRefused) {
  Trainer const trainer(recall_run(Algorithm::ppo, MemoryKind::lstm));
  auto const check = [&] {
    check_equilibrium(trainer.frozen_game({}), {}, [](double, std::string const&) { return true; });
  };
  EXPECT_EQ(message_of<InputError>(check),
            "policy.memory: deviations from policies with memory are not trained; expected \"none\"");
}

TEST(RecurrentRuns, AreNotChallenged) {
  auto config = validated_run();
  config.policy.memory = MemoryKind::lstm;
  config.settling.challenges = 2;
  Trainer trainer(config);
  for (auto const& report : reports_of(trainer)) EXPECT_TRUE(report.challenges.empty());
}

// Stages of a calibrator begin with a fresh episode, whatever the one before left.
TEST(RecurrentRuns, ACalibratedStageBeginsWithoutMemory) {
  auto config = small_run(true);
  config.policy.memory = MemoryKind::lstm;
  config.train.steps = 8;  // episodes of six
  Trainer trainer(config);
  trainer.run_stage();
  auto const& actor = dynamic_cast<StochasticActor const&>(trainer.learners()[0]->actor());
  EXPECT_GT(number(actor.memory().abs().max()), 0);
  auto const profiles = at::zeros({5, trainer.calibrator()->space().size()});
  auto const first = trainer.measure(profiles, 3);
  EXPECT_TRUE(at::equal(trainer.measure(profiles, 3), first)) << "what the first left is forgotten";
}

}  // namespace
}  // namespace shoal
