// CALSHEQ's RL calibrator (Vadori et al., 2020, algorithm 1): B particles, each with its own running supertype profile. In every
// stage it proposes an increment for each particle, the particle's episode is run with the new profile, and what the episode's
// metrics miss of their targets is the reward of a PPO learner whose state is the previous profile.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "shoal/learn/options.hpp"
#include "shoal/learn/ppo.hpp"

namespace shoal {

/// One metric that should take a value. The weights of a run's targets sum to 1.
struct Target {
  std::string name;
  int metric;  // index into Simulator::metric_names()
  double value, weight, scale;
};

/// Resolves the entries of a configuration: each entry's weight is shared by its metrics, then all are scaled to a sum of 1.
/// @throws InputError for an unknown metric, counts that differ, or weights that sum to 0
std::vector<Target> resolve_targets(std::vector<TargetOptions> const& entries,
                                    std::vector<std::string> const& metric_names);

/// Targets as vectors [K] on the device.
struct Goal {
  at::Tensor columns, values, weights, scales;  // columns: places in a row of metrics
};
Goal make_goal(std::vector<Target> const& targets, at::Device device);

/// r_cal = sum_k w_k / (1 + |f_k - target_k| / scale_k), 1 at a perfect fit.
/// @param metrics  [B, metric_names.size()]  @return [B]
at::Tensor calibration_reward(Goal const& goal, at::Tensor const& metrics);

class Calibrator {
 public:
  /// Every particle starts at the initial profile of `spec`.
  Calibrator(CalibratorOptions const& options, Spec const& spec, int particles, std::uint32_t seed, at::Device device);

  /// Says which stage the next propose() and learn() belong to.
  void begin(std::int64_t stage);

  /// Samples the increments of the stage and moves the particles, clipped to the bounds. The log-probability kept is that of the
  /// unclipped increment.
  void propose();

  /// Writes profiles [B, D] into a supertype buffer [B, supertypes, coordinates].
  void write(at::Tensor const& profiles, at::Tensor const& supertypes) const;

  /// Trains on (previous profile, increment, reward). The learner sees each reward less the particle's running mean of rewards before
  /// it, a baseline that the increment cannot change and that takes away most of the variance between particles. (With a discount it
  /// scales every reward's weight by the same positive factor, so the objective stays.) @param rewards [B]
  UpdateStats learn(at::Tensor const& rewards);

  /// "supertype_1.link_3", in the order of the profile's columns.
  std::vector<std::string> const& coordinate_names() const { return names_; }
  /// The particles' profiles in the coordinates' own units, [B, D].
  at::Tensor profiles() const;
  at::Tensor const& lower_bounds() const { return low_; }  // [D]
  at::Tensor const& ranges() const { return range_; }      // [D], upper less lower bounds

  PpoLearner const& learner() const { return learner_; }
  std::vector<at::Tensor> state() const;  // for checkpoints

 private:
  /// [B, D] from the initial profile, what the network sees; slot 0 before, 1 after the increment.
  at::Tensor offsets(int slot) const;

  std::int64_t stage_ = 0;
  std::vector<std::string> names_;
  at::Tensor low_, range_;  // [D]
  at::Tensor origin_;       // [D] the initial profile, in [0, 1]
  at::Tensor columns_;      // [D] i64: places in a row of the supertype buffer
  at::Tensor baseline_;     // [B] running means of the particles' rewards
  Rollout rollout_;         // one step of one agent
  PpoLearner learner_;
};

}  // namespace shoal
