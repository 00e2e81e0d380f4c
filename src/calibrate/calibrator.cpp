#include "shoal/calibrate/calibrator.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "shoal/calibrate/evolution_calibrator.hpp"
#include "shoal/calibrate/fixed_calibrator.hpp"
#include "shoal/calibrate/rl_calibrator.hpp"
#include "shoal/calibrate/search_calibrator.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

/// "x.quantity_p20" is "x.quantity_p" and 20; nothing for names of another form.
std::optional<std::pair<std::string, int>> as_percentile(std::string const& name) {
  auto const digits = name.find_last_not_of("0123456789") + 1;
  if (digits == name.size() || digits < 2 || name.compare(digits - 2, 2, "_p") != 0) return {};
  return std::pair{name.substr(0, digits), std::stoi(name.substr(digits, 4))};
}

/// An error about a key of entry i, counted from 0, as configurations call it: "calibrator.target[1].metrics".
SettingError wrong_target(std::size_t i, char const* key, std::string const& problem) {
  return {fmt::format("calibrator.target[{}].{}", i + 1, key), problem};
}

/// The entry that has the metric.
std::size_t entry_with(std::vector<TargetOptions> const& entries, std::string const& metric) {
  auto const has = [&](auto const& e) {
    return std::find(e.metrics.begin(), e.metrics.end(), metric) != e.metrics.end();
  };
  return std::size_t(std::find_if(entries.begin(), entries.end(), has) - entries.begin());
}

/// A percentile cannot be above a higher one.
void check_percentiles(std::vector<TargetOptions> const& entries, std::vector<Target> const& targets) {
  for (auto const& a : targets)
    for (auto const& b : targets) {
      auto const x = as_percentile(a.name), y = as_percentile(b.name);
      if (x && y && x->first == y->first && x->second < y->second && a.value > b.value)
        throw wrong_target(entry_with(entries, a.name), "values",
                           fmt::format(": {} = {} is above {} = {}; expected percentiles that do not fall", a.name,
                                       a.value, b.name, b.value));
    }
}

}  // namespace

std::vector<Target> resolve_targets(std::vector<TargetOptions> const& entries,
                                    std::vector<std::string> const& metric_names) {
  std::vector<Target> targets;
  double total = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto const& entry = entries[i];
    if (entry.metrics.size() != entry.values.size())
      throw wrong_target(i, entry.metrics.empty() ? "values" : "metrics",
                         fmt::format(": {} metrics but {} values; expected a value for each metric",
                                     entry.metrics.size(), entry.values.size()));
    for (std::size_t k = 0; k < entry.metrics.size(); ++k) {
      auto const it = std::find(metric_names.begin(), metric_names.end(), entry.metrics[k]);
      if (it == metric_names.end())
        throw wrong_target(i, "metrics",
                           fmt::format(": no metric \"{}\"; `shoal list` names the environment's metrics",
                                       printable(entry.metrics[k], 80)));
      auto const same = [&](Target const& target) { return target.name == entry.metrics[k]; };
      if (std::any_of(targets.begin(), targets.end(), same))
        throw wrong_target(i, "metrics", fmt::format(": \"{}\" is a target twice", entry.metrics[k]));
      double const weight = entry.weight / double(entry.metrics.size());
      targets.push_back({entry.metrics[k], int(it - metric_names.begin()), entry.values[k], weight, entry.scale});
      total += weight;
    }
  }
  if (total <= 0) throw SettingError("calibrator.target", ": expected at least one target with a positive weight");
  for (auto& target : targets) target.weight /= total;
  check_percentiles(entries, targets);
  return targets;
}

Goal make_goal(std::vector<Target> const& targets, at::Device device) {
  std::vector<std::int64_t> columns;
  std::vector<double> values, weights, scales;
  for (auto const& t : targets) {
    columns.push_back(t.metric);
    values.push_back(double(float(t.value)));  // metrics are floats: this one can be met
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

at::Tensor Calibrator::mean_profile() const {
  auto const mean = profiles().mean(0);
  collective_.average(mean);
  return mean;
}

std::unique_ptr<Calibrator> make_calibrator(CalibratorOptions const& options, Spec const& spec, int instances,
                                            std::uint32_t seed, at::Device device, Collective const& collective) {
  ProfileSpace space(spec, device);
  auto const fixed = options.profile.empty() ? space.scaled(space.initial()) : space.checked(options.profile);
  if (options.kind == CalibratorKind::fixed)
    return std::make_unique<FixedCalibrator>(std::move(space), fixed, instances);
  if (options.kind == CalibratorKind::es)
    return std::make_unique<EvolutionCalibrator>(options.evolution, std::move(space), instances, seed, collective);
  if (options.kind == CalibratorKind::rl)
    return std::make_unique<RlCalibrator>(options, std::move(space), instances, seed, collective);
  auto search = make_profile_search(options, space.initial(), seed);
  return std::make_unique<SearchCalibrator>(std::move(space), std::move(search), options.period, instances);
}

}  // namespace shoal
