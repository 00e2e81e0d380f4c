// Proximal policy optimization with an adaptive KL penalty (Schulman et al., arXiv 1707.06347, sections 3 and 4). The
// default of policies; the RL calibrator and the deviations of the equilibrium check learn with it.
#pragma once

#include "shoal/learn/policy_gradient.hpp"

namespace shoal {

class PpoLearner final : public PolicyGradientLearner {
 public:
  PpoLearner(PpoOptions const& options, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
             at::Device device);

  /// Estimates the advantages, then learn().
  void update(Rollout const& rollout) override;
  /// Epochs of minibatches from the rollout's advantages, which are standardized first, and returns.
  void learn(Rollout const& rollout);

  std::vector<std::string> figure_names() const override;
  at::Tensor figures() const override;
  void explore_again() override;
  NamedTensors state() const override;

  PpoOptions const& options() const { return options_; }

 private:
  void adapt_kl_coefficient();

  PpoOptions options_;
  at::Tensor kl_coefficient_;
};

}  // namespace shoal
