// Runs of an environment whose groups of agents have spaces of their own.
#include <gmock/gmock.h>

#include "shoal/analysis/equilibrium.hpp"
#include "shoal/train/memory.hpp"
#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;
using testing::HasSubstr;

using GroupRuns = Files;

TrainerConfig two_roles(PolicyMapKind map, bool padded = false) {
  TrainerConfig c{.environment = "two_role"};
  c.policy.map = map;
  c.policy.observation.pad_groups = padded;
  c.policy.network.hidden = {1, {16}};
  c.policy.ppo.learning_rate = {3e-3, 0, 200};
  c.train = {.stages = 100, .instances = 32, .seed = 2, .threads = 1, .device = DeviceChoice::cpu};
  return c;
}

double total_after(TrainerConfig const& config, int stages) {
  Trainer trainer(config);
  double total = 0;
  for (int m = 0; m < stages; ++m) total = trainer.run_stage().metrics[0].mean;
  return total;
}

TEST_F(GroupRuns, EveryGroupLearnsInItsOwnSpace) {
  auto const config = two_roles(PolicyMapKind::group);
  Trainer trainer(config);
  ASSERT_EQ(trainer.learners().size(), 2u);
  EXPECT_EQ(trainer.learners()[0]->actor().network_shape().inputs, 4);
  EXPECT_EQ(trainer.learners()[1]->actor().network_shape().inputs, 7);
  EXPECT_EQ(trainer.learners()[1]->actor().network_shape().actions.total_choices, 5);
  auto const first = trainer.run_stage();
  EXPECT_EQ(first.agent_steps, 32 * 16 * 2);
  EXPECT_NEAR(first.metrics[0].mean, 16 * (1 / 3.0 + 1 / 5.0), 1.5) << "uniform play";
  EXPECT_GT(total_after(config, 60), 24);
}

TEST_F(GroupRuns, GoOnBitForBit) {
  for (auto const& config : {two_roles(PolicyMapKind::group), two_roles(PolicyMapKind::shared, true)}) {
    Trainer whole(config), first(config), second(config);
    for (int m = 0; m < 2; ++m) EXPECT_EQ(figures(whole.run_stage()), figures(first.run_stage()));
    first.save(path("checkpoint"), "configuration");
    second.load(path("checkpoint"), "configuration");
    for (int m = 0; m < 2; ++m) EXPECT_EQ(figures(whole.run_stage()), figures(second.run_stage()));
    expect_same(state_of(whole), state_of(second));
  }
}

// Group a would otherwise draw what group b draws: both number their one agent 0.
TEST_F(GroupRuns, GroupsDrawNumbersOfTheirOwn) {
  EXPECT_EQ(group_seed(7, 0), 7u);
  EXPECT_NE(group_seed(7, 1), 7u);
  Trainer trainer(two_roles(PolicyMapKind::group));
  EXPECT_NE(trainer.learners()[0]->actor().config().seed, trainer.learners()[1]->actor().config().seed);
}

TEST_F(GroupRuns, PaddedTheyShareOneNetwork) {
  auto config = two_roles(PolicyMapKind::shared, true);
  config.policy.observation.indication = Indication::group;
  Trainer trainer(config);
  ASSERT_EQ(trainer.learners().size(), 1u);
  EXPECT_EQ(trainer.learners()[0]->actor().network_shape().inputs, 9);
  EXPECT_GT(total_after(config, 60), 18);
}

// PPO, A2C and DQN choose and value legal actions alone: an illegal one would be an error of the step.
TEST_F(GroupRuns, EveryAlgorithmPlaysPadded) {
  for (auto const algorithm : {Algorithm::ppo, Algorithm::a2c, Algorithm::reinforce, Algorithm::dqn}) {
    auto config = two_roles(PolicyMapKind::shared, true);
    config.policy.algorithm = algorithm;
    Trainer trainer(config);
    for (int m = 0; m < 3; ++m) EXPECT_NO_THROW(trainer.run_stage());
  }
}

std::string refusal(TrainerConfig const& config) {
  return message_of<SettingError>([&] { Trainer trainer(config); });
}

TEST_F(GroupRuns, RefuseOneNetworkForSeveralSpaces) {
  EXPECT_EQ(
      refusal(two_roles(PolicyMapKind::shared)),
      "policy.map = \"shared\": one network for agents of the groups \"a\" and \"b\", which have different spaces; "
      "expected \"group\" or \"agent\", or policy.pad_groups = true");
}

TEST_F(GroupRuns, EachPolicyMapHasItsPolicies) {
  for (auto const map : {PolicyMapKind::agent, PolicyMapKind::group, PolicyMapKind::supertype})
    EXPECT_EQ(Trainer(two_roles(map)).learners().size(), 2u);
  EXPECT_EQ(Trainer(two_roles(PolicyMapKind::group, true)).learners().size(), 1u) << "padded, they are one group";
}

// The network of group a learns beside agents of group b that play uniformly.
TEST_F(GroupRuns, ASectionNamesAGroup) {
  auto config = two_roles(PolicyMapKind::group);
  auto uniform = config.policy;
  uniform.algorithm = Algorithm::uniform;
  config.sections = {{"b", uniform}};
  Trainer trainer(config);
  ASSERT_EQ(trainer.learners().size(), 2u);
  EXPECT_TRUE(trainer.learners()[0]->learns());
  EXPECT_FALSE(trainer.learners()[1]->learns());
  StageReport last;
  for (int m = 0; m < 60; ++m) last = trainer.run_stage();
  EXPECT_GT(last.metrics[1].mean, 14) << "right_a";
  EXPECT_NEAR(last.metrics[2].mean, 16 / 5.0, 1) << "right_b";
}

TEST_F(GroupRuns, AreCheckedGroupByGroup) {
  Trainer trainer(two_roles(PolicyMapKind::group));
  trainer.run_stage();
  auto const game = trainer.frozen_game({});
  EquilibriumOptions const options{.instances = 4, .updates = 1, .evaluations = 8};
  auto const report = check_equilibrium(game, options, [](double, std::string const&) { return true; });
  ASSERT_TRUE(report);
  ASSERT_EQ(report->deviators.size(), 2u);
  EXPECT_EQ(report->deviators[0].who.name, "a");
  EXPECT_EQ(report->deviators[1].who.name, "b");
  EXPECT_GT(report->deviators[0].value.mean, report->deviators[1].value.mean) << "a guesses one of 3, b one of 5";
}

TEST_F(GroupRuns, MemoryCountsEveryGroup) {
  auto const own = memory_need(two_roles(PolicyMapKind::group)),
             padded = memory_need(two_roles(PolicyMapKind::shared, true));
  EXPECT_GT(own.bytes_each, 0);
  EXPECT_LT(own.bytes_each, padded.bytes_each) << "a's rows are narrower";
}

}  // namespace
}  // namespace shoal
