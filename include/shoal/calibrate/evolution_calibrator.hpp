// An evolution strategy as calibrator: one search distribution, a normal of fixed spread around a mean profile, and its
// mean climbs the expected r_cal. Particles 2k and 2k + 1 lie at opposite sides of the mean (mirrored sampling:
// Brockhoff et al., PPSN 2010) and run their episodes on the same random numbers (Trainer), so that what tells them
// apart is the profile alone. The gradient estimate is that of Salimans et al., arXiv 1703.03864, its step Adam's
// (Kingma and Ba, arXiv 1412.6980): a step shrinks where successive estimates disagree.
#pragma once

#include "shoal/calibrate/calibrator.hpp"

namespace shoal {

class EvolutionCalibrator final : public Calibrator {
 public:
  /// The mean starts at the initial profile of `space`. With an odd number of particles the last one stays at the mean.
  /// @param particles  of this process; even where there are several
  EvolutionCalibrator(EvolutionOptions const& options, ProfileSpace space, int particles, std::uint32_t seed,
                      Collective const& collective = {});

  void begin(std::int64_t stage) override;
  void cool(double heat) override;
  void propose() override;
  void learn(at::Tensor const& rewards) override;

  at::Tensor profiles() const override { return space().scaled(points_); }
  /// A running average of the mean profile: its last steps without their noise.
  at::Tensor answer() const override { return space().scaled(average_); }
  at::Tensor parameters() const override { return mean_; }
  NamedTensors state() const override;

 private:
  /// Of pairs of rows [2 pairs, ...]: those at one side of the mean.
  at::Tensor side(at::Tensor const& rows, int which) const;
  void draw();

  EvolutionOptions options_;
  std::uint32_t seed_;
  std::int64_t pairs_;
  at::Tensor stage_, rate_;                  // one value each, on the device
  at::Tensor mean_, average_;                // [D], unit
  at::Tensor points_;                        // [B, D], unit: the particles' profiles
  at::Tensor momentum_, square_, step_;      // Adam's, [D], [D], []
  at::Tensor log_spread_, agent_, scratch_;  // what sampling reads and writes beside the points
};

}  // namespace shoal
