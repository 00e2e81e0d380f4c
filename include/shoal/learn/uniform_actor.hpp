// Acts uniformly: continuous actions between their bounds, choices among the legal ones. It has no parameters.
#pragma once

#include "shoal/learn/actor.hpp"

namespace shoal {

class UniformActor final : public Actor {
 public:
  /// @throws InputError for more than max_uniform_heads heads of a kind
  UniformActor(ActorConfig config, RolloutShape const& rollout, at::Device device);

  /// Fills the actions of slot t, and nothing that a learner would need.
  void act(Rollout const& rollout, int t) override;
  std::unique_ptr<Actor> copy(RolloutShape const& rollout, std::uint32_t seed) const override;

  at::Tensor const& parameters() const override { return parameters_; }
  NetworkShape const& network_shape() const override { return shape_; }

 private:
  at::Tensor parameters_;  // none, on the device
  NetworkShape shape_;     // without layers
};

}  // namespace shoal
