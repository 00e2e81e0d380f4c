// A stochastic policy with a critic and without memory: samples actions from the distribution that its network gives.
#pragma once

#include "shoal/learn/stochastic_actor.hpp"

namespace shoal {

class NetworkPath;

class PolicyActor final : public StochasticActor {
 public:
  PolicyActor(ActorConfig config, NetworkShape network, RolloutShape const& rollout, at::Device device);
  PolicyActor(PolicyActor const&) = delete;
  ~PolicyActor() override;

  /// Fills values, distribution parameters, actions, log-probabilities and entropies of slot t.
  void act(Rollout const& rollout, int t) override;
  void evaluate_end(Rollout const& rollout) override;
  std::unique_ptr<Actor> copy(RolloutShape const& rollout, std::uint32_t seed) const override;
  void differentiate(PpoLossArgs const& args, Rollout const& rollout, at::Tensor const& terms) override;

  at::Tensor const& parameters() const override { return network_.parameters(); }
  at::Tensor const& gradients() const override { return network_.gradients(); }
  at::Tensor const& log_sd() const override { return network_.log_sd(); }
  NetworkShape const& network_shape() const override { return network_.shape(); }
  at::Tensor policy_parameters() const override { return network_.parameters(); }
  ActorCritic const& network() const { return network_; }

 private:
  /// Values into slot t. @return the distributions' parameters [rows, P]: slot t itself if it acts for all agents
  at::Tensor infer_some(Rollout const& rollout, int t);
  void evaluate(at::Tensor const& observations, at::Tensor const& values);

  ActorCritic network_;
  std::unique_ptr<NetworkPath> path_;
};

}  // namespace shoal
