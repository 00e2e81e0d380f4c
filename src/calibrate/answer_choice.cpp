#include "shoal/calibrate/answer_choice.hpp"

#include <algorithm>
#include <numeric>

namespace shoal {

Fit AnswerChoice::consider(at::Tensor const& candidate, std::function<Fit(at::Tensor const&)> const& fit_of) {
  auto best = fit_of(candidate);
  auto const incumbent = profile_.defined() ? fit_of(profile_) : Fit{};
  if (profile_.defined() && incumbent.r_cal.mean > best.r_cal.mean)
    best = incumbent;
  else
    profile_ = candidate;
  validations_.push_back(best.r_cal.mean);
  return best;
}

bool AnswerChoice::may_improve() const {
  auto const n = std::ptrdiff_t(patience_);
  if (n == 0 || std::ptrdiff_t(validations_.size()) < 2 * n) return true;
  auto const end = validations_.end();
  return std::accumulate(end - n, end, 0.0) > std::accumulate(end - 2 * n, end - n, 0.0);
}

void AnswerChoice::restore(at::Tensor profile, std::vector<double> validations) {
  profile_ = std::move(profile);
  validations_ = std::move(validations);
}

}  // namespace shoal
