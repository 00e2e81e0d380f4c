#include "shoal/train/setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/cuda.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/resources.hpp"
#include "shoal/learn/algorithms.hpp"
#include "shoal/learn/fixed_learner.hpp"
#include "shoal/learn/heuristic_actor.hpp"
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

/// Of a policy for so many agents of all instances; a policy with memory learns from whole sequences.
void check_minibatches(PolicyOptions const& policy, RolloutShape const& rollout, int instances, std::int64_t agents) {
  auto const columns = std::int64_t(instances) * agents;
  if (policy.memory == MemoryKind::none)
    check_minibatches("policy", policy.ppo, columns * rollout.steps);
  else
    check_minibatches("policy", policy.ppo, columns * (policy.sequence > 0 ? rollout.steps / policy.sequence : 1),
                      "sequences");
}

[[noreturn]] void refuse_mixed(PolicyMembers const& policy, PolicyMapKind map, Spec const& spec, int other) {
  auto const name = [&](int group) { return spec.groups[std::size_t(group)].name; };
  auto const groups = fmt::format("one network for agents of the groups \"{}\" and \"{}\", which have different spaces",
                                  name(policy.group), name(other));
  if (policy.section != "policy")
    throw SettingError(policy.section, fmt::format(": {}; expected policy.pad_groups = true", groups));
  throw SettingError("policy.map",
                     fmt::format(" = \"{}\": {}; expected \"group\" or \"agent\", or policy.pad_groups = true",
                                 map == PolicyMapKind::shared ? "shared" : "supertype", groups));
}

std::string agent_name(int agent) { return fmt::format("agent_{}", agent); }

std::string const& supertype_name(Spec const& spec, int agent) {
  return spec.supertypes[std::size_t(spec.supertype_of[std::size_t(agent)])].name;
}

/// Empty if there is but one.
std::string group_name(Spec const& spec, int group) {
  return spec.groups.size() > 1 ? spec.groups[std::size_t(group)].name : "";
}

/// Of what [policy] gives an agent, where sections give others theirs.
std::string mapped_name(PolicyMapKind map, Spec const& spec, int group, int agent) {
  switch (map) {
    case PolicyMapKind::shared: break;
    case PolicyMapKind::supertype: return "policy." + supertype_name(spec, agent);
    case PolicyMapKind::agent: return "policy." + agent_name(agent);
    case PolicyMapKind::group: return "policy." + spec.groups[std::size_t(group)].name;
  }
  return "policy";
}

PolicySection const* find_section(std::vector<PolicySection> const& sections, std::string const& name) {
  auto const it = std::find_if(sections.begin(), sections.end(), [&](auto const& each) { return each.name == name; });
  return it == sections.end() ? nullptr : &*it;
}

/// The policy that agent i of a group belongs to, of which it is the only member yet.
PolicyMembers policy_of(TrainerConfig const& config, Spec const& spec, int group, int i) {
  int const agent = spec.first_agent(group) + i;
  if (!config.sections.empty())
    for (auto const& name : {agent_name(agent), supertype_name(spec, agent), group_name(spec, group)})
      if (auto const* section = find_section(config.sections, name))
        return {"policy." + name, "policy." + name, &section->options, group, {i}};
  return {mapped_name(config.policy.map, spec, group, agent), "policy", &config.policy, group, {i}};
}

void check_section(PolicySection const& section, std::vector<PolicyMembers> const& policies, Spec const& spec) {
  auto const full = "policy." + section.name;
  if (std::any_of(policies.begin(), policies.end(), [&](auto const& policy) { return policy.section == full; })) return;
  std::vector<std::string> names;
  for (auto const& supertype : spec.supertypes) names.push_back(supertype.name);
  for (int g = 0; g < int(spec.groups.size()); ++g)
    if (auto const name = group_name(spec, g);
        !name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  bool const is_known = std::find(names.begin(), names.end(), section.name) != names.end();
  names.push_back(spec.agents() == 1 ? agent_name(0)
                                     : fmt::format("{} to {}", agent_name(0), agent_name(spec.agents() - 1)));
  throw SettingError(full, fmt::format(": {}; expected one of {}",
                                       is_known ? "all of its agents have sections of their own"
                                                : "is no supertype, group or agent of the environment",
                                       fmt::join(names, ", ")));
}

/// Others learn without a critic, or with one that shares the policy's layers.
void check_critic(PolicyOptions const& policy, ObservationOptions const& observation, std::string const& section) {
  if (!observation.central_critic || !learns(policy.algorithm)) return;
  bool const has_critic = policy.algorithm == Algorithm::ppo || policy.algorithm == Algorithm::a2c;
  if (!has_critic || policy.memory != MemoryKind::none)
    throw SettingError("policy.central_critic",
                       fmt::format(" = true: needs a critic apart from the policy; expected {0}.algorithm = \"ppo\" or "
                                   "\"a2c\", and {0}.memory = \"none\"",
                                   section));
}

/// What acts by the environment's own heuristic.
std::unique_ptr<Learner> make_scripted(TrainerConfig const& config, Spec const& spec, ActorConfig actor,
                                       RolloutShape const& rollout, at::Device device) {
  auto const refuse = [&](std::string const& problem) {
    throw SettingError("policy.algorithm", " = \"heuristic\": " + problem);
  };
  std::shared_ptr<Heuristic const> const heuristic =
      make_heuristic(config.environment, config.env, device.is_cuda() ? Device::cuda : Device::cpu);
  if (!heuristic) {
    std::vector<std::string> names;
    for (auto const& info : environments())
      if (info.has_heuristic) names.push_back(info.name);
    refuse(fmt::format("{} has none; expected another algorithm, or one of the environments {}", config.environment,
                       fmt::join(names, ", ")));
  }
  if (config.policy.observation.pad_groups)
    refuse("it acts in the space of its agents' own group; expected policy.pad_groups = false");
  auto const& group = spec.groups[std::size_t(actor.group)];
  HeuristicRows const rows{spec.first_agent(actor.group),
                           group.type > 0 && config.policy.observation.type ? group.observation : -1};
  return std::make_unique<FixedLearner>(
      std::make_unique<HeuristicActor>(heuristic, rows, std::move(actor), rollout, device));
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

std::vector<PolicyMembers> policies_of(TrainerConfig const& config, Spec const& spec) {
  std::vector<PolicyMembers> alone;  // of each agent
  for (int g = 0; g < int(spec.groups.size()); ++g)
    for (int i = 0; i < spec.groups[std::size_t(g)].agents; ++i) alone.push_back(policy_of(config, spec, g, i));
  auto const supertype = [&](PolicyMembers const& one) {
    return spec.supertype_of[std::size_t(spec.first_agent(one.group) + one.agents[0])];
  };
  if (config.policy.map == PolicyMapKind::supertype)
    std::stable_sort(alone.begin(), alone.end(),
                     [&](auto const& a, auto const& b) { return supertype(a) < supertype(b); });
  std::vector<PolicyMembers> policies;
  for (auto& one : alone) {
    auto const same =
        std::find_if(policies.begin(), policies.end(), [&](auto const& each) { return each.name == one.name; });
    if (same == policies.end()) {
      policies.push_back(std::move(one));
      continue;
    }
    if (same->group != one.group) refuse_mixed(*same, config.policy.map, spec, one.group);
    same->agents.push_back(one.agents[0]);
  }
  for (auto const& section : config.sections) check_section(section, policies, spec);
  if (config.sections.empty())
    for (std::size_t p = 0; p < policies.size(); ++p) policies[p].name = fmt::format("policy.{}", p);
  return policies;
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

std::int64_t settling_stages(TrainerConfig const& config) {
  bool const settles = config.validation && config.calibrator && config.calibrator->kind != CalibratorKind::fixed;
  return settles ? std::llround(config.settling.share * double(config.train.stages)) : 0;
}

std::int64_t challenge_distance(TrainerConfig const& config) {
  auto const& o = config.settling;
  if (o.challenges == 0 || settling_stages(config) == 0) return 0;
  auto const distance = (config.train.stages - settling_stages(config)) / (o.challenges + 1);
  return distance >= o.challenge_updates ? distance : 0;
}

int own_instances(TrainerConfig const& config) { return config.train.instances / config.collective.size(); }

void check_shares(TrainerConfig const& config) {
  int const processes = config.collective.size(), all = config.train.instances;
  int const unit = processes * common_instances(config);
  if (processes > 1 && all % unit != 0)
    throw SettingError("train.instances",
                       fmt::format(" = {}: expected a multiple of {}: {} processes{}", all, unit, processes,
                                   unit > processes ? ", each with pairs of instances" : ""));
}

int common_instances(TrainerConfig const& config) {
  return config.calibrator && config.calibrator->kind == CalibratorKind::es ? 2 : 1;
}

std::vector<std::unique_ptr<Learner>> make_learners(TrainerConfig const& config, Spec const& spec,
                                                    std::vector<Rollout> const& rollouts, at::Device device) {
  std::vector<std::unique_ptr<Learner>> learners;
  auto const policies = policies_of(config, spec);
  for (auto const& members : policies) check_critic(*members.options, config.policy.observation, members.section);
  for (auto const& members : policies) try {
      auto const& policy = *members.options;
      auto const& rollout = rollouts[std::size_t(members.group)].shape;
      if (policy.algorithm == Algorithm::dqn && !config.collective.is_alone())
        throw SettingError("policy.algorithm", " = \"dqn\": trains in one process; ppo, a2c and reinforce in several");
      if (policy.algorithm == Algorithm::ppo) {
        check_sequence(policy, rollout.steps);
        check_minibatches(policy, rollout, config.train.instances, std::int64_t(members.agents.size()));
      }
      ActorConfig actor{.agents = members.agents,
                        .group = members.group,
                        .purpose = Purpose::action,
                        .seed = group_seed(std::uint32_t(config.train.seed), members.group),
                        .stream = std::uint32_t(learners.size()),
                        .common = common_instances(config),
                        .collective = config.collective};
      learners.push_back(policy.algorithm == Algorithm::heuristic
                             ? make_scripted(config, spec, std::move(actor), rollout, device)
                             : make_learner(policy, std::move(actor), network_shape(policy, rollout), rollout, device));
    } catch (SettingError const& error) {
      throw moved_to(members.section, error);
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

std::unique_ptr<Simulator> make_observed_simulator(std::string const& environment, Settings const& env,
                                                   SimulatorOptions const& options) try {
  return make_simulator(environment, env, options);
} catch (SettingError const& error) {
  if (to_settings(ObservationOptions{}).count(error.key) == 0) throw;
  throw SettingError("policy." + error.key, error.message);
}

std::unique_ptr<Simulator> make_simulator(TrainerConfig const& config, at::Device device, void* stream, int common) {
  auto const& train = config.train;
  int const instances = own_instances(config);
  auto simulator = make_observed_simulator(config.environment, config.env,
                                           {.instances = instances,
                                            .seed = std::uint32_t(train.seed),
                                            .first_instance = std::uint32_t(config.collective.rank() * instances),
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
