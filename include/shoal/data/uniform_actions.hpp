// Uniform random actions of a rollout's agents.
#pragma once

#include "shoal/data/rollout.hpp"
#include "shoal/ops/uniform.hpp"

namespace shoal {

/// What ops::uniform() needs to write the actions of slot 0. The random numbers are of the simulator's seed; who draws
/// again moves `random.step`.
/// @param masked_by  the slot whose masks say what is legal  @param group  whose rollout it is
/// @throws InputError for more than max_uniform_heads heads of a kind
UniformArgs uniform_actions(Simulator const& simulator, Rollout const& rollout, int masked_by, int group = 0);

}  // namespace shoal
