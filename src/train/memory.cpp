#include "shoal/train/memory.hpp"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "shoal/core/resources.hpp"
#include "shoal/learn/algorithms.hpp"
#include "shoal/learn/frozen_run.hpp"
#include "shoal/nn/layers.hpp"
#include "shoal/train/setup.hpp"

#ifdef SHOAL_HAS_CUDA
#include <cuda_runtime_api.h>
#endif

namespace shoal {

namespace {

constexpr std::int64_t program_bytes = 256 << 20;  // LibTorch's code and stacks, and what the allocator keeps
constexpr double usable = 0.9;                     // of what is free: the estimates are no bounds

/// Of a step of one agent: in a rollout, and in a learner's rows in order and shuffled.
std::int64_t sample_bytes(RolloutShape shape) {
  shape.instances = shape.agents = 1;
  auto const with_steps = [&](int steps) {
    shape.steps = steps;
    return rollout_bytes(shape);
  };
  return with_steps(2) - with_steps(1) + 2 * std::int64_t(sizeof(std::int64_t));
}

/// A frozen run's policies as they were read, and what acts and a checkpoint take of them.
std::int64_t frozen_bytes(PolicyOptions const& policy) {
  std::int64_t parameters = 0;
  if (policy.frozen_run)
    for (auto const& frozen : policy.frozen_run->policies) parameters += frozen.parameters.numel();
  return 3 * 4 * parameters;
}

/// A network with its gradients, Adam's moments, and what a checkpoint and the passes keep of it.
std::int64_t network_bytes(PolicyOptions const& policy, RolloutShape const& shape) {
  if (!learns(policy.algorithm)) return frozen_bytes(policy);
  auto const network = network_shape(policy, shape);
  auto const hidden = layers_size(network.inputs, network.hidden);
  std::int64_t const features = network.hidden.empty() ? network.inputs : network.hidden.back();
  auto const trunk = network.memory ? hidden + network.memory.parameters(features) : 2 * hidden;  // actor and critic
  auto const inputs_of_heads = network.memory ? network.memory.size : features;
  auto const weights = trunk + (inputs_of_heads + 1) * (shape.actions.parameters() + 1);
  return 4 * 8 * weights;
}

/// Of a step of one agent, while a policy with memory is differentiated through it: about what autograd keeps.
std::int64_t recurrent_bytes(PolicyOptions const& policy, RolloutShape const& shape) {
  if (!learns(policy.algorithm)) return 0;
  auto const memory = network_shape(policy, shape).memory;
  std::int64_t kept = 0;
  for (int i = 0; i < policy.network.hidden.count; ++i) kept += 3 * policy.network.hidden.items[i];
  return memory ? 4 * (kept + 4 * memory.gates() * memory.size) : 0;
}

/// Of a learner's replay memory: two observations and masks, and what is beside them.
std::int64_t replay_bytes(PolicyOptions const& policy, RolloutShape const& s) {
  if (policy.algorithm != Algorithm::dqn) return 0;
  return policy.dqn.replay * (2 * 4 * s.width + 2 * (s.masked ? s.actions.total_choices : 0) + 5 * 4);
}

std::int64_t free_memory(at::Device device) {
#ifdef SHOAL_HAS_CUDA
  if (device.is_cuda()) {
    std::size_t free = 0, total = 0;
    if (cudaMemGetInfo(&free, &total) == cudaSuccess) return std::int64_t(free);
  }
#endif
  (void)device;
  return available_memory();
}

/// To three digits: what is free differs from one run to the next.
std::int64_t rounded_down(double count) {
  auto number = std::int64_t(count), unit = std::int64_t(1);
  while (number / unit >= 1000) unit *= 10;
  return number / unit * unit;
}

struct Sizes {
  Spec spec;
  std::vector<RolloutShape> slots;  // of one instance, for each group of agents
  std::int64_t state, metrics;
};

Sizes sizes_of(std::string const& environment, Settings const& env, ObservationOptions const& observation) {
  auto const one =
      make_observed_simulator(environment, env, {.instances = 1, .threads = 1, .observation = observation});
  auto const metrics = std::int64_t(one->metric_names().size());
  std::vector<RolloutShape> slots;
  for (int g = 0; g < int(one->spec().groups.size()); ++g) slots.push_back(rollout_shape(*one, 1, g));
  return {one->spec(), std::move(slots), std::int64_t(one->state_size()), 3 * 4 * metrics};
}

}  // namespace

std::int64_t instance_bytes(std::string const& environment, Settings const& env, ObservationOptions const& observation,
                            int steps, int agents) {
  auto const sizes = sizes_of(environment, env, observation);
  std::int64_t of_all = 0, most = 0;
  for (auto const& slot : sizes.slots) {
    of_all += slot.agents * sample_bytes(slot);
    most = std::max(most, sample_bytes(slot));
  }
  auto const of_step = agents > 0 ? agents * most : of_all;
  return (steps > 0 ? steps : sizes.spec.max_episode_steps) * of_step + sizes.state + sizes.metrics;
}

std::int64_t episode_bytes(std::string const& environment, Settings const& env) {
  return 8 * sizes_of(environment, env, {}).metrics;  // in f32 and f64, and what is computed from them
}

bool is_out_of_memory(std::exception const& error) {
  if (dynamic_cast<std::bad_alloc const*>(&error) || dynamic_cast<c10::OutOfMemoryError const*>(&error)) return true;
  auto const* const torch = dynamic_cast<c10::Error const*>(&error);
  if (!torch) return false;
  std::string const text = torch->what_without_backtrace();
  auto const line = text.substr(0, text.find('\n'));
  return line.find("not enough memory") != std::string::npos || line.find("alloc") != std::string::npos;
}

MemoryNeed memory_need(TrainerConfig const& config) {
  auto const& train = config.train;
  auto const sizes = sizes_of(config.environment, config.env, config.policy.observation);
  int const steps = train.steps > 0 ? train.steps : sizes.spec.max_episode_steps;
  std::int64_t rollout = 0, fixed = 0;
  std::string replay;
  for (auto const& slot : sizes.slots) rollout += std::int64_t(steps) * slot.agents * sample_bytes(slot);
  bool remembers = false;
  for (auto const& members : policies_of(config, sizes.spec)) {
    auto const& policy = *members.options;
    remembers = remembers || (learns(policy.algorithm) && has_memory(policy));
    auto const& slot = sizes.slots[std::size_t(members.group)];
    rollout += steps * std::int64_t(members.agents.size()) * recurrent_bytes(policy, slot);
    fixed += network_bytes(policy, slot) + replay_bytes(policy, slot);
    if (policy.algorithm == Algorithm::dqn)
      replay = fmt::format(", beside {}.replay = {},", members.section, policy.dqn.replay);
  }
  std::int64_t const in_passing = 2 * 8 * steps;  // while a learner lists its rows
  // The challengers' rollout has twice the instances. Nobody challenges policies with memory.
  if (challenge_distance(config) > 0 && !remembers) rollout *= 3;
  return {.asked = fmt::format("train.instances = {} and train.steps = {}{}", train.instances, steps, replay),
          .count = own_instances(config),
          .bytes_each = rollout + in_passing + 2 * sizes.state + sizes.metrics,  // the state once more in a checkpoint
          .bytes_fixed = fixed,
          .processes = config.collective.here()};
}

void check_memory(MemoryNeed const& need, at::Device device) {
  auto const free = free_memory(device) / (device.is_cpu() ? need.processes : 1);
  auto const fixed = need.bytes_fixed + (device.is_cpu() ? program_bytes : 0);
  auto const all = fixed + need.bytes_each * need.count;
  if (double(all) <= usable * double(free)) return;
  auto const fit = rounded_down(std::max(0.0, usable * double(free) - double(fixed)) / double(need.bytes_each));
  throw Error(fmt::format("not enough memory: {} need about {}, {} are available; about {} fit", need.asked,
                          bytes_text(double(all)), bytes_text(double(free)), fit));
}

void check_memory(TrainerConfig const& config, at::Device device) {
  check_memory(memory_need(config), device);
  if (!config.validation || !config.calibrator) return;
  auto const& o = *config.validation;
  auto const bytes = episode_bytes(config.environment, config.env);
  check_memory({fmt::format("validation.episodes = {}", o.episodes), o.episodes, bytes, 0}, device);
  check_memory({fmt::format("validation.final_episodes = {}", o.final_episodes), o.final_episodes, bytes, 0}, device);
}

}  // namespace shoal
