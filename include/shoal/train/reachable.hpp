// Which fit is reachable at all? Before anything is trained, a profile is searched by direct simulation under which
// agents that all act alike, by an untrained policy, meet the targets as well as can be: the oracle of docs/market.md.
#pragma once

#include <functional>
#include <vector>

#include "shoal/train/trainer.hpp"

namespace shoal {

/// The best profile found, and its fit.
struct ReachableFit {
  double r_cal = 0, r_cal_initial = 0;            // at the best and at the initial profile
  std::vector<StageReport::Metric> targets = {};  // at the best
  std::vector<StageReport::Mean> profile = {};
};

/// Random search that narrows: every instance tries a profile drawn from a normal around the mean of the last best
/// quarter, whose width falls geometrically.
/// @param trainer   fresh, with a calibrator
/// @param progress  called after each iteration with its number from 1, of how many, and the mean r_cal of the best
///                  quarter
ReachableFit find_reachable_fit(Trainer& trainer, std::function<void(int, int, double)> const& progress);

}  // namespace shoal
