#include "shoal/data/uniform_actions.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace shoal {

void check_uniform_heads(ActionLayout const& layout) {
  if (layout.continuous > max_uniform_heads || layout.discrete > max_uniform_heads)
    throw InputError(fmt::format("uniform play: expected at most {} heads of a kind", max_uniform_heads));
}

UniformArgs uniform_actions(Rollout const& rollout, std::uint32_t seed, int slot, int masked_by) {
  auto const& shape = rollout.shape;
  auto const& layout = shape.actions;
  check_uniform_heads(layout);
  UniformArgs args{.random = {seed, 0, 0, 0},
                   .instances = shape.instances,
                   .agents = shape.agents,
                   .continuous_heads = layout.continuous,
                   .discrete_heads = layout.discrete,
                   .total_choices = layout.total_choices,
                   .low = {},
                   .span = {},
                   .choices = {},
                   .masks = shape.masked ? slot_data<std::uint8_t>(rollout.masks, masked_by) : nullptr,
                   .continuous = slot_data<float>(rollout.continuous, slot),
                   .discrete = slot_data<std::int32_t>(rollout.discrete, slot)};
  for (std::size_t h = 0; h < shape.bounds.size(); ++h) {
    args.low[h] = shape.bounds[h].low;
    args.span[h] = shape.bounds[h].high - shape.bounds[h].low;
  }
  std::copy_n(layout.choices, layout.discrete, args.choices);
  return args;
}

}  // namespace shoal
