#include "shoal/learn/memory.hpp"

#include <fmt/format.h>

#include "shoal/core/resources.hpp"

#ifdef SHOAL_HAS_CUDA
#include <cuda_runtime_api.h>
#endif

namespace shoal {

namespace {

/// Of a slot of one agent, in Rollout and in what an update keeps beside it.
std::int64_t sample_bytes(RolloutShape const& s) {
  auto const& a = s.actions;
  std::int64_t const reals = s.width + a.continuous + a.discrete + a.parameters() + 6;
  std::int64_t const final_reals = s.truncates ? s.width + 1 : 0;
  std::int64_t const bytes = 1 + (s.masked ? a.total_choices : 0);
  std::int64_t const row_numbers = 2 * 8;  // a learner's rows in order and shuffled
  return 4 * (reals + final_reals) + bytes + row_numbers;
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

}  // namespace

MemoryNeed memory_need(TrainerConfig const& config) {
  auto const& train = config.train;
  auto const one = make_simulator(config.environment, config.env,
                                  {.instances = 1, .threads = 1, .observation = config.policy.observation});
  auto const& spec = one->spec();
  int const steps = train.steps > 0 ? train.steps : spec.max_episode_steps;
  auto const metrics = std::int64_t(one->metric_names().size());
  auto const rollout = std::int64_t(steps) * spec.agents * sample_bytes(rollout_shape(*one, steps));
  return {.bytes_per_instance = rollout + std::int64_t(one->state_size()) + 3 * 4 * metrics,
          .instances = train.instances,
          .steps = steps};
}

void check_memory(TrainerConfig const& config, at::Device device) {
  auto const need = memory_need(config);
  auto const free = free_memory(device);
  if (need.bytes() <= free) return;
  throw Error(fmt::format(
      "not enough memory: train.instances = {} and train.steps = {} need about {}, {} are available; about {} "
      "instances fit",
      need.instances, need.steps, bytes_text(double(need.bytes())), bytes_text(double(free)),
      free / need.bytes_per_instance));
}

}  // namespace shoal
