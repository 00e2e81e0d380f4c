#include "shoal/train/setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/cuda.h>

#include <algorithm>
#include <numeric>

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

std::string agent_name(int agent) { return fmt::format("agent_{}", agent); }

std::string const& supertype_name(Spec const& spec, int agent) {
  return spec.supertypes[std::size_t(spec.supertype_of[std::size_t(agent)])].name;
}

/// Of what [policy] gives an agent, where sections give others theirs.
std::string mapped_name(PolicyMapKind map, Spec const& spec, int agent) {
  switch (map) {
    case PolicyMapKind::shared: break;
    case PolicyMapKind::supertype: return "policy." + supertype_name(spec, agent);
    case PolicyMapKind::agent: return "policy." + agent_name(agent);
  }
  return "policy";
}

PolicySection const* find_section(std::vector<PolicySection> const& sections, std::string const& name) {
  auto const it = std::find_if(sections.begin(), sections.end(), [&](auto const& each) { return each.name == name; });
  return it == sections.end() ? nullptr : &*it;
}

/// The group that an agent belongs to, of which it is the only member yet.
PolicyGroup group_of(TrainerConfig const& config, Spec const& spec, int agent) {
  if (!config.sections.empty())
    for (auto const& name : {agent_name(agent), supertype_name(spec, agent)})
      if (auto const* section = find_section(config.sections, name))
        return {"policy." + name, "policy." + name, &section->options, {agent}};
  return {mapped_name(config.policy.map, spec, agent), "policy", &config.policy, {agent}};
}

void check_section(PolicySection const& section, std::vector<PolicyGroup> const& groups, Spec const& spec) {
  auto const full = "policy." + section.name;
  if (std::any_of(groups.begin(), groups.end(), [&](auto const& group) { return group.section == full; })) return;
  std::vector<std::string> names;
  for (auto const& supertype : spec.supertypes) names.push_back(supertype.name);
  bool const is_supertype = std::find(names.begin(), names.end(), section.name) != names.end();
  names.push_back(spec.agents == 1 ? agent_name(0)
                                   : fmt::format("{} to {}", agent_name(0), agent_name(spec.agents - 1)));
  throw SettingError(full, fmt::format(": {}; expected one of {}",
                                       is_supertype ? "all of its agents have sections of their own"
                                                    : "is neither a supertype nor an agent of the environment",
                                       fmt::join(names, ", ")));
}

/// About a key of the section in place of the same key of [policy].
SettingError moved_to(std::string const& section, SettingError const& error) {
  std::string const from = "policy.", to = section + ".";
  auto const moved = [&](std::string text) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    return text;
  };
  return {moved(error.key), moved(error.message)};
}

}  // namespace

std::vector<PolicyGroup> policy_groups(TrainerConfig const& config, Spec const& spec) {
  std::vector<int> agents(std::size_t(spec.agents));
  std::iota(agents.begin(), agents.end(), 0);
  auto const supertype = [&](int agent) { return spec.supertype_of[std::size_t(agent)]; };
  if (config.policy.map == PolicyMapKind::supertype)
    std::stable_sort(agents.begin(), agents.end(), [&](int a, int b) { return supertype(a) < supertype(b); });
  std::vector<PolicyGroup> groups;
  for (int const agent : agents) {
    auto group = group_of(config, spec, agent);
    auto const same =
        std::find_if(groups.begin(), groups.end(), [&](auto const& each) { return each.name == group.name; });
    if (same == groups.end())
      groups.push_back(std::move(group));
    else
      same->agents.push_back(agent);
  }
  for (auto const& section : config.sections) check_section(section, groups, spec);
  if (config.sections.empty())
    for (std::size_t p = 0; p < groups.size(); ++p) groups[p].name = fmt::format("policy.{}", p);
  return groups;
}

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

std::vector<std::unique_ptr<Learner>> make_learners(TrainerConfig const& config, Spec const& spec,
                                                    RolloutShape const& rollout, at::Device device) {
  std::vector<std::unique_ptr<Learner>> learners;
  for (auto const& group : policy_groups(config, spec)) try {
      auto const& policy = *group.options;
      if (policy.algorithm == Algorithm::ppo) {
        check_sequence(policy, rollout.steps);
        check_minibatches(policy, rollout, std::int64_t(group.agents.size()));
      }
      learners.push_back(make_learner(policy,
                                      {.agents = group.agents,
                                       .purpose = Purpose::action,
                                       .seed = std::uint32_t(config.train.seed),
                                       .stream = std::uint32_t(learners.size()),
                                       .common = common_instances(config)},
                                      network_shape(policy, rollout), rollout, device));
    } catch (SettingError const& error) {
      throw moved_to(group.section, error);
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
