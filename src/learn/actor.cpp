#include "shoal/learn/actor.hpp"

#include <ATen/ATen.h>

#include <numeric>

#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

bool are_all(std::vector<int> const& agents, int count) {
  std::vector<int> all(std::size_t(count), 0);
  std::iota(all.begin(), all.end(), 0);
  return agents == all;
}

}  // namespace

Actor::Actor(ActorConfig config, RolloutShape const& rollout, at::Device device)
    : config_(std::move(config)),
      alone_(are_all(config_.agents, rollout.agents)),
      agents_(at::tensor(config_.agents, at::TensorOptions().dtype(at::kInt)).to(device)),
      stage_(at::zeros({}, agents_.options())) {}

void Actor::begin(std::int64_t stage) { stage_.fill_(stage); }

at::Tensor Actor::own_rows(at::Tensor const& slot) const {
  return (alone_ ? slot : slot.index_select(1, agents_)).flatten(0, 1);
}

void Actor::put_rows(at::Tensor const& slot, at::Tensor const& rows) const {
  if (alone_)
    slot.copy_(rows.view_as(slot));
  else
    slot.index_copy_(1, agents_.to(at::kLong), rows.view({slot.size(0), -1}));
}

void Actor::sample(Rollout const& rollout, int t, float const* parameters, at::Tensor const& log_sd) const {
  auto const& shape = rollout.shape;
  auto const rows = std::int64_t(shape.instances) * std::int64_t(agents().size());
  SampleArgs const args{
      .layout = shape.actions,
      .random = {.seed = config().seed,
                 .instance = std::uint32_t(collective().rank() * shape.instances),
                 .episode = 0,
                 .step = std::uint32_t(t)},
      .stage = stage(),
      .purpose = config().purpose,
      .members = int(agents().size()),
      .all_agents = shape.agents,
      .rows = rows,
      .agents = agents_.data_ptr<std::int32_t>(),
      .parameters = parameters,
      .log_sd = log_sd.data_ptr<float>(),
      .masks = shape.masked ? slot_data<std::uint8_t>(rollout.masks, t) : nullptr,
      .continuous = slot_data<float>(rollout.continuous, t),
      .discrete = slot_data<std::int32_t>(rollout.discrete, t),
      .log_probabilities = slot_data<float>(rollout.log_probabilities, t),
      .entropies = slot_data<float>(rollout.entropies, t),
      .kept_parameters =
          parameters == slot_data<float>(rollout.parameters, t) ? nullptr : slot_data<float>(rollout.parameters, t),
      .common = config().common,
      .drawn_as = rollout.drawn_as.defined() ? rollout.drawn_as.data_ptr<std::int32_t>() : nullptr,
  };
  ops::sample(args, rollout.observations.device());
}

}  // namespace shoal
