#include "shoal/learn/a2c.hpp"

#include <ATen/ATen.h>

namespace shoal {

A2cLearner::A2cLearner(A2cOptions const& options, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
                       at::Device device)
    : PolicyGradientLearner(options.learning_rate, std::move(actor), std::move(network), rollout, device),
      options_(options) {}

/// The policy has not changed since it acted: all ratios are 1, and the gradient of ratio * A is that of log pi(a) * A.
void A2cLearner::update(Rollout const& rollout) {
  estimate_advantages(rollout, actor(), options_.discount, options_.gae_lambda);
  begin_update(rollout, Loss::sum);
  auto args = loss_args(rollout, samples(), /*count=*/1);
  args.value_weight = float(options_.value_weight);
  args.entropy_weight = float(options_.entropy_weight);
  differentiate(args, rollout, true);
  descend(options_.max_grad_norm);
  end_update(double(samples().numel() * collective().size()));
}

at::Tensor A2cLearner::figures() const {
  auto const all = PolicyGradientLearner::figures();
  return at::cat({all.narrow(0, 0, 2), all.narrow(0, 3, 1)});
}

}  // namespace shoal
