// Acts by the environment's own heuristic (env/heuristic.hpp). It has no parameters.
#pragma once

#include "shoal/env/heuristic.hpp"
#include "shoal/learn/actor.hpp"

namespace shoal {

/// Where a group's rows have what the heuristic reads.
struct HeuristicRows {
  int first_agent;  // the number in an instance of the group's agent 0
  int type_at;      // the column where the type begins; -1: it is not observed
};

class HeuristicActor final : public Actor {
 public:
  HeuristicActor(std::shared_ptr<Heuristic const> heuristic, HeuristicRows rows, ActorConfig config,
                 RolloutShape const& rollout, at::Device device);

  /// Fills the actions of slot t, and nothing that a learner would need.
  void act(Rollout const& rollout, int t) override;
  std::unique_ptr<Actor> copy(RolloutShape const& rollout, std::uint32_t seed) const override;

  at::Tensor const& parameters() const override { return parameters_; }
  NetworkShape const& network_shape() const override { return shape_; }

 private:
  std::shared_ptr<Heuristic const> heuristic_;
  HeuristicRows rows_;
  at::Tensor parameters_;  // none, on the device
  NetworkShape shape_;     // without layers
};

}  // namespace shoal
