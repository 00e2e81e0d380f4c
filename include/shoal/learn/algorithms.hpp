// The list of algorithms: what `policy.algorithm` stands for.
#pragma once

#include <memory>

#include "shoal/learn/learner.hpp"
#include "shoal/learn/options.hpp"

namespace shoal {

/// @throws SettingError about a key "policy.KEY" that does not fit the rollout, InputError for sequences that do not
///         divide it
std::unique_ptr<Learner> make_learner(PolicyOptions const& options, ActorConfig actor, NetworkShape network,
                                      RolloutShape const& rollout, at::Device device);

/// Whether a stage may be captured into a CUDA graph: whether the host decides nothing in it.
bool is_capturable(PolicyOptions const& options);

/// Whether its agents may have a memory: of a frozen policy, as far as its run is known.
bool has_memory(PolicyOptions const& options);

/// The network that `options`, of an algorithm that learns, give an actor of the rollout.
NetworkShape network_shape(PolicyOptions const& options, RolloutShape const& rollout);

}  // namespace shoal
