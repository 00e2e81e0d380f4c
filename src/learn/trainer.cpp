#include "shoal/learn/trainer.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "shoal/core/resources.hpp"
#include "shoal/learn/equilibrium.hpp"
#include "shoal/learn/fixed_calibrator.hpp"
#include "shoal/learn/memory.hpp"
#include "shoal/learn/parallel.hpp"
#include "src/learn/stage_graph.hpp"

namespace shoal {

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds since `start`, which becomes now.
double lap(Clock::time_point& start) {
  auto const now = Clock::now();
  return std::chrono::duration<double>(now - std::exchange(start, now)).count();
}

void run_on_learners_threads(int shares, std::function<void(int)> const& job) {
  parallel_for(shares, 1, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto share = begin; share < end; ++share) job(int(share));
  });
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

void check_minibatches(char const* section, PpoOptions const& options, std::int64_t samples) {
  if (options.minibatches > samples)
    throw SettingError(fmt::format("{}.minibatches", section),
                       fmt::format(" = {}: expected at most {}, the samples of a stage", options.minibatches, samples));
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

/// The evolution strategy compares the two particles of a pair on the same random numbers.
int common_instances(TrainerConfig const& config) {
  return config.calibrator && config.calibrator->kind == CalibratorKind::es ? 2 : 1;
}

std::vector<PpoLearner> make_policies(TrainerConfig const& config, Spec const& spec, RolloutShape const& rollout,
                                      at::Device device) {
  auto const& policy = config.policy;
  auto const& hidden = policy.network.hidden;
  NetworkShape const network{.inputs = rollout.width,
                             .hidden = {hidden.items, hidden.items + hidden.count},
                             .actions = rollout.actions,
                             .log_sd = policy.log_sd,
                             .mean_limit = 0};
  std::vector<PpoLearner> policies;
  for (auto const& agents : policy_agents(policy.map, spec)) {
    check_minibatches("policy", policy.ppo,
                      std::int64_t(rollout.steps) * rollout.instances * std::int64_t(agents.size()));
    policies.emplace_back(PpoLearner::Config{.options = policy.ppo,
                                             .agents = agents,
                                             .purpose = Purpose::action,
                                             .seed = std::uint32_t(config.train.seed),
                                             .stream = std::uint32_t(policies.size()),
                                             .common = common_instances(config)},
                          network, rollout, device);
  }
  return policies;
}

at::Device device_with_memory(TrainerConfig const& config) {
  auto const device = choose_device(config.train.device);
  check_memory(config, device);
  return device;
}

}  // namespace

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

Trainer::Trainer(TrainerConfig config)
    : config_(std::move(config)),
      device_(device_with_memory(config_)),
      graph_(std::make_unique<StageGraph>(device_, config_.train.cuda_graphs && !config_.wait_for_phases)),
      rollout_graph_(graph_->beside()),
      simulator_(make_simulator(config_, device_, graph_->stream(), common_instances(config_))),
      answer_(config_.validation ? config_.validation->patience : 0) {
  auto const scope = graph_->scope();
  at::set_num_threads(choose_threads(config_.train.threads));
  auto const& spec = simulator_->spec();
  rollout_ = make_rollout(rollout_shape(*simulator_, steps_of_stage(config_, spec)), device_);
  policies_ = make_policies(config_, spec, rollout_.shape, device_);
  if (!config_.calibrator) return;
  if (config_.calibrator->kind == CalibratorKind::rl)
    check_minibatches("calibrator", config_.calibrator->ppo, config_.train.instances);
  targets_ = resolve_targets(config_.targets, simulator_->metric_names());
  goal_ = make_goal(targets_, device_);
  calibrator_ =
      make_calibrator(*config_.calibrator, spec, config_.train.instances, std::uint32_t(config_.train.seed), device_);
}

Trainer::Trainer(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

/// With a calibrator a stage is a fresh episode under the new profiles; without one, episodes go on from stage to stage.
void Trainer::begin_episodes() {
  simulator_->clear_metrics();
  if (calibrator_) {
    calibrator_->propose();
    calibrator_->space().write(calibrator_->profiles(), tensor_of(simulator_->supertypes(), device_));
  }
  if (calibrator_ || stage_ == 0)
    simulator_->reset(rollout_.first());
  else
    simulator_->observe(rollout_.first());
}

void Trainer::begin_stage() {
  environment_seconds_ = inference_seconds_ = update_seconds_ = 0;
  for (auto& policy : policies_) policy.begin(stage_, stage_ - rate_from_);
  if (calibrator_) calibrator_->begin(stage_);
}

/// Adds the time since the last phase ended.
void Trainer::end_phase(double& seconds) {
  if (config_.wait_for_phases) simulator_->synchronize();
  seconds += lap(phase_start_);
}

void Trainer::roll_out() {
  for (int t = 0; t < rollout_.shape.steps; ++t) {
    for (auto& policy : policies_) policy.act(rollout_, t);
    end_phase(inference_seconds_);
    simulator_->step(rollout_.input(t), rollout_.output(t));
    end_phase(environment_seconds_);
  }
  for (auto& policy : policies_) policy.evaluate_end(rollout_);
  end_phase(inference_seconds_);
}

at::Tensor Trainer::measure(at::Tensor const& profiles, std::int64_t stream) {
  auto const scope = graph_->scope();
  calibrator_->space().write(profiles, tensor_of(simulator_->supertypes(), device_));
  simulator_->clear_metrics();
  simulator_->reset(rollout_.first());
  for (auto& policy : policies_) policy.begin(stream);
  roll_out();
  return mean_metrics(*simulator_, device_);
}

std::vector<UpdateStats> Trainer::update() {
  auto const& o = config_.policy.ppo;
  estimate_advantages(rollout_, o.discount, o.gae_lambda);
  std::vector<UpdateStats> stats;
  for (auto& policy : policies_) stats.push_back(policy.update(rollout_));
  metrics_ = mean_metrics(*simulator_, device_);
  if (calibrator_) {
    rewards_ = calibration_reward(goal_, metrics_);
    if (auto const learned = calibrator_->learn(rewards_)) stats.push_back(*learned);
  }
  return stats;
}

void Trainer::device_rollout() {
  phase_start_ = Clock::now();
  begin_episodes();
  end_phase(environment_seconds_);
  roll_out();
}

/// All of a stage that runs on the device; nothing in it waits for it, but for measurements.
void Trainer::device_stage() {
  device_rollout();
  auto const stats = update();
  figures_ = figures(stats);
  end_phase(update_seconds_);
}

StageReport Trainer::phases() const {
  StageReport report;
  report.stage = stage_;
  report.environment_seconds = environment_seconds_;
  report.inference_seconds = inference_seconds_;
  report.update_seconds = update_seconds_;
  return report;
}

StageReport Trainer::run_rollout() {
  auto const scope = graph_->scope();
  begin_stage();
  rollout_graph_->run([this] { device_rollout(); });
  return phases();
}

void Trainer::launch_stage() try {
  auto const scope = graph_->scope();
  stage_start_ = Clock::now();
  begin_stage();
  graph_->run([this] { device_stage(); });
} catch (InputError const& error) {
  throw Error(fmt::format("stage {}: {}", stage_, error.what()));
}

StageReport Trainer::finish_stage() {
  auto const scope = graph_->scope();
  auto report = phases();
  fill(report);
  if (calibrator_) calibrator_->end_stage(*report.r_cal_mean);
  auto const steps = rollout_.rewards.numel();
  double const seconds = lap(stage_start_);
  report.agent_steps_per_second = double(steps) / seconds;
  report.agent_steps = agent_steps_ += steps;
  ++stage_;
  if (config_.validation && calibrator_) validate(report);
  report.validation_seconds = lap(stage_start_);
  report.seconds = seconds_ += seconds + report.validation_seconds;
  return report;
}

std::int64_t Trainer::settling_stages() const {
  bool const settles = config_.validation && config_.calibrator && config_.calibrator->kind != CalibratorKind::fixed;
  return settles ? std::llround(config_.settling.share * double(config_.train.stages)) : 0;
}

std::int64_t Trainer::calibration_stages() const { return config_.train.stages - settling_stages(); }

std::int64_t Trainer::stages() const {
  bool const early = calibrated_at_ >= 0 && calibrated_at_ < planned_;
  return early ? calibrated_at_ + settling_stages() : config_.train.stages;
}

at::Tensor Trainer::answer() const { return answer_.profile().defined() ? answer_.profile() : calibrator_->answer(); }

FrozenGame Trainer::frozen_game(at::Tensor const& profiles, void* stream) const {
  auto const make = [config = config_, device = device_, stream](int instances, std::uint32_t seed) {
    auto own = config;
    own.train.instances = instances;
    own.train.seed = seed;
    return make_simulator(own, device, stream);
  };
  auto const& spec = simulator_->spec();
  auto const count = profiles.defined() ? profiles.size(0) : 1;
  auto const supertypes = at::zeros({count, std::int64_t(spec.supertypes.size()), spec.coordinates()}).to(device_);
  if (spec.coordinates() > 0) {
    ProfileSpace const space(spec, device_);
    space.write(profiles.defined() ? profiles : space.scaled(space.initial()).unsqueeze(0), supertypes);
  }
  return {.make_simulator = make,
          .policies = policies_,
          .supertypes = supertypes,
          .device = device_,
          .stage = stage_ - rate_from_};
}

Fit Trainer::fit(at::Tensor const& profile, int episodes, std::uint32_t use) const {
  auto const game = frozen_game(profile.unsqueeze(0), graph_->stream());
  auto const seed = std::uint32_t(derived_seed(std::uint32_t(config_.train.seed), Purpose::validation, use));
  return fit_of(targets_, goal_, play_episodes(game, episodes, seed));
}

/// While the calibration goes on, the calibrator's answer against the best one before, both under the present policies on the
/// same episodes. What a run reports is measured on others.
void Trainer::validate(StageReport& report) {
  enum : std::uint32_t { choosing, reporting };
  auto const& o = *config_.validation;
  if (calibrating() && (stage_ % o.every == 0 || stage_ == calibration_stages())) {
    report.validation = answer_.consider(calibrator_->answer().clone(),
                                         [&](at::Tensor const& profile) { return fit(profile, o.episodes, choosing); });
    bool const searches = config_.calibrator->kind != CalibratorKind::fixed;
    if (stage_ == calibration_stages() || (searches && !answer_.may_improve())) {
      report.calibrated = fit(answer_.profile(), o.final_episodes, reporting);
      calibrated_at_ = stage_;
      if (config_.settling.explore) rate_from_ = stage_;
      planned_ = calibration_stages();
      if (settling_stages() > 0) settle();
    }
  }
  if (is_challenged()) challenge_policies(report);
  if (calibrated_at_ >= 0 && settling_stages() > 0 && stage_ == stages())
    report.settled = fit(answer_.profile(), o.final_episodes, reporting);
}

/// At even distances while the calibration goes on. Not at its end: the profile could no longer follow a new policy.
bool Trainer::is_challenged() const {
  if (config_.settling.challengers == 0 || settling_stages() == 0 || !calibrating()) return false;
  auto const distance = calibration_stages() / (config_.settling.challengers + 1);
  return distance > 0 && stage_ % distance == 0 && stage_ + distance <= calibration_stages();
}

/// Policies that have ended in a local optimum do not leave it by learning on: one from scratch that earns more does it for them.
/// The calibration that follows is with the new ones.
void Trainer::challenge_policies(StageReport& report) {
  constexpr int updates = 100, evaluations = 1024;
  auto const game =
      frozen_game((calibrating() ? calibrator_->answer() : answer_.profile()).unsqueeze(0), graph_->stream());
  auto const seed = derived_seed(std::uint32_t(config_.train.seed), Purpose::deviation, std::uint32_t(stage_));
  for (std::size_t p = 0; p < policies_.size(); ++p) {
    auto const challenger = challenge(game, p,
                                      {.instances = 2 * config_.train.instances,
                                       .updates = updates,
                                       .steps = config_.train.steps,
                                       .evaluations = evaluations,
                                       .seed = std::uint32_t(seed)});
    report.challenges.push_back(challenger.regret);
    if (!challenger.wins()) continue;
    policies_[p].take(challenger.parameters);
    rate_from_ = stage_;
    answer_.forget_validations();
  }
}

/// From now on the profile rests; instances no longer go in pairs, and draw random numbers that calibration has not seen.
void Trainer::settle() {
  auto own = config_;
  own.train.seed = std::uint32_t(derived_seed(std::uint32_t(config_.train.seed), Purpose::validation, ~0u));
  simulator_ = make_simulator(own, device_, graph_->stream());
  calibrator_ = std::make_unique<FixedCalibrator>(calibrator_->space(), answer_.profile(), config_.train.instances);
  for (auto& policy : policies_) {
    policy.set_common(1);
    if (config_.settling.explore) policy.explore_again();
  }
  rollout_graph_ = graph_->beside();
  graph_ = graph_->beside();
}

StageReport Trainer::run_stage() {
  launch_stage();
  return finish_stage();
}

/// What fill() reads, gathered on the device so that it comes to the host in one transfer, the only one of a stage.
at::Tensor Trainer::figures(std::vector<UpdateStats> const& stats) {
  at::NoGradGuard const no_grad;
  std::vector<at::Tensor> pieces;
  auto const put = [&](at::Tensor const& x) { pieces.push_back(x.to(at::kDouble).flatten()); };
  put(episode_statistics(*simulator_, device_));
  for (std::size_t p = 0; p < policies_.size(); ++p) put(stats[p].values);
  for (auto const& policy : policies_) put(policy.kl_coefficient());
  put(rollout_.entropies.mean());
  for (auto const& policy : policies_) put(policy.network().parameters().sum());
  if (calibrator_) {
    put(rewards_.mean());
    put(rewards_.std(0, false));
    put(calibrator_->profiles().mean(0));
    if (stats.size() > policies_.size()) put(stats.back().values);
    if (auto const parameters = calibrator_->parameters(); parameters.defined()) put(parameters.sum());
  }
  return at::cat(pieces);
}

void Trainer::fill(StageReport& report) const {
  auto const host = figures_.cpu();
  double const* x = host.data_ptr<double>();
  auto const& names = simulator_->metric_names();
  auto const metrics = names.size(), count = policies_.size();
  bool const counted = std::isfinite(x[metrics - 1]);  // some instance may have finished no episode yet
  for (auto i = counted ? std::size_t(0) : 2 * metrics; i < std::size_t(host.numel()); ++i)
    if (!std::isfinite(x[i])) check_finite();

  auto const& supertypes = simulator_->spec().supertypes;
  for (std::size_t s = 0; counted && s < supertypes.size(); ++s) {
    auto const at = metrics - 1 - supertypes.size() + s;
    report.returns.push_back({supertypes[s].name, x[at], x[metrics + at]});
  }
  for (auto const& t : targets_) report.targets.push_back({t.name, t.value, x[t.metric]});
  x += 2 * metrics;
  for (std::size_t p = 0; p < count; ++p, x += UpdateStats::count) {
    report.kl += x[UpdateStats::kl] / double(count);
    report.value_loss += x[UpdateStats::value_loss] / double(count);
  }
  for (std::size_t p = 0; p < count; ++p) report.kl_coefficient += *x++ / double(count);
  report.entropy = *x++;
  x += count;
  if (!calibrator_) return;
  report.r_cal_mean = *x++;
  report.r_cal_sd = *x++;
  for (auto const& name : calibrator_->space().names()) report.profile.push_back({name, *x++});
}

/// Names the first tensor that is not finite, in the order in which a stage makes them.
void Trainer::check_finite() const {
  auto const check = [&](char const* name, at::Tensor const& tensor) {
    if (tensor.defined() && !at::isfinite(tensor).all().item<bool>())
      throw Error(fmt::format("stage {}: {} is not finite; nothing was saved after the last checkpoint", stage_, name));
  };
  check("observations", rollout_.observations);
  check("distribution parameters", rollout_.parameters);
  check("actions", rollout_.continuous);
  check("log-probabilities", rollout_.log_probabilities);
  check("values", rollout_.values);
  check("rewards", rollout_.rewards);
  check("advantages", rollout_.advantages);
  check("episode metrics", metrics_);
  for (auto const& policy : policies_) check("policy parameters", policy.network().parameters());
  if (calibrator_) {
    check("calibrator reward", rewards_);
    check("calibrator parameters", calibrator_->parameters());
  }
  throw Error(fmt::format("stage {}: the loss is not finite; nothing was saved after the last checkpoint", stage_));
}

}  // namespace shoal
