// Games whose best deviations are known (calibration.md, section 6), and that pairs of episodes share their random
// numbers.
#include "shoal/analysis/equilibrium.hpp"

#include "src/analysis/population.hpp"
#include "support/frozen_games.hpp"

namespace shoal {
namespace {

using namespace test;

std::vector<double> const rock_paper_scissors = {0, 0, -1, 1, 1, -1, 1, -1, 0, 0, -1, 1, -1, 1, 1, -1, 0, 0};
std::vector<double> const pennies = {1, -1, -1, 1, -1, 1, 1, -1};

constexpr EquilibriumOptions quick = {.instances = 32, .updates = 40, .evaluations = 1000};

Deviation const& from(DeviatorsReport const& report, std::string const& start) {
  for (auto const& deviation : report.deviations)
    if (deviation.start == start) return deviation;
  throw Error("no deviation from " + start);
}

DeviatorsReport const& of(EquilibriumReport const& report, std::string const& name) {
  for (auto const& deviators : report.deviators)
    if (deviators.who.name == name) return deviators;
  throw Error("no deviators " + name);
}

// ---- Known answers --------------------------------------------------------------------------------------------------

TEST(Equilibrium, APurePolicyOfRockPaperScissorsHasRegretOne) {
  for (int action = 0; action < 3; ++action) {
    auto const fixture = matrix_game(rock_paper_scissors);
    always(*fixture.policies[0], action);
    auto const report = fixture.check(quick);
    auto const& all = of(report, "all agents");
    EXPECT_EQ(all.value.mean, 0) << "against itself it ties";
    EXPECT_EQ(all.scale, 1e-3);
    for (char const* start : {"scratch 1", "scratch 2"}) {
      auto const& regret = from(all, start).regret;
      EXPECT_GE(regret.mean, 0.95) << action << " " << start;
      EXPECT_LE(regret.mean, 1);
      EXPECT_GE(regret.high, 0.97);
    }
    EXPECT_GE(all.proven(), 0.95);
    EXPECT_GE(all.epsilon(), all.best().regret.mean);
    EXPECT_NEAR(all.best().normalised, all.best().regret.mean / 1e-3, 1e-9);
  }
}

// Whoever deviates from the mix earns what the mix earns: of the intervals 95 in 100 hold 0.
TEST(Equilibrium, TheMixOfMatchingPenniesHasRegretZero) {
  auto fixture = matrix_game(pennies);
  fixture.observation.indication = Indication::agent;
  fixture.make_policies({{0, 1}});
  PlainNetwork const network(fixture.policies[0]->network().shape(), fixture.policies[0]->network().parameters());
  network.actor.back().weight.zero_();  // one half
  constexpr int checks = 20;
  int covered = 0;
  double sum = 0;
  for (std::uint32_t seed = 0; seed < checks; ++seed) {
    auto const report = fixture.check({.instances = 32, .updates = 5, .evaluations = 1000, .seed = seed});
    ASSERT_EQ(report.deviators.size(), 1u);
    for (auto const& [start, value, regret, normalised] : report.deviators[0].deviations) {
      covered += regret.low <= 0 && regret.high >= 0;
      sum += regret.mean;
    }
  }
  EXPECT_GE(covered, 0.9 * 3 * checks);
  EXPECT_NEAR(sum / (3 * checks), 0, 0.02);
}

TEST(Equilibrium, WhoCooperatesCanBeExploitedByTwoARound) {
  auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(4)}});
  always(*fixture.policies[0], 0);
  auto const report = fixture.check(quick);
  auto const& all = report.deviators[0];
  EXPECT_EQ(all.value.mean, 4 * 3);
  EXPECT_EQ(all.value.low, all.value.high) << "every episode is the same";
  EXPECT_NEAR(all.best().regret.mean, 4 * 2, 0.2);
  EXPECT_NEAR(all.best().value.mean, 4 * 5, 0.2);
  EXPECT_NEAR(all.best().normalised, 2.0 / 3, 0.02);
}

TEST(Equilibrium, WhoDefectsCannotBeExploited) {
  auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(4)}});
  always(*fixture.policies[0], 1);
  auto const report = fixture.check(quick);
  EXPECT_EQ(report.deviators[0].value.mean, 4);
  EXPECT_EQ(from(report.deviators[0], "pi*").regret.mean, 0);
  EXPECT_EQ(report.deviators[0].epsilon(), 0) << "nothing earns more than 1 from a defector";
}

TEST(Challenge, WinsAgainstWhoCooperatesAndNotAgainstWhoDefects) {
  auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(4)}});
  always(*fixture.policies[0], 0);
  auto const winner = challenge(fixture.game(), 0, 1, quick);
  EXPECT_TRUE(winner.wins());
  EXPECT_NEAR(winner.regret.mean, 4 * 2, 0.4);
  EXPECT_EQ(winner.parameters.numel(), fixture.policies[0]->network().parameters().numel());
  always(*fixture.policies[0], 1);
  EXPECT_FALSE(challenge(fixture.game(), 0, 1, quick).wins());
}

// Barely trained ones, so that they differ.
TEST(Challenge, HasTheBestOfItsChallengers) {
  auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(4)}});
  always(*fixture.policies[0], 0);
  auto brief = quick;
  brief.updates = 1;
  auto const best_of = [&](int challengers) { return challenge(fixture.game(), 0, challengers, brief); };
  auto const first = best_of(1), best = best_of(4);
  EXPECT_GT(best.regret.mean, first.regret.mean);
  EXPECT_FALSE(at::equal(best.parameters, first.parameters));
}

TEST(Equilibrium, ValuesAreDiscountedWithThePolicysOwnDiscount) {
  auto fixture = matrix_game(dilemma, {{"rounds", std::int64_t(3)}});
  fixture.ppo.discount = 0.5;
  fixture.make_policies({{0, 1}});
  always(*fixture.policies[0], 0);
  EXPECT_NEAR(fixture.check({.updates = 0, .evaluations = 10}).deviators[0].value.mean, 3 * (1 + 0.5 + 0.25), 1e-9);
}

// Games that end at random: an instance that is done waits for the others, and deviators are drawn anew in each
// episode.
TEST(Equilibrium, EpisodesOfRandomLengthCountOnceEach) {
  auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(20)}, {"continuation", 0.5}});
  always(*fixture.policies[0], 0);
  auto const report = fixture.check({.instances = 32, .updates = 40, .evaluations = 4000});
  EXPECT_NEAR(report.deviators[0].value.mean, 3 * 2, 0.15);  // two rounds on average
  EXPECT_NEAR(report.deviators[0].best().regret.mean, 2 * 2, 0.15);
}

// Only those from pi* go on where training stopped, here at a rate of next to nothing.
TEST(Equilibrium, DeviationsFromThePolicyBeginWithTheRateWhereItStopped) {
  auto fixture = matrix_game(dilemma);
  fixture.ppo.learning_rate = {1e-2, 1, 100};
  fixture.make_policies({{0, 1}});
  PlainNetwork const network(fixture.policies[0]->network().shape(), fixture.policies[0]->network().parameters());
  network.actor.back().weight.zero_();  // cooperates in every second round
  auto const early = fixture.check(quick).deviators[0];
  fixture.stage = 1'000'000'000;
  auto const late = fixture.check(quick).deviators[0];
  EXPECT_GT(from(early, "pi*").regret.mean, 0.5);
  EXPECT_LT(from(late, "pi*").regret.mean, 0.05);
  EXPECT_EQ(from(late, "scratch 1").regret.mean, from(early, "scratch 1").regret.mean);
}

// ---- Who deviates ---------------------------------------------------------------------------------------------------

// Only the second player has something to gain: half of it on average over both.
TEST(Equilibrium, EachSupertypeHasDeviationsOfItsOwn) {
  auto const fixture = matrix_game({1, 1, 1, 4, 0, 1, 0, 1}, {{"group_1", std::int64_t(1)}});
  always(*fixture.policies[0], 0);
  auto const report = fixture.check(quick);
  ASSERT_TRUE(report.shared);
  ASSERT_EQ(report.deviators.size(), 3u);
  EXPECT_LT(of(report, "supertype_1").epsilon(), 0.01);
  EXPECT_NEAR(of(report, "supertype_2").best().regret.mean, 3, 0.1);
  EXPECT_EQ(of(report, "supertype_2").who.agents, (std::vector<int>{1}));
}

TEST(Equilibrium, APolicyOfItsOwnDeviatesWithThatPolicyAsStart) {
  auto const fixture = matrix_game(dilemma, {}, {{0}, {1}});
  always(*fixture.policies[0], 0);
  always(*fixture.policies[1], 1);
  auto const report = fixture.check(quick);
  ASSERT_FALSE(report.shared);
  ASSERT_EQ(report.deviators.size(), 2u);
  auto const &first = of(report, "agent_0"), &second = of(report, "agent_1");
  EXPECT_EQ(first.value.mean, 0);
  EXPECT_EQ(second.value.mean, 5);
  EXPECT_EQ(from(first, "pi*").value.mean, 0) << "a certain policy explores nothing";
  EXPECT_NEAR(first.best().regret.mean, 1, 0.05);
  EXPECT_EQ(second.epsilon(), 0);
}

TEST(Equilibrium, DeviatorsAreGroupsThatShareANetworkAndTheirSupertypes) {
  auto const names = [](std::vector<std::vector<int>> const& groups, std::vector<int> const& supertype_of) {
    std::vector<std::unique_ptr<Actor>> actors;
    std::vector<Actor const*> policies;
    RolloutShape const shape{
        .steps = 1, .instances = 1, .agents = int(supertype_of.size()), .width = 1, .actions = heads(1, {})};
    for (auto const& group : groups) {
      actors.push_back(std::make_unique<PolicyActor>(ActorConfig{.agents = group},
                                                     NetworkShape{.inputs = 1, .hidden = {}, .actions = shape.actions},
                                                     shape, at::kCPU));
      policies.push_back(actors.back().get());
    }
    Spec spec{.groups = {{.agents = int(supertype_of.size())}}};
    spec.supertypes = {{"a", {}}, {"b", {}}};
    spec.supertype_of = supertype_of;
    std::vector<std::string> all;
    for (auto const& who : all_deviators(policies, spec)) {
      EXPECT_LT(who.policy, policies.size());
      all.push_back(who.name);
    }
    return all;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({{0, 1, 2}}, {0, 1, 1}), (Names{"all agents", "a", "b"}));
  EXPECT_EQ(names({{0, 1, 2}}, {0, 0, 0}), (Names{"all agents"}));
  EXPECT_EQ(names({{0}, {1, 2}}, {0, 1, 1}), (Names{"a", "b"}));
  EXPECT_EQ(names({{0}, {1}, {2}}, {0, 1, 1}), (Names{"a", "agent_1", "agent_2"}));
}

TEST(Equilibrium, InstancesTakeTheGivenProfilesInTurn) {
  auto fixture = matrix_game(dilemma);  // altruism w: a cooperator earns 3 + 3 w
  always(*fixture.policies[0], 0);
  fixture.supertypes = at::tensor({0.0f, 0.0f, 1.0f, 0.0f}).view({2, 1, 2});
  auto const report = fixture.check({.updates = 0, .evaluations = 10});
  EXPECT_NEAR(report.deviators[0].value.mean, (3 + 6) / 2.0, 1e-6);
}

// ---- Pairs of episodes ----------------------------------------------------------------------------------------------

/// Games with both kinds of heads, masks, types, random ends and several networks.
std::vector<Fixture> several_games() {
  std::vector<Fixture> games;
  Settings const types = {{"altruism_sd_1", 0.5}, {"continuation", 0.7}, {"rounds", std::int64_t(6)}};
  games.push_back(matrix_game(dilemma, types));
  games.push_back(matrix_game(dilemma, types, {{0}, {1}}));
  games.push_back({"matrix_game",
                   {{"actions", std::vector<double>{2, 3}},
                    {"payoffs", std::vector<double>{1, 0, 2, 5, 0, 1, 3, 3, 1, 2, 0, 1}},
                    {"rounds", std::int64_t(3)}},
                   {{0, 1}}});
  for (char const* actions : {"continuous", "discrete"})
    games.push_back({"market", {{"steps", std::int64_t(6)}, {"actions", std::string(actions)}}, {{0, 1, 2, 3, 4}}});
  games.push_back({"market", {{"steps", std::int64_t(6)}}, {{0}, {1, 2, 3, 4}}});
  return games;
}

TEST(Equilibrium, WhoDeviatesToTheSamePolicyHasTheSameEpisodes) {
  for (auto const& fixture : several_games()) {
    for (auto const& policy : fixture.policies) {  // unlike a new network, far from indifferent
      auto const& parameters = policy->parameters();
      parameters.add_(random_normal(parameters.sizes(), 1) * 0.5);
    }
    auto const report = fixture.check({.updates = 0, .evaluations = 64});
    for (auto const& who : report.deviators) {
      auto const& same = from(who, "pi*");
      EXPECT_EQ(same.regret.low, 0) << fixture.environment << ", " << who.who.name;
      EXPECT_EQ(same.regret.high, 0) << fixture.environment << ", " << who.who.name;
      EXPECT_NE(from(who, "scratch 1").regret.mean, 0) << "another network would not be noticed";
    }
  }
}

TEST(Equilibrium, OnlyTheDeviatorsActionsAreReplaced) {
  auto const fixture = matrix_game(dilemma, {{"rounds", std::int64_t(5)}});
  always(*fixture.policies[0], 0);
  Population population(fixture.game(), 6, 1);
  Deviant deviant(population, 0, fixture.ppo, 0, fixture.policies[0]->network().shape(), 2);
  deviant.take(fixture.policies[0]->network().parameters().neg());  // defects
  auto const who = at::tensor({0, 1, 1, 0, 1, 0}, at::kLong);
  deviant.choose(who);
  population.act(0);
  deviant.act(population, 0);
  auto const expected = at::one_hot(who, 2).to(at::kInt);
  EXPECT_TRUE(at::equal(population.slot().discrete.flatten(1), expected.view({1, -1})));
  population.step();
  EXPECT_TRUE(at::equal(population.slot().rewards[0], expected.to(at::kFloat) * 5));
}

// ---- Doing nothing, stopping, repeating -----------------------------------------------------------------------------

TEST(Equilibrium, DoingNothingIsADeviationWhereTheEnvironmentAllowsIt) {
  Fixture const market("market", {{"steps", std::int64_t(12)}}, {{0, 1, 2, 3, 4}});
  auto const report = market.check({.instances = 8, .updates = 2, .evaluations = 64});
  ASSERT_EQ(report.deviators.size(), 3u);
  for (auto const& who : report.deviators) {
    ASSERT_EQ(who.deviations.size(), 4u);
    auto const& nothing = who.deviations.back();
    EXPECT_EQ(nothing.start, "do nothing");
    EXPECT_EQ(nothing.value.mean, 0);
    EXPECT_NEAR(nothing.regret.mean, -who.value.mean, 1e-9);
    EXPECT_NEAR(nothing.regret.high, -who.value.low, 1e-9);
  }
  EXPECT_EQ(matrix_game(dilemma).check({.updates = 0, .evaluations = 2}).deviators[0].deviations.size(), 3u);
}

TEST(Equilibrium, EndsWhereProgressSaysSo) {
  auto const fixture = matrix_game(dilemma);
  int const calls = [&] {
    int n = 0;
    double last = 0;
    EXPECT_TRUE(check_equilibrium(fixture.game(), {.instances = 8, .updates = 2, .evaluations = 8},
                                  [&](double done, std::string const&) {
                                    EXPECT_GE(done, last);
                                    last = done;
                                    return ++n, true;
                                  }));
    EXPECT_NEAR(last, 1, 1e-9);
    return n;
  }();
  EXPECT_EQ(calls, 1 + 3 * (2 + 1));
  for (int stop = 1; stop <= calls; ++stop) {
    int n = 0;
    EXPECT_FALSE(check_equilibrium(fixture.game(), {.instances = 8, .updates = 2, .evaluations = 8},
                                   [&](double, std::string const&) { return ++n < stop; }));
    EXPECT_EQ(n, stop);
  }
}

TEST(Equilibrium, IsAFunctionOfTheSeedAlone) {
  Fixture const market("market", {{"steps", std::int64_t(6)}}, {{0, 1, 2, 3, 4}});
  auto const regret = [&](std::uint32_t seed, int threads) {
    at::set_num_threads(threads);
    auto const report = market.check({.instances = 8, .updates = 2, .evaluations = 16, .seed = seed});
    at::set_num_threads(1);
    return report.deviators[0].deviations[1].regret.mean;
  };
  EXPECT_EQ(regret(1, 1), regret(1, 2));
  EXPECT_NE(regret(1, 1), regret(2, 1));
}

TEST(Equilibrium, RefusesAPolicyThatIsNotFinite) {
  auto const fixture = matrix_game(dilemma);
  fixture.policies[0]->network().parameters().fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(message_of<InputError>([&] { fixture.check(quick); }), "the policy's parameters are not finite");
}

// Agents of Switch leave when they arrive.
TEST(Deviant, LearnsWhereAgentsLeaveTheEpisode) {
  Fixture fixture{"switch", {}, {{0, 1}}};
  Population population(fixture.game(), 16, 1);
  Deviant deviant(population, 0, fixture.ppo, 2, fixture.policies[0]->network_shape(), 8);
  deviant.choose(at::arange(16, at::kLong).remainder(2));
  auto const before = deviant.parameters().clone();
  deviant.begin(0);
  for (int t = 0; t < 8; ++t) {
    population.act(t);
    deviant.act(population, t);
    population.step();
    deviant.record(population, t);
  }
  deviant.learn(population);
  EXPECT_GT(distance(deviant.parameters(), before), 1e-4);
}

}  // namespace
}  // namespace shoal
