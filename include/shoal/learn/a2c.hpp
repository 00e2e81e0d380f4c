// Advantage actor-critic: one step of the summed loss's gradient for each rollout (Mnih et al., arXiv 1602.01783,
// without threads).
#pragma once

#include "shoal/learn/policy_gradient.hpp"

namespace shoal {

class A2cLearner final : public PolicyGradientLearner {
 public:
  A2cLearner(A2cOptions const& options, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
             at::Device device);

  /// loss = sum over the samples of -log pi(a) A + value_weight (V - R)^2 / 2 - entropy_weight H, A = R - V.
  void update(Rollout const& rollout) override;

  std::vector<std::string> figure_names() const override { return {"policy_loss", "value_loss", "entropy"}; }
  at::Tensor figures() const override;

 private:
  A2cOptions options_;
};

}  // namespace shoal
