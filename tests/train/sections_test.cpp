// Runs whose agents differ in algorithm: sections [policy.NAME].
#include "shoal/analysis/equilibrium.hpp"
#include "shoal/calibrate/fit.hpp"
#include "shoal/learn/algorithms.hpp"
#include "shoal/learn/frozen_run.hpp"
#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;

/// Two players, each of a supertype of its own, whose second choice earns 1 and whose first one earns nothing.
TrainerConfig two_supertypes() {
  auto c = small_run(false);
  c.env = {{"rounds", std::int64_t(4)},
           {"group_1", std::int64_t(1)},
           {"payoffs", std::vector<double>{0, 0, 0, 1, 1, 0, 1, 1}}};
  c.policy.ppo.learning_rate = c.policy.a2c.learning_rate = {1e-2, 0, 1};
  c.train.instances = 16;
  return c;
}

PolicyOptions with(PolicyOptions options, Algorithm algorithm) {
  options.algorithm = algorithm;
  return options;
}

at::Tensor parameters(Trainer const& trainer, std::size_t p) {
  return trainer.learners()[p]->actor().parameters().detach().clone();
}

/// The policies of a trainer as those of another run.
std::shared_ptr<FrozenRun const> frozen(Trainer const& trainer, TrainerConfig const& config) {
  auto run = std::make_shared<FrozenRun>(FrozenRun{.name = "other", .environment = "matrix_game", .policies = {}});
  auto const shape = rollout_shape(trainer.simulator(), 1);
  auto const groups = policies_of(config, trainer.simulator().spec());
  for (std::size_t p = 0; p < groups.size(); ++p)
    run->policies.push_back({.agents = groups[p].agents,
                             .options = *groups[p].options,
                             .width = shape.width,
                             .actions = shape.actions,
                             .parameters = parameters(trainer, p)});
  return run;
}

PolicyOptions acting_as(std::shared_ptr<FrozenRun const> run) {
  auto options = with({}, Algorithm::frozen);
  options.frozen_run = std::move(run);
  return options;
}

TEST(PolicySections, SupertypesLearnWithAlgorithmsOfTheirOwn) {
  auto config = two_supertypes();
  config.sections = {{"supertype_2", with(config.policy, Algorithm::a2c)}};
  Trainer trainer(config);
  StageReport report;
  for (int m = 0; m < 60; ++m) report = trainer.run_stage();
  ASSERT_EQ(report.returns.size(), 2u);
  for (auto const& x : report.returns) EXPECT_GT(x.mean, 0.85 * 4) << x.supertype;
  EXPECT_TRUE(std::isfinite(figure(report, "kl"))) << "PPO has it";
  EXPECT_TRUE(std::isfinite(figure(report, "supertype_2.entropy")));
  EXPECT_TRUE(std::isnan(figure(report, "supertype_2.kl"))) << "A2C has none";
}

using SectionFiles = Files;

TEST_F(SectionFiles, RunsGoOnBitForBit) {
  auto config = two_supertypes();
  auto dqn = with(config.policy, Algorithm::dqn);
  dqn.dqn.replay = 256;
  dqn.dqn.batch = dqn.dqn.learning_starts = 32;
  Trainer const other(config);
  for (auto const& section :
       {with(config.policy, Algorithm::a2c), dqn, with({}, Algorithm::uniform), acting_as(frozen(other, config))}) {
    config.sections = {{"supertype_2", section}};
    config.train.steps = 3;
    Trainer whole(config), first(config), second(config);
    for (int m = 0; m < 3; ++m) whole.run_stage(), first.run_stage();
    first.save(path("checkpoint"), "configuration");
    second.load(path("checkpoint"), "configuration");
    for (int m = 3; m < 6; ++m)
      EXPECT_EQ(figures(second.run_stage()), figures(whole.run_stage())) << int(section.algorithm);
    EXPECT_EQ(read_checkpoint(path("checkpoint")).tensors.count("policy.supertype_2.parameters"), 1u);
  }
}

TEST(PolicySections, ThatSayWhatTheMapDoesChangeNothing) {
  auto mapped = two_supertypes(), cut = mapped;
  mapped.policy.map = PolicyMapKind::supertype;
  cut.sections = {{"supertype_1", cut.policy}, {"agent_1", cut.policy}};
  Trainer a(mapped), b(cut);
  for (int m = 0; m < 3; ++m) a.run_stage(), b.run_stage();
  for (std::size_t p = 0; p < 2; ++p) EXPECT_TRUE(at::equal(parameters(a, p), parameters(b, p))) << p;
}

TEST(PolicySections, AnAgentsComesBeforeItsSupertypes) {
  auto config = two_supertypes();
  config.env = {{"rounds", std::int64_t(4)},
                {"group_1", std::int64_t(3)},
                {"actions", std::vector<double>{2, 2, 2, 2}},
                {"payoffs", std::vector<double>(64, 1.0)}};
  config.sections = {{"agent_1", config.policy}, {"supertype_1", with(config.policy, Algorithm::a2c)}};
  Trainer const trainer(config);
  auto const groups = policies_of(config, trainer.simulator().spec());
  std::vector<std::pair<std::string, std::vector<int>>> found;
  for (auto const& group : groups) found.push_back({group.name, group.agents});
  EXPECT_EQ(found, (decltype(found){{"policy.supertype_1", {0, 2}}, {"policy.agent_1", {1}}, {"policy", {3}}}));
  EXPECT_EQ(groups[0].options->algorithm, Algorithm::a2c);
}

TEST(PolicySections, FrozenPoliciesStayAsTheyAre) {
  auto config = two_supertypes();
  config.policy.map = PolicyMapKind::agent;
  Trainer other(config);
  for (int m = 0; m < 5; ++m) other.run_stage();
  auto const run = frozen(other, config);
  config.sections = {{"supertype_2", acting_as(run)}};
  Trainer trainer(config);
  EXPECT_TRUE(at::equal(parameters(trainer, 1), parameters(other, 1)));
  auto const first = parameters(trainer, 0);
  StageReport report;
  for (int m = 0; m < 3; ++m) report = trainer.run_stage();
  EXPECT_TRUE(at::equal(parameters(trainer, 1), parameters(other, 1)));
  EXPECT_FALSE(at::equal(parameters(trainer, 0), first)) << "the other learns";
  EXPECT_EQ(report.returns.size(), 2u);
  EXPECT_EQ(trainer.learners()[1]->state().size(), 1u) << "no optimizer";
}

// In the first stage a frozen policy acts as one does that learns from the end of that stage on.
TEST(PolicySections, OthersLearnFromTheSameRolloutBesideAFrozenPolicy) {
  auto config = two_supertypes();
  config.policy.map = PolicyMapKind::agent;
  Trainer both(config);
  auto cut = config;
  cut.sections = {{"agent_1", acting_as(frozen(both, config))}};
  Trainer one(cut);
  both.run_stage(), one.run_stage();
  EXPECT_TRUE(at::equal(parameters(both, 0), parameters(one, 0)));
  EXPECT_FALSE(at::equal(parameters(both, 1), parameters(one, 1)));
}

TEST(PolicySections, FrozenPoliciesOfDqnAndWithMemoryAct) {
  for (bool const remembers : {false, true}) {
    auto config = two_supertypes();
    config.policy.algorithm = remembers ? Algorithm::a2c : Algorithm::dqn;
    if (remembers) config.policy.memory = MemoryKind::gru;
    config.policy.memory_size = 4;
    config.policy.dqn.epsilon_end = 0;
    Trainer const other(config);
    auto cut = two_supertypes();
    cut.sections = {{"supertype_2", acting_as(frozen(other, config))}};
    Trainer trainer(cut);
    for (int m = 0; m < 2; ++m) trainer.run_stage();
    EXPECT_TRUE(at::equal(parameters(trainer, 1), parameters(other, 0)));
    EXPECT_EQ(trainer.learners()[1]->actor().memory().defined(), remembers);
    EXPECT_EQ(is_capturable(cut.sections[0].options), !remembers);
  }
}

TEST(PolicySections, UniformAgentsEarnWhatChanceGives) {
  auto config = two_supertypes();
  config.sections = {{"supertype_2", with({}, Algorithm::uniform)}};
  config.train.instances = 256;
  Trainer trainer(config);
  double mean = 0;
  for (int m = 0; m < 5; ++m) mean += trainer.run_stage().returns[1].mean / 5;
  EXPECT_NEAR(mean, 2, 0.15);
  EXPECT_EQ(parameters(trainer, 1).numel(), 0);
  EXPECT_EQ(play_episodes(trainer.frozen_game({}), 8, 1).size(0), 8);
}

TEST(PolicySections, ACheckTakesThemAsGiven) {
  auto config = two_supertypes();
  auto const report_of = [](Trainer const& trainer) {
    return *check_equilibrium(trainer.frozen_game({}), {.instances = 4, .updates = 1, .evaluations = 8},
                              [](double, std::string const&) { return true; });
  };
  config.sections = {{"supertype_2", with({}, Algorithm::uniform)}};
  auto const report = report_of(Trainer(config));
  ASSERT_EQ(report.deviators.size(), 1u);
  EXPECT_EQ(report.deviators[0].who.agents, std::vector<int>{0});
  EXPECT_EQ(report.deviators[0].who.name, "supertype_1");
  config.policy.algorithm = Algorithm::uniform;
  EXPECT_EQ(message_of<InputError>([&] { report_of(Trainer(config)); }),
            "policy.algorithm: no policy learns, so that none is checked; expected one that does");
}

TEST(PolicySections, DeviationsLearnAndAreValuedAtThePolicysOwnDiscount) {
  auto config = two_supertypes();
  config.sections = {{"supertype_2", with(config.policy, Algorithm::a2c)}};
  config.sections[0].options.a2c.discount = 0.5;
  auto const game = Trainer(config).frozen_game({});
  ASSERT_EQ(game.deviations.size(), 2u);
  EXPECT_EQ(game.deviations[0]->discount, config.policy.ppo.discount);
  EXPECT_EQ(game.deviations[1]->discount, 0.5);
}

TEST(PolicySections, ACalibrationPlaysWithThem) {
  for (auto const kind : {CalibratorKind::es, CalibratorKind::rl}) {
    auto config = small_run(true, kind);
    config.env.insert({"group_1", std::int64_t(1)});
    config.sections = {{"supertype_2", with({}, Algorithm::uniform)}};
    config.validation = {.every = 1, .episodes = 4, .patience = 0, .final_episodes = 4};
    config.train.stages = 4;
    config.train.instances = 4;
    config.settling = {.share = 0.5, .explore = true, .challenges = 1, .challengers = 1, .challenge_updates = 1};
    Trainer trainer(config);
    StageReport report;
    while (trainer.next_stage() < trainer.stages()) report = trainer.run_stage();
    EXPECT_TRUE(report.settled.has_value());
  }
}

TEST(PolicySections, RefuseWhatDoesNotFit) {
  auto const refusal = [](TrainerConfig const& config) {
    return message_of<SettingError>([&] { Trainer trainer(config); });
  };
  auto config = two_supertypes();
  config.sections = {{"merchants", config.policy}};
  EXPECT_EQ(refusal(config),
            "policy.merchants: is no supertype, group or agent of the environment; expected one of "
            "supertype_1, supertype_2, agent_0 to agent_1");
  config.sections = {{"supertype_2", config.policy}, {"agent_1", config.policy}};
  EXPECT_EQ(refusal(config),
            "policy.supertype_2: all of its agents have sections of their own; expected one of "
            "supertype_1, supertype_2, agent_0 to agent_1");
  config.sections = {{"supertype_2", config.policy}};
  config.sections[0].options.ppo.minibatches = 65;  // of 4 * 16
  EXPECT_EQ(refusal(config), "policy.supertype_2.minibatches = 65: expected at most 64, the samples of a stage");
  config.sections = {{"agent_0", with(config.policy, Algorithm::dqn)}};
  config.sections[0].options.dqn.replay = 9;
  EXPECT_EQ(refusal(config), "policy.agent_0.batch = 512: expected at most policy.agent_0.replay = 9");
  config.sections = {{"agent_0", with({}, Algorithm::frozen)}};
  EXPECT_EQ(refusal(config), "policy.agent_0.run is missing; expected the folder of a run");
  auto market = two_supertypes();
  market.environment = "market";
  market.env = {};
  market.sections = {{"agent_0", with({}, Algorithm::dqn)}};
  EXPECT_EQ(refusal(market),
            "policy.agent_0.algorithm = \"dqn\": takes one discrete action, and the environment has 3 "
            "continuous and 0 discrete; ppo, a2c and reinforce take any");
  market.train.instances = 2;
  market.sections = {{"agent_0", acting_as(frozen(Trainer(two_supertypes()), two_supertypes()))}};
  EXPECT_NE(refusal(market).find("policy.agent_0.run = \"other\": its policy has "), std::string::npos);
}

}  // namespace
}  // namespace shoal
