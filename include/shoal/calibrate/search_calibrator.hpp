// Calibration from outside: one profile for all instances, kept for a period of stages, valued by the r_cal that it
// ends with, then the next. The shared policy is not reset at a new profile. This is what CALSHEQ is compared with.
#pragma once

#include <cstdint>
#include <memory>

#include "shoal/calibrate/calibrator.hpp"

namespace shoal {

/// What a search knows: the unit profiles that it tried and their values, which it maximises. CPU, f64.
struct SearchHistory {
  at::Tensor points;  // [n, D]
  at::Tensor values;  // [n]
};

/// Says where to look next. The answer is a function of the options that it was made with, a seed and the history, so
/// that a history is all that a checkpoint needs.
class ProfileSearch {
 public:
  virtual ~ProfileSearch() = default;

  /// @return [D] in [0, 1], CPU, f64
  virtual at::Tensor next(SearchHistory const& history) const = 0;
};

/// The search that `options.kind` names: bo, random or cmaes.
/// @param initial  [D] unit profile that it starts from
std::unique_ptr<ProfileSearch> make_profile_search(CalibratorOptions const& options, at::Tensor const& initial,
                                                   std::uint32_t seed);

class SearchCalibrator final : public Calibrator {
 public:
  /// @param period  stages that a profile is kept
  SearchCalibrator(ProfileSpace space, std::unique_ptr<ProfileSearch> search, int period, int instances);

  /// In the first stage of a period: asks the search for the next profile.
  void begin(std::int64_t stage) override;
  /// In the last fifth of a period, one stage at least: its mean reward counts for the profile's value.
  void end_stage(double mean_reward) override;

  at::Tensor profiles() const override { return profiles_; }
  /// The profile of the best value among those whose period has ended; before that the present one.
  at::Tensor answer() const override;
  /// [n, D + 1]: the unit profiles tried and their values, the present one last. Its value is not complete.
  at::Tensor history() const override { return history_; }

 private:
  std::unique_ptr<ProfileSearch> search_;
  int period_;
  std::int64_t stage_ = 0;
  at::Tensor profiles_;  // [B, D], always at the same address
  at::Tensor history_;
};

}  // namespace shoal
