#include "shoal/data/rollout.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "shoal/core/error.hpp"

namespace shoal {

namespace {

template <class T, int Rank>
View<T, Rank> slot_view(at::Tensor const& tensor, int t) {
  if (!tensor.defined()) return {};
  auto const slot = tensor.select(0, t);
  View<T, Rank> v;
  v.data = slot.data_ptr<std::remove_const_t<T>>();
  for (int d = 0; d < Rank; ++d) {
    v.extents[d] = slot.size(d);
    v.strides[d] = slot.stride(d);
  }
  return v;
}

}  // namespace

at::Tensor mean_metrics(Simulator& simulator, at::Device device) {
  auto const metrics = simulator.metrics();
  return tensor_of(metrics.sums, device) / tensor_of(metrics.episodes, device).unsqueeze(1);
}

at::Tensor episode_statistics(Simulator& simulator, at::Device device, Collective const& collective) {
  auto const metrics = simulator.metrics();
  auto const sums = tensor_of(metrics.sums, device).to(at::kDouble);
  auto const episodes = tensor_of(metrics.episodes, device).to(at::kDouble).unsqueeze(1);
  auto const total = episodes.sum(), sum = sums.sum(0);
  collective.sum(total);
  collective.sum(sum);
  auto const mean = sum / total;
  auto const deviations = at::where(episodes > 0, sums / episodes - mean, 0.0);
  auto const squares = (deviations.square() * episodes).sum(0);
  collective.sum(squares);
  return at::stack({mean, (squares / total).sqrt()});
}

ActionLayout action_layout(Group const& group) {
  ActionLayout layout;
  layout.continuous = int(group.continuous.size());
  if (group.discrete.size() > max_discrete_heads)
    throw InputError(fmt::format("{} discrete heads: at most {}", group.discrete.size(), max_discrete_heads));
  for (auto const& head : group.discrete) layout.choices[layout.discrete++] = head.choices;
  layout.total_choices = group.choices();
  return layout;
}

RolloutShape rollout_shape(Simulator const& simulator, int steps, int group) {
  auto const& spec = simulator.spec();
  auto const& own = spec.groups[std::size_t(group)];
  return {.steps = steps,
          .instances = simulator.options().instances,
          .agents = own.agents,
          .width = simulator.observation_width(group),
          .critic_only = simulator.state_width(),
          .actions = action_layout(own),
          .masked = own.masked,
          .truncates = spec.may_truncate,
          .mortal = spec.may_die,
          .bounds = own.continuous};
}

std::vector<Rollout> make_rollouts(Simulator const& simulator, int steps, at::Device device) {
  std::vector<Rollout> groups;
  for (int g = 0; g < int(simulator.spec().groups.size()); ++g)
    groups.push_back(make_rollout(rollout_shape(simulator, steps, g), device));
  return groups;
}

std::vector<StepInput> inputs(std::vector<Rollout> const& groups, int t) {
  std::vector<StepInput> all;
  for (auto const& rollout : groups) all.push_back(rollout.input(t));
  return all;
}

std::vector<StepOutput> first_outputs(std::vector<Rollout> const& groups) {
  std::vector<StepOutput> all;
  for (auto const& rollout : groups) all.push_back(rollout.first());
  return all;
}

std::vector<StepOutput> outputs(std::vector<Rollout> const& groups, int t) {
  std::vector<StepOutput> all;
  for (auto const& rollout : groups) all.push_back(rollout.output(t));
  return all;
}

at::Tensor all_agents(std::vector<Rollout> const& groups, at::Tensor Rollout::*field, int t) {
  if (groups.size() == 1) return (groups[0].*field).select(0, t);
  std::vector<at::Tensor> parts;
  for (auto const& rollout : groups) parts.push_back((rollout.*field).select(0, t));
  return at::cat(parts, 1);
}

Rollout make_rollout(RolloutShape const& s, at::Device device) {
  auto const real = at::TensorOptions().dtype(at::kFloat).device(device);
  auto const byte = real.dtype(at::kByte);
  auto const slots = [&](at::TensorOptions options, int extra, std::initializer_list<std::int64_t> rest) {
    std::vector<std::int64_t> sizes{s.steps + extra, s.instances, s.agents};
    sizes.insert(sizes.end(), rest);
    return at::zeros(sizes, options);
  };
  auto const& a = s.actions;
  Rollout r{.shape = s,
            .observations = slots(real, 1, {s.width}),
            .masks = {},
            .continuous = slots(real, 0, {a.continuous}),
            .discrete = slots(real.dtype(at::kInt), 0, {a.discrete}),
            .parameters = slots(real, 0, {a.parameters()}),
            .log_probabilities = slots(real, 0, {}),
            .entropies = slots(real, 0, {}),
            .values = slots(real, 1, {}),
            .rewards = slots(real, 0, {}),
            .ended = slots(byte, 0, {}),
            .alive = {},
            .final_observations = {},
            .final_values = {},
            .advantages = slots(real, 0, {}),
            .returns = slots(real, 0, {})};
  if (s.masked) r.masks = slots(byte, 1, {a.total_choices});
  if (s.mortal) r.alive = slots(byte, 1, {});
  if (s.truncates) {
    r.final_observations = slots(real, 0, {s.width});
    r.final_values = slots(real, 0, {});
  }
  return r;
}

NamedTensors Rollout::fields() const {
  NamedTensors all{{"observations", observations},
                   {"masks", masks},
                   {"distribution parameters", parameters},
                   {"actions", continuous},
                   {"choices", discrete},
                   {"log-probabilities", log_probabilities},
                   {"entropies", entropies},
                   {"values", values},
                   {"rewards", rewards},
                   {"ended", ended},
                   {"alive", alive},
                   {"final observations", final_observations},
                   {"final values", final_values},
                   {"advantages", advantages},
                   {"returns", returns}};
  std::erase_if(all, [](NamedTensor const& field) { return !field.tensor.defined(); });
  return all;
}

at::Tensor sample_rows(RolloutShape const& shape, std::vector<int> const& agents, at::Device device) {
  auto const whole = at::TensorOptions().dtype(at::kLong);
  auto const instances = at::arange(std::int64_t(shape.steps) * shape.instances, whole);
  auto const own = at::tensor(agents, whole);
  return (instances.unsqueeze(1) * shape.agents + own.unsqueeze(0)).flatten().to(device);
}

std::int64_t rollout_bytes(RolloutShape const& shape) {
  std::int64_t bytes = 0;
  for (auto const& [name, tensor, axis] : make_rollout(shape, at::kMeta).fields())
    bytes += std::int64_t(tensor.nbytes());
  return bytes;
}

StepInput Rollout::input(int t) const {
  return {slot_view<float const, 3>(continuous, t), slot_view<std::int32_t const, 3>(discrete, t)};
}

StepOutput Rollout::first() const {
  return {.observations = slot_view<float, 3>(observations, 0),
          .masks = slot_view<std::uint8_t, 3>(masks, 0),
          .alive = slot_view<std::uint8_t, 2>(alive, 0),
          .rewards = {},
          .ended = {},
          .final_observations = {}};
}

StepOutput Rollout::output(int t) const {
  return {.observations = slot_view<float, 3>(observations, t + 1),
          .masks = slot_view<std::uint8_t, 3>(masks, t + 1),
          .alive = slot_view<std::uint8_t, 2>(alive, t + 1),
          .rewards = slot_view<float, 2>(rewards, t),
          .ended = slot_view<std::uint8_t, 2>(ended, t),
          .final_observations = slot_view<float, 3>(final_observations, t)};
}

}  // namespace shoal
