// How well a profile meets its targets under policies that no longer learn: the mean over episodes that training never
// saw.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "shoal/analysis/frozen_game.hpp"
#include "shoal/calibrate/calibrator.hpp"
#include "shoal/data/estimate.hpp"

namespace shoal {

/// r_cal and what every target's metric came to, with 95 % intervals over the episodes.
struct Fit {
  struct Metric {
    std::string name;
    double target;
    Estimate value;
  };
  std::int64_t episodes = 0;
  Estimate r_cal = {};
  std::vector<Metric> targets = {};
};

/// Plays episodes under the game's supertypes: whole, and with random numbers of their own, a function of `seed` alone.
/// @param episodes    at least 1
/// @param collective  the processes that make the same call; each plays an equal part where there is one
/// @return [episodes, Simulator::metric_names()] f32; the same for the same arguments on one device, and for any number
///         of processes
at::Tensor play_episodes(FrozenGame const& game, int episodes, std::uint32_t seed, Collective const& collective = {});

/// @param metrics  of play_episodes(), of at least two episodes
Fit fit_of(std::vector<Target> const& targets, Goal const& goal, at::Tensor const& metrics);

}  // namespace shoal
