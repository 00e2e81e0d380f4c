#include "shoal/train/trainer.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "shoal/learn/algorithms.hpp"
#include "shoal/ops/parallel.hpp"
#include "shoal/train/memory.hpp"
#include "src/train/figures.hpp"
#include "src/train/stage_graph.hpp"

namespace shoal {

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds since `start`, which becomes now.
double lap(Clock::time_point& start) {
  auto const now = Clock::now();
  return std::chrono::duration<double>(now - std::exchange(start, now)).count();
}

at::Device checked_device(TrainerConfig const& config) {
  check_shares(config);
  auto const device = choose_device(config.train.device);
  check_memory(config, device);
  return device;
}

/// Of [policy] too where sections leave it no agents: which agents there are is not known yet. How many samples of a
/// minibatch are a process's own differs from stage to stage.
bool may_capture(TrainerConfig const& config) {
  auto const may = [&](PolicyOptions const& options) {
    return is_capturable(options) && (config.collective.is_alone() || options.ppo.minibatches == 1);
  };
  return config.train.cuda_graphs && !config.wait_for_phases && may(config.policy) &&
         std::all_of(config.sections.begin(), config.sections.end(), [&](auto const& s) { return may(s.options); });
}

/// "NAME." of a learner of section [policy.NAME].
std::string section_prefix(std::vector<PolicySection> const& sections, std::string const& learner) {
  for (auto const& section : sections)
    if (learner == "policy." + section.name) return section.name + ".";
  return {};
}

}  // namespace

Trainer::Trainer(TrainerConfig config)
    : config_(std::move(config)),
      device_(checked_device(config_)),
      graph_(std::make_unique<StageGraph>(device_, may_capture(config_), choose_threads(config_.train.threads))),
      rollout_graph_(graph_->beside()),
      simulator_(make_simulator(config_, device_, graph_->stream(), common_instances(config_))),
      figures_(std::make_unique<Figures>()),
      answer_(config_.validation ? config_.validation->patience : 0) {
  auto const scope = graph_->scope();
  auto const& spec = simulator_->spec();
  rollouts_ = make_rollouts(*simulator_, steps_of_stage(config_, spec), device_);
  learners_ = make_learners(config_, spec, rollouts_, device_);
  for (auto const& members : policies_of(config_, spec)) learner_names_.push_back(members.name);
  if (!config_.calibrator) return;
  if (config_.calibrator->kind == CalibratorKind::rl)
    check_minibatches("calibrator", config_.calibrator->ppo, config_.train.instances);
  targets_ = resolve_targets(config_.targets, simulator_->metric_names());
  goal_ = make_goal(targets_, device_);
  calibrator_ = make_calibrator(*config_.calibrator, spec, simulator_->options().instances,
                                std::uint32_t(config_.train.seed), device_, config_.collective);
}

Trainer::Trainer(Trainer&&) noexcept = default;
Trainer::~Trainer() = default;

/// With a calibrator a stage is a fresh episode under the new profiles; without one, episodes go on from stage to
/// stage.
void Trainer::begin_episodes() {
  simulator_->clear_metrics();
  if (calibrator_) {
    calibrator_->propose();
    calibrator_->space().write(calibrator_->profiles(), tensor_of(simulator_->supertypes(), device_));
  }
  if (calibrator_ || stage_ == 0)
    reset();
  else
    simulator_->observe(first_outputs(rollouts_));
}

void Trainer::reset() {
  simulator_->reset(first_outputs(rollouts_));
  for (auto& learner : learners_) learner->actor().forget();
}

void Trainer::begin_stage() {
  environment_seconds_ = inference_seconds_ = update_seconds_ = 0;
  for (auto& learner : learners_) learner->begin(stage_, stage_ - rate_from_);
  if (!calibrator_) return;
  calibrator_->begin(stage_);
  if (calibrating() && cooldown_stages() > 0) calibrator_->cool(heat());
}

/// Adds the time since the last phase ended.
void Trainer::end_phase(double& seconds) {
  if (config_.wait_for_phases) simulator_->synchronize();
  seconds += lap(phase_start_);
}

Rollout const& Trainer::rollout_of(Learner const& learner) const {
  return rollouts_[std::size_t(learner.actor().config().group)];
}

void Trainer::roll_out() {
  for (int t = 0; t < rollouts_[0].shape.steps; ++t) {
    for (auto& learner : learners_) learner->actor().act(rollout_of(*learner), t);
    end_phase(inference_seconds_);
    simulator_->step(inputs(rollouts_, t), outputs(rollouts_, t));
    end_phase(environment_seconds_);
  }
  for (auto& learner : learners_) learner->actor().evaluate_end(rollout_of(*learner));
  end_phase(inference_seconds_);
}

at::Tensor Trainer::measure(at::Tensor const& profiles, std::int64_t stream) {
  auto const scope = graph_->scope();
  calibrator_->space().write(profiles, tensor_of(simulator_->supertypes(), device_));
  simulator_->clear_metrics();
  reset();
  for (auto& learner : learners_) learner->begin(stream);
  roll_out();
  return mean_metrics(*simulator_, device_);
}

void Trainer::update() {
  for (auto& learner : learners_) learner->update(rollout_of(*learner));
  metrics_ = mean_metrics(*simulator_, device_);
  if (!calibrator_) return;
  rewards_ = calibration_reward(goal_, metrics_);
  calibrator_->learn(rewards_);
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
  update();
  gather_figures();
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
  auto const steps = live_steps();
  double const seconds = lap(stage_start_);
  report.agent_steps_per_second = double(steps) / seconds;
  report.agent_steps = agent_steps_ += steps;
  ++stage_;
  if (config_.validation && calibrator_) validate(report);
  report.validation_seconds = lap(stage_start_);
  report.seconds = seconds_ += seconds + report.validation_seconds;
  return report;
}

StageReport Trainer::run_stage() {
  launch_stage();
  return finish_stage();
}

void Trainer::gather_figures() {
  auto& f = *figures_;
  if (simulator_->spec().may_die) f.put("live", live_rows());
  f.put("episodes", episode_statistics(*simulator_, device_, config_.collective));
  for (std::size_t p = 0; p < learners_.size(); ++p) {
    f.put(learner_names_[p], learners_[p]->figures());
    f.put(learner_names_[p] + ".sum", learners_[p]->actor().parameters().sum());
  }
  if (calibrator_) {
    f.put("r_cal", reward_statistics());
    f.put("profile", calibrator_->mean_profile());
    if (auto const parameters = calibrator_->parameters(); parameters.defined())
      f.put("calibrator.sum", parameters.sum());
  }
  f.gather();
}

void Trainer::fill(StageReport& report) const {
  auto const& f = *figures_;
  figures_->read();
  auto const& names = simulator_->metric_names();
  auto const episodes = f["episodes"];                             // means, then standard deviations
  bool const counted = std::isfinite(episodes[names.size() - 1]);  // some instance may have finished no episode yet
  if (!f.are_finite_without(counted ? "" : "episodes")) check_finite();

  auto const& supertypes = simulator_->spec().supertypes;
  for (std::size_t s = 0; counted && s < supertypes.size(); ++s) {
    auto const at = names.size() - 1 - supertypes.size() + s;
    report.returns.push_back({supertypes[s].name, episodes[at], episodes[names.size() + at]});
  }
  for (auto const& t : targets_) report.targets.push_back({t.name, t.value, episodes[std::size_t(t.metric)]});
  for (std::size_t k = 0; counted && k < names.size(); ++k) report.metrics.push_back({names[k], episodes[k]});
  fill_figures(report);
  if (!calibrator_) return;
  report.r_cal_mean = f["r_cal"][0];
  report.r_cal_sd = f["r_cal"][1];
  auto const& coordinates = calibrator_->space().names();
  for (std::size_t d = 0; d < coordinates.size(); ++d) report.profile.push_back({coordinates[d], f["profile"][d]});
}

/// Mean and standard deviation of r_cal over the instances of all processes, [2].
at::Tensor Trainer::reward_statistics() const {
  auto const& all = config_.collective;
  if (all.is_alone()) return at::stack({rewards_.mean(), rewards_.std(0, false)});
  auto const mean = rewards_.mean();
  all.average(mean);
  auto const variance = (rewards_ - mean).square().mean();
  all.average(variance);
  return at::stack({mean, variance.sqrt()});
}

/// Agent steps of the stage, without those of agents that had left their episode; on the device.
at::Tensor Trainer::live_rows() const {
  at::Tensor all;
  for (auto const& rollout : rollouts_) {
    auto const own = rollout.alive.narrow(0, 0, rollout.shape.steps).sum();
    all = all.defined() ? all + own : own;
  }
  config_.collective.sum(all);
  return all;
}

std::int64_t Trainer::live_steps() const {
  if (simulator_->spec().may_die) return std::int64_t((*figures_)["live"][0]);
  std::int64_t steps = 0;
  for (auto const& rollout : rollouts_) steps += rollout.rewards.numel();
  return steps * config_.collective.size();
}

/// Means over the learners that have a figure of that name. A section's are called by its name: "supertype_1.entropy".
void Trainer::fill_figures(StageReport& report) const {
  std::vector<int> counts;
  for (std::size_t p = 0; p < learners_.size(); ++p) {
    auto const names = learners_[p]->figure_names();
    auto const prefix = section_prefix(config_.sections, learner_names_[p]);
    for (std::size_t k = 0; k < names.size(); ++k) {
      auto const name = prefix + names[k];
      auto const same = [&](auto const& figure) { return figure.name == name; };
      auto it = std::find_if(report.figures.begin(), report.figures.end(), same);
      if (it == report.figures.end()) {
        it = report.figures.insert(it, {name, 0});
        counts.push_back(0);
      }
      auto& count = counts[std::size_t(it - report.figures.begin())];
      it->mean += ((*figures_)[learner_names_[p]][k] - it->mean) / ++count;
    }
  }
}

/// In the order in which a stage makes them.
NamedTensors Trainer::watched() const {
  NamedTensors all;
  for (std::size_t g = 0; g < rollouts_.size(); ++g)
    for (auto const& [name, tensor, axis] : rollouts_[g].fields())
      all.push_back({rollouts_.size() > 1 ? simulator_->spec().groups[g].name + ": " + name : name, tensor});
  all.push_back({"episode metrics", metrics_});
  for (auto const& learner : learners_) all.push_back({"policy parameters", learner->actor().parameters()});
  if (calibrator_) {
    all.push_back({"calibrator reward", rewards_});
    all.push_back({"calibrator parameters", calibrator_->parameters()});
  }
  return all;
}

/// Names the first tensor that is not finite.
void Trainer::check_finite() const {
  auto const fail = [&](std::string const& name) {
    throw Error(fmt::format("stage {}: {} is not finite; nothing was saved after the last checkpoint", stage_, name));
  };
  for (auto const& [name, tensor, axis] : watched())
    if (tensor.defined() && !at::isfinite(tensor).all().item<bool>()) fail(name);
  fail("the loss");
}

}  // namespace shoal
