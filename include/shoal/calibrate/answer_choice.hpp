// Which profile a calibration gives as its answer: at every validation the calibrator's present one plays against the
// best one before, and the better stays.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "shoal/calibrate/fit.hpp"

namespace shoal {

class AnswerChoice {
 public:
  /// @param patience  ValidationOptions::patience
  explicit AnswerChoice(int patience) : patience_(patience) {}

  /// A validation.
  /// @param candidate  [D]
  /// @param fit_of     of a profile under the present policies, on the same episodes for all
  /// @return the fit of the one that stays
  Fit consider(at::Tensor const& candidate, std::function<Fit(at::Tensor const&)> const& fit_of);

  /// [D]; undefined before the first validation.
  at::Tensor const& profile() const { return profile_; }

  /// Whether the calibration may go on: the last `patience` validations are better on average than as many before them.
  /// Policies learn on, so a single good validation long ago says little about what can be reached now.
  bool may_improve() const;

  /// Other policies play from now on: validations under those before say nothing about what can be reached.
  void forget_validations() { validations_.clear(); }

  /// r_cal at each validation so far, or since forget_validations().
  std::vector<double> const& validations() const { return validations_; }

  void restore(at::Tensor profile, std::vector<double> validations);

 private:
  int patience_;
  at::Tensor profile_;
  std::vector<double> validations_;
};

}  // namespace shoal
