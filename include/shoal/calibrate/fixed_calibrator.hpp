// The oracle's calibrator: it knows the profile and keeps it, so that the policy is all that learns.
#pragma once

#include "shoal/calibrate/calibrator.hpp"

namespace shoal {

class FixedCalibrator final : public Calibrator {
 public:
  /// @param profile  [D], in the coordinates' own units
  FixedCalibrator(ProfileSpace space, at::Tensor const& profile, int instances);

  void begin(std::int64_t) override {}
  at::Tensor profiles() const override { return profiles_; }

 private:
  at::Tensor profiles_;  // [B, D]
};

}  // namespace shoal
