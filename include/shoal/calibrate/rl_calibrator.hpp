// CALSHEQ's RL calibrator (Vadori et al., 2020, algorithm 1): B particles, each with its own running supertype profile.
// In every stage it proposes an increment for each particle, the particle's episode is run with the new profile, and
// what the episode's metrics miss of their targets is the reward of a PPO learner whose state is the previous profile.
#pragma once

#include "shoal/calibrate/calibrator.hpp"
#include "shoal/learn/ppo.hpp"

namespace shoal {

class RlCalibrator final : public Calibrator {
 public:
  /// Every particle starts at the initial profile of `space`. @param particles  of this process
  RlCalibrator(CalibratorOptions const& options, ProfileSpace space, int particles, std::uint32_t seed,
               Collective const& collective = {});

  void begin(std::int64_t stage) override;

  /// Samples the increments of the stage and moves the particles, clipped to the bounds. The log-probability kept is
  /// that of the unclipped increment. Particles 2k and 2k + 1 draw opposite noise, so that the mean profile moves
  /// without it.
  void propose() override;

  /// Trains on (previous profile, increment, reward). The learner sees each reward less the particle's running mean of
  /// rewards before it, a baseline that the increment cannot change and that takes away most of the variance between
  /// particles. (With a discount it scales every reward's weight by the same positive factor, so the objective stays.)
  void learn(at::Tensor const& rewards) override;

  at::Tensor profiles() const override;
  at::Tensor parameters() const override { return learner_.actor().parameters(); }
  NamedTensors state() const override;

  PpoLearner const& learner() const { return learner_; }

 private:
  /// [B, D] from the initial profile, what the network sees; slot 0 before, 1 after the increment.
  at::Tensor offsets(int slot) const;

  std::int64_t stage_ = 0;
  at::Tensor baseline_;  // [B] running means of the particles' rewards
  Rollout rollout_;      // one step of one agent
  PpoLearner learner_;
};

}  // namespace shoal
