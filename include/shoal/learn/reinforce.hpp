// REINFORCE (Williams, 1992): the gradient of whole episodes' returns, with a baseline and without a critic.
#pragma once

#include "shoal/learn/policy_gradient.hpp"

namespace shoal {

class ReinforceLearner final : public PolicyGradientLearner {
 public:
  ReinforceLearner(ReinforceOptions const& options, ActorConfig actor, NetworkShape network,
                   RolloutShape const& rollout, at::Device device);

  /// loss = mean (or sum) of -log pi(a_t) (G_t - b) - entropy_weight H over the steps whose episode ends within the
  /// rollout; G_t is the discounted return from t to that end. One step of the optimizer for all agents, or one for
  /// each in turn.
  void update(Rollout const& rollout) override;

  std::vector<std::string> figure_names() const override { return {"policy_loss", "entropy"}; }
  at::Tensor figures() const override;

 private:
  at::Tensor baseline(at::Tensor const& returns, at::Tensor const& counts) const;
  at::Tensor subtract_baseline(Rollout const& rollout) const;
  std::vector<at::Tensor> samples_of_steps() const;
  void take_step(Rollout const& rollout, at::Tensor const& index);

  ReinforceOptions options_;
  at::Tensor zeros_;   // [T + 1, N, A]: values of a critic that there is not
  at::Tensor agents_;  // [members] i64
};

}  // namespace shoal
