#include "shoal/calibrate/fit.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "src/analysis/population.hpp"

namespace shoal {

namespace {

// Instances at once. Fixed, so that the episodes of a seed do not depend on the memory that there is.
constexpr int most_at_once = 1024;

/// The first episode of each instance: of those that end within a time, short ones would be too many.
at::Tensor play_at_once(FrozenGame const& game, int episodes, std::uint32_t seed, Collective const& processes) {
  auto const collective = episodes % processes.size() == 0 ? processes : Collective();
  Population population(game, episodes, seed, collective);
  auto open = at::ones({episodes / collective.size()}, at::TensorOptions().dtype(at::kBool).device(game.device));
  at::Tensor metrics;
  for (int t = 0; t < population.spec().max_episode_steps && open.any().item<bool>(); ++t) {
    population.act(t);
    population.step();
    auto const ends = population.ended().logical_and(open);
    if (!ends.any().item<bool>()) continue;
    auto const now = population.episode_metrics();
    metrics = metrics.defined() ? at::where(ends.unsqueeze(1), now, metrics) : now;
    open = open.logical_and(ends.logical_not());
  }
  return collective.gather(metrics);
}

}  // namespace

at::Tensor play_episodes(FrozenGame const& game, int episodes, std::uint32_t seed, Collective const& collective) {
  at::NoGradGuard const no_grad;
  std::vector<at::Tensor> parts;
  for (int first = 0; first < episodes; first += most_at_once)
    parts.push_back(play_at_once(game, std::min(most_at_once, episodes - first),
                                 std::uint32_t(derived_seed(seed, Purpose::validation, std::uint32_t(first))),
                                 collective));
  return at::cat(parts);
}

Fit fit_of(std::vector<Target> const& targets, Goal const& goal, at::Tensor const& metrics) {
  auto const values = metrics.to(at::kDouble);
  Fit fit{.episodes = metrics.size(0), .r_cal = estimate(calibration_reward(goal, metrics).to(at::kDouble))};
  for (auto const& t : targets) fit.targets.push_back({t.name, t.value, estimate(values.select(1, t.metric))});
  return fit;
}

}  // namespace shoal
