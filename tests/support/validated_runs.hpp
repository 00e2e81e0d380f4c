// Calibrated runs that are validated, short and the same every time.
#pragma once

#include <optional>
#include <vector>

#include "support/runs.hpp"

namespace shoal::test {

/// Payoffs are 2 whatever the players do, so that a return is 12 (1 + altruism): 15 where the mean altruism is one
/// quarter. Stages 0 to 5 calibrate, 6 to 9 settle.
inline TrainerConfig validated_run(CalibratorKind kind = CalibratorKind::es) {
  auto c = small_run(true, kind);
  c.env["payoffs"] = std::vector<double>(8, 2.0);
  c.targets = {{{"supertype_1.return"}, {15}, 1, 3}};
  c.train.stages = 10;
  c.train.instances = 6;
  c.calibrator->period = 2;
  c.calibrator->bayesian.initial_points = c.calibrator->cma_es.population = 2;
  c.validation = ValidationOptions{.every = 2, .episodes = 8, .patience = 0, .final_episodes = 16};
  c.calibrator->evolution.cooldown = 0;
  c.settling.share = 0.4;
  c.settling.challenges = 0;
  c.settling.challenge_updates = 1;
  return c;
}

/// r_cal is the same in every episode, whatever the profile: nothing improves after the first validation.
inline TrainerConfig hopeless_run(int patience) {
  auto c = validated_run();
  c.targets = {{{"episode_length"}, {7}, 1, 1}};
  c.train.stages = 20;
  c.settling.share = 0.25;
  c.validation->patience = patience;
  return c;
}

inline constexpr CalibratorKind moving_kinds[] = {CalibratorKind::es, CalibratorKind::rl, CalibratorKind::bo,
                                                  CalibratorKind::random, CalibratorKind::cmaes};

inline void append(std::vector<double>& all, std::optional<Fit> const& fit) {
  all.push_back(fit ? double(fit->episodes) : -1);
  if (!fit) return;
  auto const put = [&](Estimate const& x) { all.insert(all.end(), {x.mean, x.low, x.high}); };
  put(fit->r_cal);
  for (auto const& t : fit->targets) put(t.value);
}

inline std::vector<double> figures_and_fits(StageReport const& r) {
  auto all = figures(r);
  append(all, r.validation);
  append(all, r.calibrated);
  append(all, r.settled);
  return all;
}

/// To the end of the run.
inline std::vector<StageReport> reports_of(Trainer& trainer) {
  std::vector<StageReport> all;
  while (trainer.next_stage() < trainer.stages()) all.push_back(trainer.run_stage());
  return all;
}

/// Numbers of stages, counted from 1, after which a report has what `member` names.
inline std::vector<std::int64_t> stages_with(std::vector<StageReport> const& reports,
                                             std::optional<Fit> StageReport::*member) {
  std::vector<std::int64_t> stages;
  for (auto const& report : reports)
    if (report.*member) stages.push_back(report.stage + 1);
  return stages;
}

/// Continuous actions. Learning rates have all but vanished by the end of the calibration.
inline TrainerConfig market_run() {
  auto c = validated_run();
  c.environment = "market";
  c.env = {{"steps", std::int64_t(5)}};
  c.targets = {{{"supertype_1.share"}, {0.3}, 1, 0.1}};
  c.policy.log_sd = -1;
  c.policy.ppo.learning_rate = {1e-2, 6, 1};
  return c;
}

}  // namespace shoal::test
