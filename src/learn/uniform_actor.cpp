#include "shoal/learn/uniform_actor.hpp"

#include <ATen/ATen.h>

#include "shoal/data/uniform_actions.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

UniformActor::UniformActor(ActorConfig config, RolloutShape const& rollout, at::Device device)
    : Actor(std::move(config), rollout, device),
      parameters_(at::empty({0}, at::TensorOptions().dtype(at::kFloat).device(device))),
      shape_{.inputs = rollout.width, .hidden = {}, .actions = rollout.actions} {
  check_uniform_heads(rollout.actions);
}

std::unique_ptr<Actor> UniformActor::copy(RolloutShape const& rollout, std::uint32_t seed) const {
  return std::make_unique<UniformActor>(ActorConfig{.agents = agents(), .group = config().group, .seed = seed}, rollout,
                                        parameters_.device());
}

void UniformActor::act(Rollout const& rollout, int t) {
  auto args = uniform_actions(rollout, config().seed, t, t);
  args.random.instance = std::uint32_t(agents().front());  // tells apart actors that draw in the same step
  args.random.step = std::uint32_t(t);
  args.stage = stage();
  args.agents = int(agents().size());
  args.which = some_agents();
  args.all_agents = rollout.shape.agents;
  args.common = config().common;
  args.first_draw = std::uint32_t(collective().rank() * args.draws());
  ops::uniform(args, parameters_.device());
}

}  // namespace shoal
