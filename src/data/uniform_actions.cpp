#include "shoal/data/uniform_actions.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace shoal {

UniformArgs uniform_actions(Simulator const& simulator, Rollout const& rollout, int masked_by) {
  auto const& spec = simulator.spec();
  if (spec.continuous.size() > max_uniform_heads || spec.discrete.size() > max_uniform_heads)
    throw InputError(fmt::format("uniform play: expected at most {} heads of a kind", max_uniform_heads));
  UniformArgs args{.random = {simulator.options().seed, 0, 0, 0},
                   .instances = simulator.options().instances,
                   .agents = spec.agents,
                   .continuous_heads = int(spec.continuous.size()),
                   .discrete_heads = int(spec.discrete.size()),
                   .total_choices = spec.choices(),
                   .low = {},
                   .span = {},
                   .choices = {},
                   .masks = spec.masked ? rollout.masks.select(0, masked_by).data_ptr<std::uint8_t>() : nullptr,
                   .continuous = rollout.continuous.data_ptr<float>(),
                   .discrete = rollout.discrete.data_ptr<std::int32_t>()};
  for (std::size_t h = 0; h < spec.continuous.size(); ++h) {
    args.low[h] = spec.continuous[h].low;
    args.span[h] = spec.continuous[h].high - spec.continuous[h].low;
  }
  for (std::size_t h = 0; h < spec.discrete.size(); ++h) args.choices[h] = spec.discrete[h].choices;
  return args;
}

}  // namespace shoal
