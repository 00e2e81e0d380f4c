// Acts epsilon-greedily on the action values of its network: for one discrete head.
#pragma once

#include "shoal/learn/actor.hpp"

namespace shoal {

class NetworkPath;

class QActor final : public Actor {
 public:
  /// @param dueling  Q = V + A - mean A of the legal actions, V the network's critic and A its actor; else Q = A
  /// @param epsilon  of copies, and of itself until set_epsilon()
  QActor(ActorConfig config, NetworkShape network, bool dueling, double epsilon, RolloutShape const& rollout,
         at::Device device);
  QActor(QActor const&) = delete;
  ~QActor() override;

  /// The distribution's parameters are the logarithms of the actions' probabilities.
  void act(Rollout const& rollout, int t) override;
  std::unique_ptr<Actor> copy(RolloutShape const& rollout, std::uint32_t seed) const override;

  at::Tensor const& parameters() const override { return network_.parameters(); }
  NetworkShape const& network_shape() const override { return network_.shape(); }
  ActorCritic const& network() const { return network_; }

  /// Waits for nothing.
  void set_epsilon(double epsilon) { epsilon_.fill_(epsilon); }

  /// With gradients. @param legal  bool [m, choices]; undefined: all are  @return [m, choices], -inf where illegal
  at::Tensor q_values(at::Tensor const& observations, at::Tensor const& legal) const;

 private:
  at::Tensor combined(at::Tensor const& advantages, at::Tensor const& values, at::Tensor const& legal) const;

  bool dueling_;
  double resting_epsilon_;
  ActorCritic network_;
  std::unique_ptr<NetworkPath> path_;
  at::Tensor epsilon_;  // one value, on the device
};

}  // namespace shoal
