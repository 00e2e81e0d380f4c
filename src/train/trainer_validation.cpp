// How a Trainer's calibration ends: validation, challenges, and settling.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "shoal/analysis/equilibrium.hpp"
#include "shoal/calibrate/fixed_calibrator.hpp"
#include "shoal/train/trainer.hpp"
#include "src/train/stage_graph.hpp"

namespace shoal {

namespace {

/// Nobody deviates from a policy that does not learn.
std::vector<std::optional<PpoOptions>> deviations_from(std::vector<PolicyMembers> const& policies) {
  std::vector<std::optional<PpoOptions>> all;
  for (auto const& policy : policies) {
    auto& deviation = all.emplace_back();
    if (!learns(policy.options->algorithm)) continue;
    deviation = policy.options->ppo;
    deviation->discount = policy.options->discount();
  }
  return all;
}

}  // namespace

std::int64_t Trainer::calibration_stages() const { return config_.train.stages - settling_stages(config_); }

std::int64_t Trainer::cooldown_stages() const {
  bool const cools = config_.calibrator && config_.calibrator->kind == CalibratorKind::es;
  return cools ? std::llround(config_.calibrator->evolution.cooldown * double(calibration_stages())) : 0;
}

std::int64_t Trainer::cooldown_from() const {
  auto const planned = calibration_stages() - cooldown_stages();
  return out_of_patience_ >= 0 ? std::min(out_of_patience_, planned) : planned;
}

std::int64_t Trainer::calibration_end() const { return cooldown_from() + cooldown_stages(); }

/// 1, and in the cooldown linearly to 0.
double Trainer::heat() const {
  return std::clamp(double(calibration_end() - stage_) / double(cooldown_stages()), 0.0, 1.0);
}

std::int64_t Trainer::stages() const {
  if (calibrating()) return calibration_end() + settling_stages(config_);
  bool const early = calibrated_at_ >= 0 && calibrated_at_ < planned_;
  return early ? calibrated_at_ + settling_stages(config_) : config_.train.stages;
}

at::Tensor Trainer::answer() const { return answer_.profile().defined() ? answer_.profile() : calibrator_->answer(); }

FrozenGame Trainer::frozen_game(at::Tensor const& profiles, void* stream) const {
  auto const make = [config = config_, device = device_, stream](int instances, std::uint32_t seed,
                                                                 Collective const& collective) {
    auto own = config;
    own.collective = collective;
    own.train.instances = instances;
    own.train.seed = seed;
    return make_simulator(own, device, stream);
  };
  auto const& spec = simulator_->spec();
  auto const count = profiles.defined() ? profiles.size(0) : 1;
  auto const supertypes = at::zeros({count, std::int64_t(spec.supertypes.size()), spec.coordinates()}).to(device_);
  if (spec.coordinates() > 0) {
    ProfileSpace const space(spec, device_);
    space.write(profiles.defined() ? profiles : space.scaled(space.initial()).unsqueeze(0), supertypes);
  }
  std::vector<Actor const*> policies;
  for (auto const& learner : learners_) policies.push_back(&learner->actor());
  return {.make_simulator = make,
          .policies = std::move(policies),
          .supertypes = supertypes,
          .device = device_,
          .deviations = deviations_from(policies_of(config_, spec)),
          .stage = stage_ - rate_from_};
}

Fit Trainer::fit(at::Tensor const& profile, int episodes, std::uint32_t use) const {
  auto const game = frozen_game(profile.unsqueeze(0), graph_->stream());
  auto const seed = std::uint32_t(derived_seed(std::uint32_t(config_.train.seed), Purpose::validation, use));
  return fit_of(targets_, goal_, play_episodes(game, episodes, seed, config_.collective));
}

/// While the calibration goes on, the calibrator's answer against the best one before, both under the present policies
/// on the same episodes. What a run reports is measured on others.
void Trainer::validate(StageReport& report) {
  enum : std::uint32_t { choosing, reporting };
  auto const& o = *config_.validation;
  if (calibrating() && (stage_ % o.every == 0 || stage_ >= calibration_end())) {
    report.validation = answer_.consider(calibrator_->answer().clone(),
                                         [&](at::Tensor const& profile) { return fit(profile, o.episodes, choosing); });
    bool const searches = config_.calibrator->kind != CalibratorKind::fixed;
    if (searches && out_of_patience_ < 0 && !answer_.may_improve()) out_of_patience_ = stage_;
    if (stage_ >= calibration_end()) {
      report.calibrated = fit(answer_.profile(), o.final_episodes, reporting);
      calibrated_at_ = stage_;
      if (config_.settling.explore) rate_from_ = stage_;
      planned_ = calibration_stages();
      if (settling_stages(config_) > 0) settle();
    }
  }
  if (is_challenged()) challenge_policies(report);
  if (calibrated_at_ >= 0 && settling_stages(config_) > 0 && stage_ == stages())
    report.settled = fit(answer_.profile(), o.final_episodes, reporting);
}

/// At even distances while the calibration goes on. Not at its end: the profile could no longer follow a new policy.
bool Trainer::is_challenged() const {
  auto const distance = challenge_distance(config_);
  if (distance == 0 || !calibrating()) return false;
  auto const remembers = [](auto const& learner) {
    return learner->learns() && learner->actor().network_shape().memory;
  };
  if (std::any_of(learners_.begin(), learners_.end(), remembers)) return false;
  return stage_ % distance == 0 && stage_ + distance <= calibration_end();
}

/// Policies that have ended in a local optimum do not leave it by learning on: one from scratch that earns more does it
/// for them. The calibration that follows is with the new ones.
void Trainer::challenge_policies(StageReport& report) {
  constexpr int evaluations = 1024;
  auto const game =
      frozen_game((calibrating() ? calibrator_->answer() : answer_.profile()).unsqueeze(0), graph_->stream());
  auto const seed = derived_seed(std::uint32_t(config_.train.seed), Purpose::deviation, std::uint32_t(stage_));
  for (std::size_t p = 0; p < learners_.size(); ++p) {
    // Challengers are stochastic policies, and so is who is challenged.
    if (!learners_[p]->learns() || !learners_[p]->actor().policy_parameters().defined()) continue;
    auto const challenger = challenge(game, p, config_.settling.challengers,
                                      {.instances = 2 * config_.train.instances,
                                       .updates = config_.settling.challenge_updates,
                                       .steps = config_.train.steps,
                                       .evaluations = evaluations,
                                       .seed = std::uint32_t(seed)});
    report.challenges.push_back(challenger.regret);
    if (!challenger.wins()) continue;
    learners_[p]->take(challenger.parameters);
    rate_from_ = stage_;
    answer_.forget_validations();
  }
}

/// From now on the profile rests; instances no longer go in pairs, and draw random numbers that calibration has not
/// seen.
void Trainer::settle() {
  auto own = config_;
  own.train.seed = std::uint32_t(derived_seed(std::uint32_t(config_.train.seed), Purpose::validation, ~0u));
  simulator_ = make_simulator(own, device_, graph_->stream());
  calibrator_ = std::make_unique<FixedCalibrator>(calibrator_->space(), answer_.profile(), own_instances(config_));
  for (auto& learner : learners_) {
    learner->actor().set_common(1);
    if (config_.settling.explore) learner->explore_again();
  }
  rollout_graph_ = graph_->beside();
  graph_ = graph_->beside();
}

}  // namespace shoal
