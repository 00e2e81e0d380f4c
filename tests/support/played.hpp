// A rollout in which a learner has acted, for tests of its update.
#pragma once

#include "support/helpers.hpp"
#include "support/tagged_simulator.hpp"

namespace shoal::test {

/// Moves the learner's parameters at random and fills the rollout. @return the parameters that acted, f64
template <class L>
at::Tensor play(L& learner, TaggedSimulator& simulator, Rollout const& rollout) {
  auto const& parameters = learner.actor().parameters();
  parameters.add_(random_normal(parameters.sizes(), 5) * 0.3);
  auto const before = parameters.detach().to(at::kDouble).clone();
  simulator.reset(rollout.first());
  learner.begin(1);
  for (int t = 0; t < rollout.shape.steps; ++t) {
    learner.actor().act(rollout, t);
    simulator.step(rollout.input(t), rollout.output(t));
  }
  rollout.rewards.mul_(0.01);
  learner.actor().evaluate_end(rollout);
  return before;
}

}  // namespace shoal::test
