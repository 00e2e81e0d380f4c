// A2C and REINFORCE: the gradient that each leaves in its network equals that of its loss, written out with autograd in
// double.
#include "shoal/learn/a2c.hpp"
#include "shoal/learn/reinforce.hpp"
#include "shoal/nn/distribution.hpp"
#include "support/helpers.hpp"
#include "support/played.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr int steps = 7, instances = 4, agents = TaggedSimulator::agents;

/// A rollout of the tagged simulator in which a learner has acted for some of the agents.
template <class L, class Options>
struct Played {
  TaggedSimulator simulator{instances};
  Rollout rollout;
  L learner;
  std::vector<int> group;
  at::Tensor before;  // the parameters that acted, f64

  /// @param mortal  about a third of the agents' rows are of dead ones
  Played(Options const& options, std::vector<int> const& members, bool fused, bool mortal = false)
      : rollout(make_rollout(shape_of(simulator, mortal), at::kCPU)),
        learner(options, {.agents = members, .seed = 3, .fused = fused},
                {.inputs = TaggedSimulator::width, .hidden = {8}, .actions = rollout.shape.actions}, rollout.shape,
                at::kCPU),
        group(members) {
    before = play(learner, simulator, rollout);
    if (mortal) rollout.alive.copy_(random_unit(rollout.alive.sizes(), 9) < 2.0 / 3);
    learner.update(rollout);
  }

  static RolloutShape shape_of(Simulator const& simulator, bool mortal) {
    auto shape = rollout_shape(simulator, steps);
    shape.mortal = mortal;
    return shape;
  }

  /// The group's samples of a field [T, N, agents, ...], f64.
  at::Tensor own(at::Tensor const& field) const {
    return field.narrow(0, 0, steps).index_select(2, at::tensor(group)).flatten(0, 2);
  }
  double reward(int t, int n, int a) const { return number(rollout.rewards[t][n][a]); }
  Ended ended(int t, int n) const { return TaggedSimulator::ended(t, n); }
  double value(int t, int n, int a) const { return number(rollout.values[t][n][a]); }

  /// The gradient of the sum of weights * (-log pi(a) advantages + value_weight / 2 (V - returns)^2 - entropy_weight
  /// H).
  at::Tensor gradient(at::Tensor const& weights, at::Tensor const& advantages, at::Tensor const& returns,
                      double value_weight, double entropy_weight) const {
    auto const p = before.clone().set_requires_grad(true);
    auto const& shape = learner.actor().network_shape();
    PlainNetwork const network(shape, p);
    ActionRows const actions{own(rollout.continuous).to(at::kDouble), own(rollout.discrete), own(rollout.masks)};
    auto const x = own(rollout.observations).to(at::kDouble);
    auto const now = network.distribution(x);
    auto const log_p = log_probability(shape.actions, now, network.log_sd, actions);
    auto const loss = -(weights * log_p * advantages).sum() +
                      value_weight / 2 * (weights * (network.value(x) - returns).square()).sum() -
                      entropy_weight * (weights * entropy(shape.actions, now, network.log_sd, actions.masks)).sum();
    loss.backward();
    return p.grad();
  }
};

std::vector<std::vector<int>> const groups = {{0, 1, 2}, {2, 0}, {1}};

/// f(t, n, agent) of a group's samples.
template <class F>
at::Tensor of_samples(std::vector<int> const& group, F f) {
  std::vector<double> values;
  for (int t = 0; t < steps; ++t)
    for (int n = 0; n < instances; ++n)
      for (int const a : group) values.push_back(f(t, n, a));
  return at::tensor(values, at::kDouble);
}

TEST(A2c, TheGradientIsThatOfTheSummedLoss) {
  A2cOptions const options{.discount = 0.9, .gae_lambda = 1, .value_weight = 0.5, .entropy_weight = 0.01};
  for (auto const& group : groups)
    for (int variant = 0; variant < 4; ++variant) {
      bool const fused = variant % 2 == 0, mortal = variant >= 2;
      Played<A2cLearner, A2cOptions> const played(options, group, fused, mortal);
      std::function<double(int, int, int)> const target = [&](int t, int n, int a) {
        auto const end = played.ended(t, n);
        double const next = end == Ended::terminated  ? 0
                            : end == Ended::truncated ? number(played.rollout.final_values[t][n][a])
                            : t + 1 == steps          ? played.value(steps, n, a)
                                                      : target(t + 1, n, a);
        return played.reward(t, n, a) + options.discount * next;
      };
      auto const returns = of_samples(group, target);
      auto const values = of_samples(group, [&](int t, int n, int a) { return played.value(t, n, a); });
      auto const weights = mortal ? played.own(played.rollout.alive).to(at::kDouble) : at::ones_like(returns);
      auto const expected = played.gradient(weights, returns - values, returns, 0.5, 0.01);
      EXPECT_LT(distance(played.learner.actor().gradients(), expected), 2e-4 * number(expected.abs().max()));
    }
}

/// Steps whose episode ends within the rollout, and their discounted returns.
TEST(Reinforce, TheGradientIsThatOfWholeEpisodes) {
  for (auto const baseline : {ReinforceBaseline::none, ReinforceBaseline::batch, ReinforceBaseline::agents})
    for (auto const& group : groups) {
      ReinforceOptions const options{.discount = 0.9, .baseline = baseline, .entropy_weight = 0.01};
      Played<ReinforceLearner, ReinforceOptions> const played(options, group, true);
      auto const is_whole = [&](int t, int n) {
        for (; t < steps; ++t)
          if (played.ended(t, n) != Ended::no) return true;
        return false;
      };
      std::function<double(int, int, int)> const target = [&](int t, int n, int a) {
        bool const last = played.ended(t, n) != Ended::no || t + 1 == steps;
        return played.reward(t, n, a) + (last ? 0 : options.discount * target(t + 1, n, a));
      };
      auto const base = [&](int t, int n) {
        double sum = 0, count = 0;
        for (int m = 0; m < instances; ++m)
          for (int const a : baseline == ReinforceBaseline::batch ? group : std::vector{0, 1, 2})
            if (is_whole(t, m) && (baseline == ReinforceBaseline::batch || m == n)) sum += target(t, m, a), ++count;
        return baseline == ReinforceBaseline::none || count == 0 ? 0 : sum / count;
      };
      auto const whole = of_samples(group, [&](int t, int n, int) { return double(is_whole(t, n)); });
      auto const advantages = of_samples(group, [&](int t, int n, int a) { return target(t, n, a) - base(t, n); });
      EXPECT_LT(number(whole.sum()), double(whole.numel())) << "some episodes go on";
      auto const expected = played.gradient(whole / whole.sum(), advantages, advantages, 0, 0.01);
      EXPECT_LT(distance(played.learner.actor().gradients(), expected), 2e-4 * number(expected.abs().max()));
    }
}

}  // namespace
}  // namespace shoal
