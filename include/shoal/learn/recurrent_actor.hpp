// A stochastic policy with a memory: each agent of each instance has a state of its own, which is zeroed where that
// agent's episode ends. The network's weights are shared, the states are not.
#pragma once

#include "shoal/learn/stochastic_actor.hpp"
#include "shoal/nn/recurrent_network.hpp"

namespace shoal {

class LossGradient;

class RecurrentActor final : public StochasticActor {
 public:
  /// @throws InputError for sequences that do not divide the rollout's steps
  RecurrentActor(ActorConfig config, NetworkShape network, RolloutShape const& rollout, at::Device device);
  ~RecurrentActor() override;

  /// Fills slot t as PolicyActor does, and moves the states on by a step. Slots come in turn; before slot 0 comes the
  /// last one of the rollout's former use, whose `ended` it still holds.
  void act(Rollout const& rollout, int t) override;
  /// The states stay those after the last slot, zeroed where an episode ended.
  void evaluate_end(Rollout const& rollout) override;
  void forget() override;
  std::unique_ptr<Actor> copy(RolloutShape const& rollout, std::uint32_t seed) const override;

  /// Through the steps of a sequence, from the state that its agent had before it.
  void differentiate(PpoLossArgs const& args, Rollout const& rollout, at::Tensor const& terms) override;
  int sequence() const override { return sequence_; }
  at::Tensor memory() const override { return state_; }

  at::Tensor const& parameters() const override { return network_.parameters(); }
  at::Tensor const& gradients() const override { return network_.gradients(); }
  at::Tensor const& log_sd() const override { return network_.log_sd(); }
  NetworkShape const& network_shape() const override { return network_.shape(); }
  RecurrentNetwork const& network() const { return network_; }

 private:
  void end_slot(Rollout const& rollout, int t, bool evaluates);
  void evaluate(at::Tensor const& observations, at::Tensor const& values) const;
  at::Tensor starts_of(at::Tensor const& samples, RolloutShape const& shape) const;

  RecurrentNetwork network_;
  std::unique_ptr<LossGradient> loss_;
  int sequence_;
  at::Tensor state_;   // [rows, memory.state()], a row an agent that it acts for
  at::Tensor starts_;  // [sequences, rows, memory.state()], before each sequence of the rollout
  at::Tensor row_of_;  // [instances * agents] i64: the row of an agent that it acts for
};

}  // namespace shoal
