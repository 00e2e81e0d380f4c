// What one stage of a run showed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shoal/calibrate/fit.hpp"
#include "shoal/data/estimate.hpp"

namespace shoal {

/// What a stage showed, as metrics.jsonl holds it.
struct StageReport {
  struct Metric {
    std::string name;
    double target, value;  // mean over the instances
  };
  struct Return {
    std::string supertype;
    double mean, sd;  // undiscounted, of the episodes that ended in the stage; sd: of the instances' means
  };
  struct Mean {
    std::string name;
    double mean;
  };
  std::int64_t stage = 0;             // counted from 0
  std::int64_t agent_steps = 0;       // since the beginning of the run
  double seconds = 0;                 // since the beginning of the run, training only
  double agent_steps_per_second = 0;  // of this stage
  std::optional<double> r_cal_mean = {}, r_cal_sd = {};
  std::vector<Metric> targets = {};
  std::vector<Return> returns = {};
  std::vector<Mean> profile = {};
  /// What the learners' updates showed, means over the learners that have a figure of that name.
  std::vector<Mean> figures = {};
  /// All metrics of an episode, means over the episodes that ended in the stage; empty if none has.
  std::vector<Mean> metrics = {};
  /// Of the best profile so far under the present policies, on the validation's episodes; in stages that end with a
  /// validation.
  std::optional<Fit> validation = {};
  /// On episodes that nothing was chosen with: at the end of the calibration, and of the settling.
  std::optional<Fit> calibrated = {}, settled = {};
  /// Of a stage that ends with a challenge: what each policy's agents would gain with one trained from scratch. Where
  /// that is above 0 for sure, it has replaced the policy.
  std::vector<Estimate> challenges = {};
  /// Host time of the stage's phases: on the CPU where time goes; on CUDA what it takes to launch, 0 once a graph is
  /// replayed.
  double environment_seconds = 0, inference_seconds = 0, update_seconds = 0;
  double validation_seconds = 0;
};

}  // namespace shoal
