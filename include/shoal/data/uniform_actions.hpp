// Uniform random actions of a rollout's agents.
#pragma once

#include "shoal/data/rollout.hpp"
#include "shoal/ops/uniform.hpp"

namespace shoal {

/// What ops::uniform() needs to write the actions of a slot, for all agents. Who draws again moves `random.step`.
/// @param rollout    of a simulator (rollout_shape()): its shape has the bounds of the actions
/// @param masked_by  the slot whose masks say what is legal
/// @throws InputError for more than max_uniform_heads heads of a kind
UniformArgs uniform_actions(Rollout const& rollout, std::uint32_t seed, int slot, int masked_by);

/// @throws InputError as above
void check_uniform_heads(ActionLayout const& layout);

}  // namespace shoal
