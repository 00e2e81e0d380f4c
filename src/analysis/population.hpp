// A population that acts with frozen policies, and the one agent of each instance that may act with a network of its
// own.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "shoal/analysis/frozen_game.hpp"
#include "shoal/learn/ppo.hpp"

namespace shoal {

/// A simulator whose agents act with the policies of a game. Its rollout has one slot, written over in every step.
class Population {
 public:
  /// Begins an episode in every instance.
  /// @param instances   of all processes of `collective`, which divides them
  /// @param seed        of the environment's and the actions' random numbers
  Population(FrozenGame const& game, int instances, std::uint32_t seed, Collective const& collective = {});

  /// All agents' actions; none without policies. @param tick  tells the random numbers of steps apart
  void act(std::int64_t tick);
  void step();

  Simulator const& simulator() const { return *simulator_; }
  Spec const& spec() const { return simulator_->spec(); }
  /// Of a group: observations and masks before, rewards and ended after a step.
  Rollout const& slot(int group = 0) const { return slots_[std::size_t(group)]; }
  std::vector<Rollout> const& slots() const { return slots_; }
  at::Tensor episode_metrics() const;  // [instances, metrics], means over the episodes that have ended
  at::Tensor rewards() const;          // [instances, agents] of the last step, of all groups
  at::Tensor ended() const;            // [instances] bool: whether the last step ended the episode

 private:
  std::unique_ptr<Simulator> simulator_;
  std::vector<Rollout> slots_;
  std::vector<std::unique_ptr<Actor>> policies_;
};

/// One agent of each instance of a population, with a network of its own. It draws the random numbers of the agent that
/// it stands for, so a network equal to that agent's policy takes the same actions.
class Deviant {
 public:
  /// @param group  of the deviating agents  @param steps  of its rollout, whose only agent it is
  Deviant(Population const& population, int group, PpoOptions const& options, std::uint32_t seed,
          NetworkShape const& network, int steps);

  /// Says which agents of the group deviate from now on, [instances] i64.
  void choose(at::Tensor const& agents);
  at::Tensor const& agents() const { return agents_; }

  /// Copies a network's parameters.
  void take(at::Tensor const& parameters);
  at::Tensor const& parameters() const { return learner_->actor().parameters(); }

  void begin(std::int64_t stage) { learner_->begin(stage); }

  /// Puts the deviating agents' actions in place of those that the population chose.
  void act(Population const& population, int t);
  /// Keeps what the deviating agents earned. An episode's end is its end, truncated or not: this is how it is valued.
  void record(Population const& population, int t);
  /// One update from the rollout; the population has been observed but has not acted since its last step.
  void learn(Population const& population);

 private:
  at::Tensor pick(at::Tensor const& slot) const;
  void see(Population const& population, int t);

  Rollout rollout_;  // of one agent
  std::unique_ptr<PpoLearner> learner_;
  at::Tensor agents_, rows_;  // [instances] i64; rows of a slot [instances * agents, ...]
  int group_;
  std::int64_t count_;  // agents of an instance in the group
};

}  // namespace shoal
