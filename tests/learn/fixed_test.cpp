// Actors that do not learn: uniform ones, and policies of other runs.
#include "shoal/learn/algorithms.hpp"
#include "shoal/learn/frozen_run.hpp"
#include "shoal/learn/ppo.hpp"
#include "shoal/learn/uniform_actor.hpp"
#include "shoal/ops/parallel.hpp"
#include "support/played.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr int steps = 3, instances = 900, agents = TaggedSimulator::agents;

/// A rollout of the tagged simulator whose agents 2 and 0 act uniformly.
Rollout uniform_play(int threads, std::uint32_t seed = 3, std::vector<int> const& who = {2, 0}) {
  ThreadScope const scope(threads);
  TaggedSimulator simulator(instances);
  auto rollout = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  UniformActor actor({.agents = who, .seed = seed}, rollout.shape, at::kCPU);
  simulator.reset(rollout.first());
  actor.begin(4);
  for (int t = 0; t < steps; ++t) {
    actor.act(rollout, t);
    simulator.step(rollout.input(t), rollout.output(t));
  }
  return rollout;
}

TEST(UniformActor, DrawsEachLegalChoiceAboutEqually) {
  auto const rollout = uniform_play(1);
  for (int const agent : {0, 2}) {
    auto const chosen = rollout.discrete.select(2, agent).flatten(0, 1).to(at::kLong);
    auto const legal = rollout.masks.narrow(0, 0, steps).select(2, agent).flatten(0, 1).to(at::kBool);
    auto const share = [&](at::Tensor const& rows, int head, int choice) {
      return number((chosen.select(1, head).masked_select(rows) == choice).to(at::kDouble).mean());
    };
    auto const all = legal.select(1, 1),
               some = all.logical_not();  // choice 1 of the first head is the one that may be illegal
    for (int choice = 0; choice < 3; ++choice) EXPECT_NEAR(share(all, 0, choice), 1.0 / 3, 0.05) << choice;
    EXPECT_EQ(share(some, 0, 1), 0);
    EXPECT_NEAR(share(some, 0, 0), 0.5, 0.05);
    auto const both = legal.select(1, 3);  // of the second head
    EXPECT_NEAR(share(both, 1, 0), 0.5, 0.05);
    EXPECT_EQ(share(both.logical_not(), 1, 0), 0);
    auto const real = rollout.continuous.select(2, agent);
    EXPECT_GE(number(real.min()), -1);
    EXPECT_LT(number(real.max()), 1);
    EXPECT_NEAR(number(real.mean()), 0, 0.05);
    EXPECT_NEAR(number(real.square().mean()), 1.0 / 3, 0.03);
  }
  EXPECT_TRUE(rollout.continuous.select(2, 1).eq(0).all().item<bool>()) << "agent 1 is another actor's";
}

TEST(UniformActor, DrawsTheSameOnAnyNumberOfThreads) {
  auto const one = uniform_play(1), three = uniform_play(3);
  EXPECT_TRUE(one.discrete.equal(three.discrete));
  EXPECT_TRUE(one.continuous.equal(three.continuous));
  EXPECT_FALSE(one.continuous.equal(uniform_play(1, 4).continuous));
}

TEST(UniformActor, TwoOfThemDrawNumbersOfTheirOwn) {
  auto const first = uniform_play(1, 3, {0}).continuous.select(2, 0);
  auto const second = uniform_play(1, 3, {1}).continuous.select(2, 1);
  EXPECT_LT(std::abs(number((first * second).mean())), 0.02);
}

TEST(UniformActor, CopiesDrawToo) {
  TaggedSimulator simulator(4);
  auto const rollout = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  simulator.reset(rollout.first());
  UniformActor const actor({.agents = {1}, .seed = 3}, rollout.shape, at::kCPU);
  auto const copy = actor.copy(rollout.shape, 5);
  copy->act(rollout, 0);
  EXPECT_TRUE(rollout.continuous.select(2, 1)[0].ne(0).all().item<bool>());
  EXPECT_TRUE(rollout.continuous.select(2, 0).eq(0).all().item<bool>());
}

/// PPO's of agents 0 and 2, and DQN's would be refused by the same function.
FrozenRun some_run(Rollout const& rollout) {
  PolicyOptions options;
  options.network.hidden = {1, {8}};
  PpoLearner const learner(options.ppo, {.agents = {0, 2}, .seed = 11}, network_shape(options, rollout.shape),
                           rollout.shape, at::kCPU);
  return {.name = "runs/other",
          .environment = "tagged",
          .policies = {{.agents = {0, 2},
                        .options = options,
                        .width = rollout.shape.width,
                        .actions = rollout.shape.actions,
                        .parameters = learner.actor().parameters().clone()}}};
}

TEST(FrozenRuns, ActAsTheirPoliciesDid) {
  TaggedSimulator simulator(4);
  auto const theirs = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  auto const ours = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  auto const run = some_run(theirs);
  auto const& options = run.policies[0].options;
  PpoLearner learner(options.ppo, {.agents = {0, 2}, .seed = 3}, network_shape(options, theirs.shape), theirs.shape,
                     at::kCPU);
  learner.actor().parameters().copy_(run.policies[0].parameters);
  PolicyOptions frozen;
  frozen.algorithm = Algorithm::frozen;
  frozen.frozen_run = std::make_shared<FrozenRun>(run);
  auto const fixed =
      make_learner(frozen, {.agents = {0, 2}, .seed = 3}, network_shape(frozen, ours.shape), ours.shape, at::kCPU);
  for (auto const& [each, rollout] : {std::pair<Learner*, Rollout const*>{&learner, &theirs}, {fixed.get(), &ours}}) {
    simulator.reset(rollout->first());
    each->begin(2);
    each->actor().act(*rollout, 0);
  }
  EXPECT_TRUE(ours.continuous.equal(theirs.continuous));
  EXPECT_TRUE(ours.discrete.equal(theirs.discrete));
  EXPECT_FALSE(fixed->learns());
  EXPECT_TRUE(fixed->figure_names().empty());
  fixed->update(ours);
  fixed->explore_again();
  EXPECT_TRUE(fixed->actor().parameters().equal(run.policies[0].parameters));
  ASSERT_EQ(fixed->state().size(), 1u);
}

TEST(FrozenRuns, SayWhichAgentsTheyHavePoliciesFor) {
  TaggedSimulator simulator(2);
  auto const rollout = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  auto run = some_run(rollout);
  EXPECT_EQ(&frozen_policy(run, 0, {2}, rollout.shape), &run.policies[0]);
  EXPECT_EQ(
      message_of<SettingError>([&] {
        frozen_policy(run, 0, {0, 1}, rollout.shape);
      }),
      "policy.run = \"runs/other\": none of its policies was trained for all of the agents 0, 1; they were trained "
      "for the agents 0, 2");
  auto wider = rollout.shape;
  wider.width += 1;
  EXPECT_EQ(message_of<SettingError>([&] { frozen_policy(run, 0, {0}, wider); }),
            "policy.run = \"runs/other\": its policy has 4 reals observed, 1 continuous actions, choices among 3, 2; "
            "expected 5 reals observed, 1 continuous actions, choices among 3, 2");
}

}  // namespace
}  // namespace shoal
