#include "shoal/learn/calibrator.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>

namespace shoal {

namespace {

// Weight of the newest reward in a particle's baseline: the mean of about three episodes, while a profile moves little.
constexpr double baseline_rate = 0.3;

// The calibrator's decision as a rollout: one step, one agent, the profile as observation, one real action a coordinate.
RolloutShape decision_shape(Spec const& spec, int particles) {
  int coordinates = 0;
  for (auto const& s : spec.supertypes) coordinates += int(s.coordinates.size());
  if (coordinates == 0) throw InputError("a calibrator needs an environment with supertype coordinates");
  return {.steps = 1,
          .instances = particles,
          .agents = 1,
          .width = coordinates,
          .actions = {.continuous = coordinates},
          .masked = false,
          .truncates = false};
}

PpoLearner make_learner(CalibratorOptions const& options, RolloutShape const& shape, std::uint32_t seed,
                        at::Device device) {
  auto const& hidden = options.network.hidden;
  NetworkShape const network{.inputs = shape.width,
                             .hidden = {hidden.items, hidden.items + hidden.count},
                             .actions = shape.actions,
                             .log_sd = std::log(options.increment_sd),
                             .mean_limit = options.increment,
                             .restoring = options.restoring};
  return {{.options = options.ppo, .agents = {0}, .purpose = Purpose::increment, .seed = seed, .stream = 1u << 31},
          network,
          shape,
          device};
}

}  // namespace

std::vector<Target> resolve_targets(std::vector<TargetOptions> const& entries,
                                    std::vector<std::string> const& metric_names) {
  std::vector<Target> targets;
  double total = 0;
  for (auto const& entry : entries) {
    if (entry.metrics.size() != entry.values.size())
      throw InputError(
          fmt::format("calibrator.target: {} metrics but {} values", entry.metrics.size(), entry.values.size()));
    for (std::size_t k = 0; k < entry.metrics.size(); ++k) {
      auto const it = std::find(metric_names.begin(), metric_names.end(), entry.metrics[k]);
      if (it == metric_names.end())
        throw InputError(
            fmt::format("calibrator.target.metrics: no metric \"{}\"; `shoal list` names the environment's metrics",
                        entry.metrics[k]));
      double const weight = entry.weight / double(entry.metrics.size());
      targets.push_back({entry.metrics[k], int(it - metric_names.begin()), entry.values[k], weight, entry.scale});
      total += weight;
    }
  }
  if (total <= 0) throw InputError("calibrator.target: expected at least one target with a positive weight");
  for (auto& target : targets) target.weight /= total;
  return targets;
}

Goal make_goal(std::vector<Target> const& targets, at::Device device) {
  std::vector<std::int64_t> columns;
  std::vector<double> values, weights, scales;
  for (auto const& t : targets) {
    columns.push_back(t.metric);
    values.push_back(t.value);
    weights.push_back(t.weight);
    scales.push_back(t.scale);
  }
  auto const row = [&](std::vector<double> const& x) { return at::tensor(x, at::kDouble).to(device); };
  return {at::tensor(columns, at::kLong).to(device), row(values), row(weights), row(scales)};
}

at::Tensor calibration_reward(Goal const& goal, at::Tensor const& metrics) {
  auto const f = metrics.index_select(1, goal.columns).to(at::kDouble);
  auto const loss = 1 + (f - goal.values).abs() / goal.scales;
  return (goal.weights / loss).sum(1).to(at::kFloat);
}

Calibrator::Calibrator(CalibratorOptions const& options, Spec const& spec, int particles, std::uint32_t seed,
                       at::Device device)
    : rollout_(make_rollout(decision_shape(spec, particles), device)),
      learner_(make_learner(options, rollout_.shape, seed, device)) {
  std::vector<float> low, range, initial;
  std::vector<std::int64_t> columns;
  for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
    for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c) {
      auto const& coordinate = spec.supertypes[s].coordinates[c];
      names_.push_back(spec.supertypes[s].name + "." + coordinate.name);
      low.push_back(coordinate.low);
      range.push_back(coordinate.high - coordinate.low);
      initial.push_back((coordinate.initial - coordinate.low) / (coordinate.high - coordinate.low));
      columns.push_back(std::int64_t(s) * spec.coordinates() + std::int64_t(c));
    }
  low_ = at::tensor(low).to(device);
  range_ = at::tensor(range).to(device);
  columns_ = at::tensor(columns).to(device);
  baseline_ = at::zeros({particles}, low_.options());
  origin_ = at::tensor(initial).to(device);
}

at::Tensor Calibrator::offsets(int slot) const { return rollout_.observations.select(0, slot).flatten(0, 1); }

at::Tensor Calibrator::profiles() const { return low_ + range_ * (origin_ + offsets(1)); }

void Calibrator::begin(std::int64_t stage) {
  stage_ = stage;
  learner_.begin(stage);
}

void Calibrator::propose() {
  at::NoGradGuard const no_grad;
  offsets(0).copy_(offsets(1));
  learner_.act(rollout_, 0);
  offsets(1).copy_((origin_ + offsets(0) + rollout_.continuous.flatten(0, 2)).clamp(0, 1) - origin_);
}

void Calibrator::write(at::Tensor const& profiles, at::Tensor const& supertypes) const {
  supertypes.flatten(1, 2).index_copy_(1, columns_, profiles);
}

UpdateStats Calibrator::learn(at::Tensor const& rewards) {
  if (stage_ == 0) baseline_.copy_(rewards.mean().expand_as(rewards));
  rollout_.rewards.copy_((rewards - baseline_).view_as(rollout_.rewards));
  baseline_.lerp_(rewards, baseline_rate);
  learner_.evaluate_end(rollout_);
  estimate_advantages(rollout_, learner_.options().discount, learner_.options().gae_lambda);
  return learner_.update(rollout_);
}

std::vector<at::Tensor> Calibrator::state() const {
  auto tensors = learner_.state();
  tensors.push_back(rollout_.observations);
  tensors.push_back(baseline_);
  return tensors;
}

}  // namespace shoal
