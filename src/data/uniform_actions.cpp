#include "shoal/data/uniform_actions.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace shoal {

UniformArgs uniform_actions(Simulator const& simulator, Rollout const& rollout, int masked_by, int group) {
  auto const& own = simulator.spec().groups[std::size_t(group)];
  if (own.continuous.size() > max_uniform_heads || own.discrete.size() > max_uniform_heads)
    throw InputError(fmt::format("uniform play: expected at most {} heads of a kind", max_uniform_heads));
  UniformArgs args{.random = {group_seed(simulator.options().seed, group), 0, 0, 0},
                   .instances = simulator.options().instances,
                   .agents = own.agents,
                   .continuous_heads = int(own.continuous.size()),
                   .discrete_heads = int(own.discrete.size()),
                   .total_choices = own.choices(),
                   .low = {},
                   .span = {},
                   .choices = {},
                   .masks = own.masked ? rollout.masks.select(0, masked_by).data_ptr<std::uint8_t>() : nullptr,
                   .continuous = rollout.continuous.data_ptr<float>(),
                   .discrete = rollout.discrete.data_ptr<std::int32_t>()};
  for (std::size_t h = 0; h < own.continuous.size(); ++h) {
    args.low[h] = own.continuous[h].low;
    args.span[h] = own.continuous[h].high - own.continuous[h].low;
  }
  for (std::size_t h = 0; h < own.discrete.size(); ++h) args.choices[h] = own.discrete[h].choices;
  return args;
}

}  // namespace shoal
