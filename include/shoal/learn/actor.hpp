// What acts for some agents of a rollout: parameters and random numbers, without a loss or an optimizer. A learner
// trains one; validation and the equilibrium check play copies that stay as they are.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "shoal/core/random.hpp"
#include "shoal/data/collective.hpp"
#include "shoal/data/rollout.hpp"
#include "shoal/nn/network.hpp"

namespace shoal {

/// Which agents an actor acts for, and where its random numbers come from.
struct ActorConfig {
  /// Numbers in their group, whose rollout it acts in.
  std::vector<int> agents;
  int group = 0;
  Purpose purpose = Purpose::action;
  std::uint32_t seed = 0;
  /// Tells the actors of one run apart, for their initial parameters and the order of their samples.
  std::uint32_t stream = 0;
  /// So many consecutive instances draw the same random numbers.
  int common = 1;
  /// Our own kernels where they fit; false: LibTorch's operators.
  bool fused = true;
  /// Steps that a policy with memory is differentiated through at once, a divisor of the rollout's; 0: all of them.
  int sequence = 0;
  /// The processes that the instances are spread over: every one draws numbers of its own.
  Collective collective = {};
};

class Actor {
 public:
  virtual ~Actor() = default;

  /// Names the stage, for the random numbers of its actions. Waits for nothing.
  void begin(std::int64_t stage);

  /// Fills slot t: actions, and what the learner needs to know of how they were chosen.
  virtual void act(Rollout const& rollout, int t) = 0;

  /// Fills the values that follow the last slot and the final observations.
  virtual void evaluate_end(Rollout const& /*rollout*/) {}

  /// All agents begin an episode: empties their memories.
  virtual void forget() {}
  /// What the agents remember between two stages, for checkpoints; undefined without memory.
  virtual at::Tensor memory() const { return {}; }

  /// An actor with the same parameters and random numbers of its own, for another rollout.
  virtual std::unique_ptr<Actor> copy(RolloutShape const& rollout, std::uint32_t seed) const = 0;

  /// All parameters in one flat tensor, which may be written.
  virtual at::Tensor const& parameters() const = 0;
  virtual NetworkShape const& network_shape() const = 0;
  /// Parameters from which a stochastic policy of network_shape() can go on; undefined if this actor has none.
  virtual at::Tensor policy_parameters() const { return {}; }

  std::vector<int> const& agents() const { return config_.agents; }
  ActorConfig const& config() const { return config_; }
  void set_common(int instances) { config_.common = instances; }
  void set_collective(Collective const& collective) { config_.collective = collective; }

  Collective const& collective() const { return config_.collective; }

  /// Whether it acts for all agents of the rollout, so that its rows are the slot itself.
  bool is_alone() const { return alone_; }
  /// [members] on the device; null: all agents.
  std::int32_t const* some_agents() const { return alone_ ? nullptr : agents_.data_ptr<std::int32_t>(); }

 protected:
  Actor(ActorConfig config, RolloutShape const& rollout, at::Device device);

  /// The stage, one value on the device.
  std::uint32_t const* stage() const { return static_cast<std::uint32_t const*>(stage_.data_ptr()); }

  /// [instances, agents, ...] -> the rows of this actor's agents.
  at::Tensor own_rows(at::Tensor const& slot) const;
  /// The reverse, for one value a row.
  void put_rows(at::Tensor const& slot, at::Tensor const& rows) const;
  /// Draws the actions of slot t, with log-probabilities and entropies.
  /// @param parameters  of the agents' distributions, [rows, P]; kept in the slot  @param log_sd  of the continuous
  ///                    heads
  void sample(Rollout const& rollout, int t, float const* parameters, at::Tensor const& log_sd) const;

 private:
  ActorConfig config_;
  bool alone_;
  at::Tensor agents_;  // [members] i32 on the device
  at::Tensor stage_;   // one i32 on the device
};

}  // namespace shoal
