#include "shoal/train/setup.hpp"

#include <fmt/format.h>
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

std::vector<std::vector<int>> policy_agents(PolicyMapKind map, Spec const& spec) {
  std::vector<std::vector<int>> agents;
  for (int i = 0; i < spec.agents; ++i) {
    auto const policy = map == PolicyMapKind::shared  ? 0
                        : map == PolicyMapKind::agent ? i
                                                      : spec.supertype_of[std::size_t(i)];
    if (policy >= int(agents.size())) agents.resize(std::size_t(policy) + 1);
    agents[std::size_t(policy)].push_back(i);
  }
  std::erase_if(agents, [](auto const& members) { return members.empty(); });
  return agents;
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

void check_minibatches(char const* section, PpoOptions const& options, std::int64_t samples) {
  if (options.minibatches > samples)
    throw SettingError(fmt::format("{}.minibatches", section),
                       fmt::format(" = {}: expected at most {}, the samples of a stage", options.minibatches, samples));
}

int common_instances(TrainerConfig const& config) {
  return config.calibrator && config.calibrator->kind == CalibratorKind::es ? 2 : 1;
}

std::vector<std::unique_ptr<Learner>> make_learners(TrainerConfig const& config, Spec const& spec,
                                                    RolloutShape const& rollout, at::Device device) {
  auto const& policy = config.policy;
  std::vector<std::unique_ptr<Learner>> learners;
  for (auto const& agents : policy_agents(policy.map, spec)) {
    if (policy.algorithm == Algorithm::ppo)
      check_minibatches("policy", policy.ppo,
                        std::int64_t(rollout.steps) * rollout.instances * std::int64_t(agents.size()));
    learners.push_back(make_learner(policy,
                                    {.agents = agents,
                                     .purpose = Purpose::action,
                                     .seed = std::uint32_t(config.train.seed),
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
