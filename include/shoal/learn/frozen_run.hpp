// The policies that another run has trained, as they were.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "shoal/learn/actor.hpp"
#include "shoal/learn/options.hpp"

namespace shoal {

/// A policy that no longer learns.
struct FrozenPolicy {
  int group = 0;                 // of the agents that it was trained for
  std::vector<int> agents = {};  // their numbers in it
  PolicyOptions options = {};    // that it was trained with
  int width = 0;                 // of an observation
  int critic_only = 0;           // its last columns, which the policy did not see
  ActionLayout actions = {};
  at::Tensor parameters = {};
};

struct FrozenRun {
  std::string name;         // what errors call it: its folder
  std::string environment;  // that it was trained in
  std::vector<FrozenPolicy> policies;
};

/// The policy of `run` that acts for all of these agents of the group.
/// @throws SettingError about policy.run if there is none, or if it takes other observations or actions than the
///         rollout has
FrozenPolicy const& frozen_policy(FrozenRun const& run, int group, std::vector<int> const& agents,
                                  RolloutShape const& rollout);

/// An actor with the policy's network and parameters: it samples from the policy's distribution, a policy of DQN with
/// epsilon_end.
std::unique_ptr<Actor> make_frozen_actor(FrozenPolicy const& policy, ActorConfig actor, RolloutShape const& rollout,
                                         at::Device device);

}  // namespace shoal
