#include "shoal/learn/dqn.hpp"

#include "shoal/env/simulator.hpp"
#include "support/helpers.hpp"
#include "support/tagged_simulator.hpp"

namespace shoal {
namespace {

using namespace test;

/// Two rounds of a game, many times. The second choice earns 1, the first one nothing, whatever the other player does.
struct Game {
  static constexpr int steps = 4, instances = 64;
  std::unique_ptr<Simulator> simulator = make_simulator("matrix_game",
                                                        {{"rounds", std::int64_t(2)},
                                                         {"memory", std::int64_t(0)},
                                                         {"payoffs", std::vector<double>{0, 0, 0, 1, 1, 0, 1, 1}}},
                                                        {.instances = instances, .seed = 1});
  Rollout rollout = make_rollout(rollout_shape(*simulator, steps), at::kCPU);
  DqnLearner learner;

  explicit Game(DqnOptions const& options, bool fused = true)
      : learner(options, {.agents = {0, 1}, .seed = 3, .fused = fused},
                {.inputs = rollout.shape.width, .hidden = {8}, .actions = rollout.shape.actions}, rollout.shape,
                at::kCPU) {}

  void stage(std::int64_t m) {
    if (m == 0) simulator->reset(rollout.first());
    if (m > 0) simulator->observe(rollout.first());
    learner.begin(m);
    for (int t = 0; t < steps; ++t) {
      learner.actor().act(rollout, t);
      simulator->step(rollout.input(t), rollout.output(t));
    }
    learner.update(rollout);
  }
  at::Tensor q() const { return learner.actor().q_values(rollout.observations[0].flatten(0, 1), {}).detach(); }
};

DqnOptions quick() {
  return {.learning_rate = {1e-2, 0, 1}, .replay = 4096, .batch = 64, .learning_starts = 256, .updates = 4};
}

TEST(Dqn, EpsilonFallsLinearly) {
  DqnOptions const options{.epsilon_start = 1, .epsilon_end = 0.02, .exploration_stages = 10000};
  EXPECT_DOUBLE_EQ(options.epsilon(0), 1);
  EXPECT_DOUBLE_EQ(options.epsilon(5000), 0.51);
  EXPECT_NEAR(options.epsilon(20000), 0.02, 1e-12);
}

TEST(Dqn, ActsGreedilyButForEpsilon) {
  for (bool const fused : {true, false}) {
    Game game(quick(), fused);
    game.simulator->reset(game.rollout.first());
    auto& actor = game.learner.actor();
    actor.set_epsilon(0);
    actor.act(game.rollout, 0);
    auto const best = game.q().argmax(1);
    EXPECT_TRUE(at::equal(game.rollout.discrete[0].flatten().to(at::kLong), best));
    EXPECT_LT(distance(game.rollout.values[0].flatten(), game.q().amax(1)), 1e-6);
    actor.set_epsilon(0.5);
    actor.act(game.rollout, 0);
    auto const p = game.rollout.parameters[0].flatten(0, 1).exp();
    EXPECT_LT(distance(p.gather(1, best.unsqueeze(1)), at::full({p.size(0), 1}, 0.75)), 1e-6);
    EXPECT_LT(distance(p.sum(1), at::ones({p.size(0)})), 1e-6);
  }
}

// A truncation ends every second round: values bootstrap through it.
TEST(Dqn, FindsTheValues) {
  for (bool const plain : {false, true})
    for (double const discount : {0.0, 0.5}) {
      auto options = quick();
      options.discount = discount;
      options.epsilon_start = options.epsilon_end = 0.1;
      options.double_q = options.dueling = options.prioritized = !plain;
      options.n_step = plain ? 1 : 3;
      Game game(options);
      for (int m = 0; m < 80; ++m) game.stage(m);
      auto const q = game.q().mean(0);
      double const next = discount / (1 - discount);
      EXPECT_NEAR(number(q[0]), next, 0.1) << plain << discount;
      EXPECT_NEAR(number(q[1]), 1 + next, 0.1) << plain << discount;
    }
}

TEST(Dqn, GoesOnFromItsState) {
  Game whole(quick()), resumed(quick());
  for (int m = 0; m < 3; ++m) whole.stage(m), resumed.stage(m);
  for (auto const& [name, tensor, axis] : resumed.learner.state())
    if (name != "replay.counters") tensor.zero_();
  auto const from = whole.learner.state(), to = resumed.learner.state();
  for (std::size_t i = 0; i < from.size(); ++i) to[i].tensor.copy_(from[i].tensor);
  for (int m = 3; m < 6; ++m) whole.stage(m), resumed.stage(m);
  EXPECT_TRUE(at::equal(whole.learner.actor().parameters(), resumed.learner.actor().parameters()));
}

TEST(Dqn, RefusesWhatDoesNotFit) {
  TaggedSimulator simulator(2);
  auto const shape = rollout_shape(simulator, 3);
  auto const refusal = [](RolloutShape const& rollout, DqnOptions const& options) {
    return message_of<SettingError>([&] {
      DqnLearner(options, {.agents = {0, 1}}, {.inputs = 4, .hidden = {}, .actions = rollout.actions}, rollout,
                 at::kCPU);
    });
  };
  EXPECT_NE(refusal(shape, {}).find("1 continuous and 2 discrete"), std::string::npos);
  auto discrete = shape;
  discrete.actions = heads(0, {3});
  EXPECT_NE(refusal(discrete, {.replay = 100, .batch = 101}).find("at most policy.replay = 100"), std::string::npos);
  EXPECT_NE(refusal(discrete, {.replay = 100, .batch = 9}).find("policy.learning_starts = 1000"), std::string::npos);
  EXPECT_NE(refusal(discrete, {.replay = 11, .batch = 2, .learning_starts = 2}).find("at least 12"), std::string::npos);
}

}  // namespace
}  // namespace shoal
