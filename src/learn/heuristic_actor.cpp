#include "shoal/learn/heuristic_actor.hpp"

#include <ATen/ATen.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

HeuristicActor::HeuristicActor(std::shared_ptr<Heuristic const> heuristic, HeuristicRows rows, ActorConfig config,
                               RolloutShape const& rollout, at::Device device)
    : Actor(std::move(config), rollout, device),
      heuristic_(std::move(heuristic)),
      rows_(rows),
      parameters_(at::empty({0}, at::TensorOptions().dtype(at::kFloat).device(device))),
      shape_{.inputs = rollout.width, .hidden = {}, .actions = rollout.actions} {}

std::unique_ptr<Actor> HeuristicActor::copy(RolloutShape const& rollout, std::uint32_t seed) const {
  return std::make_unique<HeuristicActor>(heuristic_, rows_,
                                          ActorConfig{.agents = agents(), .group = config().group, .seed = seed},
                                          rollout, parameters_.device());
}

void HeuristicActor::act(Rollout const& rollout, int t) {
  auto const& shape = rollout.shape;
  auto const first = std::uint32_t(collective().rank() * shape.instances);
  HeuristicArgs const args{.random = {config().seed, first, 0, std::uint32_t(t)},
                           .stage = stage(),
                           .instances = shape.instances,
                           .agents = int(agents().size()),
                           .all_agents = shape.agents,
                           .first_agent = rows_.first_agent,
                           .which = some_agents(),
                           .observations = slot_data<float>(rollout.observations, t),
                           .width = shape.width,
                           .type_at = rows_.type_at,
                           .masks = shape.masked ? slot_data<std::uint8_t>(rollout.masks, t) : nullptr,
                           .continuous = slot_data<float>(rollout.continuous, t),
                           .discrete = slot_data<std::int32_t>(rollout.discrete, t),
                           .continuous_heads = shape.actions.continuous,
                           .discrete_heads = shape.actions.discrete,
                           .total_choices = shape.actions.total_choices,
                           .common = config().common};
  ops::heuristic(*heuristic_, args, parameters_.device());
}

}  // namespace shoal
