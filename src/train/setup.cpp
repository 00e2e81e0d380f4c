#include "shoal/train/setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/cuda.h>

#include "shoal/core/resources.hpp"
#include "shoal/learn/algorithms.hpp"
#include "shoal/ops/parallel.hpp"

namespace shoal {

namespace {

void run_on_learners_threads(int shares, std::function<void(int)> const& job) {
  parallel_for(shares, 1, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto share = begin; share < end; ++share) job(int(share));
  });
}

void check_sequence(PolicyOptions const& options, int steps) {
  int const sequence = options.sequence;
  if (sequence == 0) return;
  if (options.memory == MemoryKind::none)
    throw SettingError("policy.sequence",
                       fmt::format(" = {}: needs policy.memory = \"lstm\" or \"gru\"; expected 0", sequence));
  if (steps % sequence == 0) return;
  std::vector<int> fitting;
  for (int length = 1; length <= steps; ++length)
    if (steps % length == 0) fitting.push_back(length);
  throw SettingError("policy.sequence", fmt::format(" = {}: expected 0 or a divisor of the {} steps of a stage "
                                                    "(train.steps): {}",
                                                    sequence, steps, fmt::join(fitting, ", ")));
}

/// Of a policy for so many agents; a policy with memory learns from whole sequences.
void check_minibatches(PolicyOptions const& policy, RolloutShape const& rollout, std::int64_t agents) {
  auto const columns = std::int64_t(rollout.instances) * agents;
  if (policy.memory == MemoryKind::none)
    check_minibatches("policy", policy.ppo, columns * rollout.steps);
  else
    check_minibatches("policy", policy.ppo, columns * (policy.sequence > 0 ? rollout.steps / policy.sequence : 1),
                      "sequences");
}

[[noreturn]] void refuse_mixed(PolicyMapKind map, Spec const& spec, int a, int b) {
  auto const name = [&](int group) { return spec.groups[std::size_t(group)].name; };
  throw SettingError("policy.map",
                     fmt::format(" = \"{}\": one network for agents of the groups \"{}\" and \"{}\", which have "
                                 "different spaces; expected \"group\" or \"agent\", or policy.pad_groups = true",
                                 map == PolicyMapKind::shared ? "shared" : "supertype", name(a), name(b)));
}

}  // namespace

int steps_of_stage(TrainerConfig const& config, Spec const& spec) {
  int const steps = config.train.steps > 0 ? config.train.steps : spec.max_episode_steps;
  if (config.calibrator && steps < spec.max_episode_steps)
    throw SettingError(
        "train.steps",
        fmt::format(" = {}: a calibrator needs a whole episode in every stage, expected 0 or at least {}", steps,
                    spec.max_episode_steps));
  return steps;
}

void check_minibatches(char const* section, PpoOptions const& options, std::int64_t count, char const* what) {
  if (options.minibatches > count)
    throw SettingError(fmt::format("{}.minibatches", section),
                       fmt::format(" = {}: expected at most {}, the {} of a stage", options.minibatches, count, what));
}

int common_instances(TrainerConfig const& config) {
  return config.calibrator && config.calibrator->kind == CalibratorKind::es ? 2 : 1;
}

std::vector<PolicyMembers> policy_members(PolicyMapKind map, Spec const& spec) {
  std::vector<PolicyMembers> policies;
  for (int g = 0; g < int(spec.groups.size()); ++g)
    for (int i = 0; i < spec.groups[std::size_t(g)].agents; ++i) {
      int const agent = spec.first_agent(g) + i;
      int const policy = map == PolicyMapKind::shared  ? 0
                         : map == PolicyMapKind::agent ? agent
                         : map == PolicyMapKind::group ? g
                                                       : spec.supertype_of[std::size_t(agent)];
      if (policy >= int(policies.size())) policies.resize(std::size_t(policy) + 1);
      auto& members = policies[std::size_t(policy)];
      if (!members.agents.empty() && members.group != g) refuse_mixed(map, spec, members.group, g);
      members.group = g;
      members.agents.push_back(i);
    }
  std::erase_if(policies, [](PolicyMembers const& members) { return members.agents.empty(); });
  return policies;
}

std::vector<std::unique_ptr<Learner>> make_learners(TrainerConfig const& config, Spec const& spec,
                                                    std::vector<Rollout> const& rollouts, at::Device device) {
  auto const& policy = config.policy;
  check_sequence(policy, rollouts[0].shape.steps);
  std::vector<std::unique_ptr<Learner>> learners;
  for (auto const& [group, agents] : policy_members(policy.map, spec)) {
    auto const& rollout = rollouts[std::size_t(group)].shape;
    if (policy.algorithm == Algorithm::ppo) check_minibatches(policy, rollout, std::int64_t(agents.size()));
    learners.push_back(make_learner(policy,
                                    {.agents = agents,
                                     .group = group,
                                     .purpose = Purpose::action,
                                     .seed = group_seed(std::uint32_t(config.train.seed), group),
                                     .stream = std::uint32_t(learners.size()),
                                     .common = common_instances(config)},
                                    network_shape(policy, rollout), rollout, device));
  }
  return learners;
}

at::Device choose_device(DeviceChoice choice) {
#ifdef SHOAL_HAS_CUDA
  bool const there = torch::cuda::is_available();
  char const* const lacking = "this machine has no CUDA device";
#else
  bool const there = false;
  char const* const lacking = "this build has no CUDA";
#endif
  if (choice == DeviceChoice::cuda && !there)
    throw SettingError("train.device", fmt::format(" = \"cuda\": {}; expected \"cpu\" or \"auto\"", lacking));
  return choice != DeviceChoice::cpu && there ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

int choose_threads(int threads) { return threads > 0 ? threads : available_cpus(); }

std::unique_ptr<Simulator> make_simulator(TrainerConfig const& config, at::Device device, void* stream, int common) {
  auto const& train = config.train;
  auto simulator = make_simulator(config.environment, config.env,
                                  {.instances = train.instances,
                                   .seed = std::uint32_t(train.seed),
                                   .common = common,
                                   .recorded_episodes = config.calibrator ? 1 : 0,
                                   .threads = choose_threads(train.threads),
                                   .device = device.is_cuda() ? Device::cuda : Device::cpu,
                                   .team = "serial",
                                   .observation = config.policy.observation,
                                   .executor = run_on_learners_threads});
  if (device.is_cuda()) simulator->set_stream(stream);
  return simulator;
}

}  // namespace shoal
