// Policies with memory: what actors remember and forget, and the gradients of PPO, A2C and REINFORCE through sequences,
// against cells written out with autograd in double.
#include "shoal/learn/recurrent_actor.hpp"

#include "shoal/learn/a2c.hpp"
#include "shoal/learn/ppo.hpp"
#include "shoal/learn/reinforce.hpp"
#include "shoal/nn/distribution.hpp"
#include "support/plain_recurrent.hpp"
#include "support/played.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr int steps = 6, instances = 4, agents = TaggedSimulator::agents, columns = instances * agents;

std::vector<std::vector<int>> const groups = {{0, 1, 2}, {2, 0}, {1}};
constexpr MemoryKind kinds[] = {MemoryKind::lstm, MemoryKind::gru};

/// A rollout of the tagged simulator, whose episodes begin and end within it, in which a learner has acted for some of
/// the agents.
template <class L, class Options>
struct Played {
  TaggedSimulator simulator{instances};
  Rollout rollout = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  L learner;
  at::Tensor group;
  at::Tensor before;  // the parameters that acted, f64

  Played(Options const& options, std::vector<int> const& members, MemoryKind kind, int sequence = 0)
      : learner(
            options, {.agents = members, .seed = 3, .sequence = sequence},
            {.inputs = TaggedSimulator::width, .hidden = {8}, .actions = rollout.shape.actions, .memory = {kind, 5}},
            rollout.shape, at::kCPU),
        group(at::tensor(members)) {
    before = play(learner, simulator, rollout);
  }

  /// The group's columns of a field [T, N, agents, ...]: [T, N * members, ...].
  at::Tensor own(at::Tensor const& field) const { return field.index_select(2, group).flatten(1, 2); }
  std::int64_t size() const { return instances * group.numel(); }

  at::Tensor observations() const { return own(rollout.observations).to(at::kDouble); }
  /// [T + 1, N * members], 1 where an episode begins within the rollout.
  at::Tensor resets() const {
    auto const ended = own(rollout.ended).ne(0).to(at::kByte);
    return at::cat({at::zeros_like(ended.narrow(0, 0, 1)), ended});
  }
  at::Tensor no_memory() const {
    return at::zeros({size(), learner.actor().network_shape().memory.state()}, at::kDouble);
  }
  ActionRows actions() const {
    return {own(rollout.continuous).flatten(0, 1).to(at::kDouble), own(rollout.discrete).flatten(0, 1),
            own(rollout.masks).narrow(0, 0, steps).flatten(0, 1)};
  }

  /// The gradient of the sum over samples of -log pi(a) advantages + value_weight / 2 (V - returns)^2 - entropy_weight
  /// H, weighed; all are [T, N * members].
  at::Tensor gradient(at::Tensor const& weights, at::Tensor const& advantages, at::Tensor const& returns,
                      double value_weight, double entropy_weight) const {
    auto const p = before.clone().set_requires_grad(true);
    PlainRecurrent const network(learner.actor().network_shape(), p);
    auto const out = network.sequence(observations().narrow(0, 0, steps), no_memory(), resets());
    auto const now = out.distribution.flatten(0, 1);
    auto const& layout = rollout.shape.actions;
    auto const log_p = log_probability(layout, now, network.log_sd, actions()).view_as(weights);
    auto const h = entropy(layout, now, network.log_sd, actions().masks).view_as(weights);
    auto const loss =
        (weights * (-log_p * advantages + value_weight / 2 * (out.values - returns).square() - entropy_weight * h))
            .sum();
    loss.backward();
    return p.grad();
  }
};

template <class L, class Options>
void expect_gradient(Played<L, Options> const& played, at::Tensor const& expected) {
  EXPECT_LT(distance(played.learner.actor().gradients(), expected), 2e-4 * number(expected.abs().max()));
}

// ---- What actors remember -------------------------------------------------------------------------------------------

TEST(RecurrentActor, RemembersWithinAnAgentsEpisodeAndNothingElse) {
  for (auto const kind : kinds)
    for (auto const& group : groups) {
      Played<A2cLearner, A2cOptions> const played({}, group, kind);
      auto const& r = played.rollout;
      PlainRecurrent const network(played.learner.actor().network_shape(), played.before);
      auto const out = network.sequence(played.observations(), played.no_memory(), played.resets());
      EXPECT_LT(distance(played.own(r.parameters), out.distribution.narrow(0, 0, steps)), 1e-5);
      EXPECT_LT(distance(played.own(r.values), out.values), 1e-5) << "the last are those after the rollout";
      auto const log_p = log_probability(r.shape.actions, out.distribution.narrow(0, 0, steps).flatten(0, 1),
                                         network.log_sd, played.actions());
      EXPECT_LT(distance(played.own(r.log_probabilities).flatten(), log_p), 1e-4);
    }
}

TEST(RecurrentActor, FinalObservationsAreValuedWithTheMemoryOfTheirEpisode) {
  for (auto const kind : kinds) {
    Played<A2cLearner, A2cOptions> const played({}, {2, 0}, kind);
    PlainRecurrent const network(played.learner.actor().network_shape(), played.before);
    auto const observations = played.observations(), resets = played.resets(), last = played.own(played.rollout.ended);
    auto const final = played.own(played.rollout.final_observations).to(at::kDouble);
    auto const found = played.own(played.rollout.final_values);
    int ends = 0;
    for (int t = 0; t < steps; ++t) {
      auto const state =
          network.sequence(observations.narrow(0, 0, t + 1), played.no_memory(), resets.narrow(0, 0, t + 1)).state;
      auto const expected = network.step(final[t], state).values;
      for (int column = 0; column < played.size(); ++column)
        if (last[t][column].item<int>() != 0) {
          EXPECT_NEAR(number(found[t][column]), number(expected[column]), 1e-5);
          ++ends;
        }
    }
    EXPECT_GT(ends, 0);
  }
}

TEST(RecurrentActor, TheNextRolloutGoesOnFromTheLast) {
  for (auto const kind : kinds) {
    Played<A2cLearner, A2cOptions> played({}, {0, 1, 2}, kind);
    auto& actor = played.learner.actor();
    auto const seen = played.observations();
    PlainRecurrent const network(actor.network_shape(), played.before);
    auto const state = network.sequence(seen.narrow(0, 0, steps), played.no_memory(), played.resets()).state;
    auto const next = state * (1 - played.resets()[steps].to(at::kDouble)).unsqueeze(1);
    played.rollout.observations[0].copy_(played.rollout.observations[steps]);
    actor.act(played.rollout, 0);
    auto const expected = network.step(seen[steps], next);
    EXPECT_LT(distance(played.own(played.rollout.parameters)[0], expected.distribution), 1e-5);
    EXPECT_GT(number(actor.memory().abs().max()), 0.01);
    actor.forget();
    EXPECT_EQ(number(actor.memory().abs().max()), 0);
  }
}

TEST(RecurrentActor, ACopyHasTheParametersAndNoMemory) {
  Played<A2cLearner, A2cOptions> const played({}, {0, 1, 2}, MemoryKind::lstm);
  auto shape = played.rollout.shape;
  shape.steps = 1, shape.instances = 2;
  auto const copy = played.learner.actor().copy(shape, 7);
  EXPECT_TRUE(at::equal(copy->parameters(), played.learner.actor().parameters()));
  auto const& memory = dynamic_cast<StochasticActor const&>(*copy).memory();
  EXPECT_EQ(memory.sizes(), (std::vector<std::int64_t>{2 * agents, 10}));
  EXPECT_EQ(number(memory.abs().max()), 0);
}

TEST(RecurrentActor, SequencesDivideTheRollout) {
  TaggedSimulator const simulator(instances);
  auto const shape = rollout_shape(simulator, steps);
  auto const make = [&](int sequence) {
    make_stochastic_actor({.agents = {0}, .sequence = sequence},
                          {.inputs = shape.width, .actions = shape.actions, .memory = {MemoryKind::gru, 2}}, shape,
                          at::kCPU);
  };
  EXPECT_EQ(message_of<InputError>([&] { make(4); }), "sequences of 4 steps do not divide a rollout of 6");
  for (int const sequence : {0, 1, 2, 3, 6}) make(sequence);
}

// ---- What learners learn --------------------------------------------------------------------------------------------

TEST(RecurrentA2c, TheGradientIsThatOfTheSummedLoss) {
  A2cOptions const options{.discount = 0.9, .gae_lambda = 0.8, .value_weight = 0.5, .entropy_weight = 0.01};
  for (auto const kind : kinds)
    for (auto const& group : groups) {
      Played<A2cLearner, A2cOptions> played(options, group, kind);
      played.learner.update(played.rollout);
      auto const advantages = played.own(played.rollout.advantages).to(at::kDouble);
      auto const returns = played.own(played.rollout.returns).to(at::kDouble);
      expect_gradient(played, played.gradient(at::ones_like(returns), advantages, returns, 0.5, 0.01));
    }
}

TEST(RecurrentReinforce, TheGradientIsThatOfWholeEpisodes) {
  for (auto const kind : kinds)
    for (auto const& group : groups)
      for (auto const loss : {Loss::mean, Loss::sum}) {
        ReinforceOptions const options{.loss = loss, .entropy_weight = 0.01};
        Played<ReinforceLearner, ReinforceOptions> played(options, group, kind);
        played.learner.update(played.rollout);
        auto const ended = played.own(played.rollout.ended).ne(0).to(at::kDouble);
        auto const whole = ended.flip(0).cumsum(0).flip(0).gt(0).to(at::kDouble);
        EXPECT_LT(number(whole.mean()), 1) << "some episodes go on";
        auto const advantages = played.own(played.rollout.advantages).to(at::kDouble);
        auto const weights = loss == Loss::sum ? whole : whole / whole.sum();
        expect_gradient(played, played.gradient(weights, advantages, advantages, 0, 0.01));
      }
}

TEST(RecurrentPpo, TheGradientOfOneMinibatchIsThatOfTheMeanLoss) {
  PpoOptions options{.discount = 0.9, .epochs = 1, .minibatches = 1, .kl_coefficient = 0, .entropy_weight = 0.02};
  for (auto const kind : kinds)
    for (auto const& group : groups) {
      Played<PpoLearner, PpoOptions> played(options, group, kind);
      played.learner.update(played.rollout);
      auto const advantages = played.own(played.rollout.advantages).to(at::kDouble);
      auto const returns = played.own(played.rollout.returns).to(at::kDouble);
      EXPECT_NEAR(number(advantages.mean()), 0, 1e-6);
      auto const weights = at::full_like(returns, 1.0 / double(returns.numel()));
      expect_gradient(played, played.gradient(weights, advantages, returns, 0.5, 0.02));
    }
}

/// The loss of every sequence in `starts` by itself, one after the other in the index.
PpoLossArgs policy_loss(Rollout const& rollout, StochasticActor const& actor, at::Tensor const& index) {
  static float const no_penalty = 0;
  return {.layout = rollout.shape.actions,
          .clip = 0,
          .value_weight = 0.5,
          .entropy_weight = 0.01,
          .scale = float(1 / double(index.numel())),
          .kl_coefficient = &no_penalty,
          .log_sd = actor.log_sd().data_ptr<float>(),
          .old_log_sd = actor.log_sd().data_ptr<float>(),
          .index = index.data_ptr<std::int64_t>(),
          .rows = index.numel(),
          .old_parameters = rollout.parameters.data_ptr<float>(),
          .old_log_probabilities = rollout.log_probabilities.data_ptr<float>(),
          .advantages = rollout.rewards.data_ptr<float>(),
          .returns = rollout.rewards.data_ptr<float>(),
          .continuous = rollout.continuous.data_ptr<float>(),
          .discrete = rollout.discrete.data_ptr<std::int32_t>(),
          .masks = rollout.masks.data_ptr<std::uint8_t>(),
          .outputs = {}};
}

/// Samples of the sequences that begin at `starts`, [sequence, starts].
at::Tensor samples_of(int sequence, at::Tensor const& starts) {
  return ((at::arange(sequence, at::kLong) * columns).unsqueeze(1) + starts).contiguous();
}

TEST(RecurrentPpo, CopiesOfATrajectoryHaveItsGradient) {
  for (auto const kind : kinds) {
    Played<PpoLearner, PpoOptions> played({}, {0, 1, 2}, kind);
    auto& actor = played.learner.actor();
    auto const gradient = [&](at::Tensor const& starts) {
      auto const index = samples_of(steps, starts);
      actor.differentiate(policy_loss(played.rollout, actor, index), played.rollout, {});
      return actor.gradients().clone();
    };
    auto const one = gradient(at::tensor({4}, at::kLong));
    EXPECT_LT(distance(gradient(at::full({8}, 4, at::kLong)), one), 1e-5 * number(one.abs().max()));
    EXPECT_GT(distance(gradient(at::tensor({5}, at::kLong)), one), 0.1 * number(one.abs().max()));
  }
}

TEST(RecurrentPpo, ASequenceCutInTwoHasTheSameProbabilitiesAndNoGradientThroughTheCut) {
  for (auto const kind : kinds)
    for (auto const& group : groups) {
      Played<PpoLearner, PpoOptions> played({}, group, kind, 3);
      auto& actor = played.learner.actor();
      auto const own = (at::arange(instances, at::kLong).unsqueeze(1) * agents + played.group).flatten();
      auto const index = samples_of(3, at::cat({own, own + 3 * columns}));  // both halves of all sequences
      auto const terms = at::zeros({4});
      actor.differentiate(policy_loss(played.rollout, actor, index), played.rollout, terms);
      EXPECT_NEAR(number(terms[2]), 0, 1e-6) << "KL from the distribution that acted";

      auto const p = played.before.clone().set_requires_grad(true);
      PlainRecurrent const network(actor.network_shape(), p);
      auto const seen = played.observations(), resets = played.resets();
      auto const first = network.sequence(seen.narrow(0, 0, 3), played.no_memory(), resets.narrow(0, 0, 3));
      auto const second = network.sequence(seen.narrow(0, 3, 3), first.state.detach(), resets.narrow(0, 3, 3));
      auto const now = at::cat({first.distribution, second.distribution}).flatten(0, 1);
      auto const values = at::cat({first.values, second.values}).flatten();
      auto const rewards = played.own(played.rollout.rewards).flatten().to(at::kDouble);
      auto const& layout = played.rollout.shape.actions;
      auto const loss = -log_probability(layout, now, network.log_sd, played.actions()) * rewards +
                        0.25 * (values - rewards).square() -
                        0.01 * entropy(layout, now, network.log_sd, played.actions().masks);
      loss.mean().backward();
      expect_gradient(played, p.grad());
    }
}

TEST(RecurrentPpo, LearnsFromShuffledSequences) {
  Played<PpoLearner, PpoOptions> played({.epochs = 2, .minibatches = 4}, {0, 1, 2}, MemoryKind::lstm, 2);
  played.learner.update(played.rollout);
  auto const moved = played.learner.actor().parameters().to(at::kDouble) - played.before;
  EXPECT_TRUE(at::isfinite(moved).all().item<bool>());
  EXPECT_GT(number(moved.abs().max()), 1e-4);
  EXPECT_GT(number(played.learner.figures()[2]), 0) << "KL";
  EXPECT_LT(number(played.learner.figures()[2]), 0.1) << "KL";
}

// ---- One network for several agents ---------------------------------------------------------------------------------

/// Two agents of one step, logits 0, who see nothing: agent 0 takes choice 0 and earns 2, agent 1 takes choice 1 and
/// earns 1.
struct TwoAgents {
  RolloutShape shape{.steps = 1, .instances = 1, .agents = 2, .width = 1, .actions = heads(0, {2})};
  Rollout rollout = make_rollout(shape, at::kCPU);

  TwoAgents() {
    rollout.discrete.copy_(at::tensor({0, 1}).view_as(rollout.discrete));
    rollout.rewards.copy_(at::tensor({2.0, 1.0}).view_as(rollout.rewards));
    rollout.log_probabilities.fill_(std::log(0.5));
    rollout.ended.fill_(1);
  }
  NetworkShape network() const { return {.inputs = 1, .hidden = {}, .actions = shape.actions}; }
};

/// The bias of the logits, the only parameters that matter where nothing is seen.
at::Tensor bias(at::Tensor const& parameters) { return parameters.narrow(0, 2, 2); }

TEST(SharedReinforce, TheLossOfTwoAgentsIsTheMean) {
  TwoAgents const two;
  ReinforceLearner learner({.discount = 1, .baseline = ReinforceBaseline::none, .entropy_weight = 0},
                           {.agents = {0, 1}}, two.network(), two.shape, at::kCPU);
  learner.update(two.rollout);
  EXPECT_NEAR(number(-(two.rollout.log_probabilities * two.rollout.returns.view_as(two.rollout.rewards)).mean()),
              1.0397207708, 1e-6);
  EXPECT_LT(distance(bias(learner.actor().gradients()), at::tensor({-0.25, 0.25})), 1e-6);
}

TEST(SharedReinforce, UpdatesAgentByAgentAreNoJointUpdate) {
  TwoAgents const two;
  auto const descended = [&](std::vector<std::vector<std::int64_t>> const& turns) {
    auto const actor = make_stochastic_actor({.agents = {0, 1}}, two.network(), two.shape, at::kCPU);
    bias(actor->parameters()).zero_();
    static float const no_penalty = 0, nothing[2] = {};
    for (auto const& turn : turns) {
      auto const index = at::tensor(turn, at::kLong);
      actor->differentiate({.layout = two.shape.actions,
                            .clip = 0,
                            .value_weight = 0,
                            .entropy_weight = 0,
                            .scale = 1,
                            .kl_coefficient = &no_penalty,
                            .log_sd = nothing,
                            .old_log_sd = nothing,
                            .index = index.data_ptr<std::int64_t>(),
                            .rows = index.numel(),
                            .old_parameters = two.rollout.parameters.data_ptr<float>(),
                            .old_log_probabilities = nullptr,
                            .advantages = two.rollout.rewards.data_ptr<float>(),
                            .returns = nothing,
                            .continuous = nullptr,
                            .discrete = two.rollout.discrete.data_ptr<std::int32_t>(),
                            .masks = nullptr,
                            .outputs = {}},
                           two.rollout, {});
      at::NoGradGuard const no_grad;
      actor->parameters().sub_(actor->gradients(), 0.1);
    }
    return bias(actor->parameters()).clone();
  };
  EXPECT_LT(distance(descended({{0, 1}}), at::tensor({0.05, -0.05})), 1e-6);
  EXPECT_LT(distance(descended({{0}, {1}}), at::tensor({0.0450166, -0.0450166})), 1e-6);
}

TEST(SharedReinforce, SequentialUpdatesTakeAStepForEachAgent) {
  TwoAgents const two;
  std::vector<at::Tensor> found;
  for (auto const update : {ReinforceUpdate::joint, ReinforceUpdate::sequential}) {
    ReinforceLearner learner({.baseline = ReinforceBaseline::none, .update = update, .entropy_weight = 0},
                             {.agents = {0, 1}}, two.network(), two.shape, at::kCPU);
    learner.update(two.rollout);
    double taken = 0;
    for (auto const& [name, tensor, axis] : learner.state())
      if (name == "adam.step") taken = number(tensor);
    EXPECT_EQ(taken, update == ReinforceUpdate::joint ? 1 : 2);
    found.push_back(bias(learner.actor().gradients()).clone());
  }
  // The second step's gradient is that of agent 1 alone, under the policy that the first step has left.
  EXPECT_LT(distance(found[1], at::tensor({0.5, -0.5})), 0.01);
  EXPECT_GT(distance(found[1], found[0]), 0.5);
}

}  // namespace
}  // namespace shoal
