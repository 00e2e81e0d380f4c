// An actor that policy gradients train: a stochastic policy with a critic.
#pragma once

#include <memory>

#include "shoal/learn/actor.hpp"
#include "shoal/ops/ppo_loss.hpp"

namespace shoal {

class StochasticActor : public Actor {
 public:
  /// [continuous heads], part of parameters().
  virtual at::Tensor const& log_sd() const = 0;
  /// Of parameters(), as the last differentiate() left them.
  virtual at::Tensor const& gradients() const = 0;

  /// Overwrites the gradients with those of a minibatch.
  /// @param args   without outputs; its index names whole sequences, [sequence(), m] samples of the flattened rollout
  /// @param terms  [4], gains the rows' PpoTerms times args.scale; undefined: they are not wanted
  virtual void differentiate(PpoLossArgs const& args, Rollout const& rollout, at::Tensor const& terms) = 0;

  /// Consecutive steps of an agent that a minibatch keeps together: 1 without memory.
  virtual int sequence() const { return 1; }

 protected:
  using Actor::Actor;
};

/// A RecurrentActor for a network with memory, else a PolicyActor.
/// @throws InputError for sequences that do not divide the rollout's steps
std::unique_ptr<StochasticActor> make_stochastic_actor(ActorConfig config, NetworkShape network,
                                                       RolloutShape const& rollout, at::Device device);

}  // namespace shoal
