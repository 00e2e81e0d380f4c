// A calibrated run's end: how its answer is chosen and measured, and that the policies then settle at it.
#include <gmock/gmock.h>

#include "support/validated_runs.hpp"

namespace shoal {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

// ---- When -----------------------------------------------------------------------------------------------------------

TEST(Validation, ReportsComeWhenTheyAreDue) {
  Trainer trainer(validated_run());
  EXPECT_TRUE(trainer.calibrating());
  auto const reports = reports_of(trainer);
  EXPECT_EQ(reports.size(), 10u);
  EXPECT_FALSE(trainer.calibrating());
  EXPECT_THAT(stages_with(reports, &StageReport::validation), ElementsAre(2, 4, 6));
  EXPECT_THAT(stages_with(reports, &StageReport::calibrated), ElementsAre(6));
  EXPECT_THAT(stages_with(reports, &StageReport::settled), ElementsAre(10));
  EXPECT_EQ(reports[1].validation->episodes, 8);
  EXPECT_EQ(reports[5].calibrated->episodes, 16);
  EXPECT_EQ(reports[9].settled->episodes, 16);
  ASSERT_EQ(reports[5].calibrated->targets.size(), 1u);
  EXPECT_EQ(reports[5].calibrated->targets[0].name, "supertype_1.return");
  EXPECT_EQ(reports[5].calibrated->targets[0].target, 15);
  for (auto const& report : reports) EXPECT_GE(report.validation_seconds, 0);
}

TEST(Validation, TheEndOfTheCalibrationIsAlwaysValidated) {
  auto config = validated_run();
  config.validation->every = 4;
  Trainer trainer(config);
  EXPECT_THAT(stages_with(reports_of(trainer), &StageReport::validation), ElementsAre(4, 6));
}

TEST(Validation, WithoutSettlingCalibrationLastsToTheEnd) {
  auto config = validated_run();
  config.settling.share = 0;
  Trainer trainer(config);
  auto const reports = reports_of(trainer);
  EXPECT_THAT(stages_with(reports, &StageReport::validation), ElementsAre(2, 4, 6, 8, 10));
  EXPECT_THAT(stages_with(reports, &StageReport::calibrated), ElementsAre(10));
  EXPECT_THAT(stages_with(reports, &StageReport::settled), IsEmpty());
}

TEST(Validation, WithoutItARunIsAsItWas) {
  auto config = validated_run();
  config.validation.reset();
  Trainer trainer(config);
  auto const reports = reports_of(trainer);
  EXPECT_EQ(reports.size(), 10u);
  for (auto const& report : reports) EXPECT_FALSE(report.validation || report.calibrated || report.settled);
  EXPECT_TRUE(trainer.calibrating());
  EXPECT_TRUE(at::equal(trainer.answer(), trainer.calibrator()->answer()));
}

TEST(Validation, ARunEndsEarlyWhereNothingImproves) {
  Trainer trainer(hopeless_run(/*patience=*/2));
  EXPECT_EQ(trainer.stages(), 20);
  auto const reports = reports_of(trainer);
  // validations after stages 6 and 8 are no better than those after 2 and 4; then a quarter of 20 stages settle
  EXPECT_THAT(stages_with(reports, &StageReport::calibrated), ElementsAre(8));
  EXPECT_THAT(stages_with(reports, &StageReport::settled), ElementsAre(13));
  EXPECT_EQ(trainer.stages(), 13);
  EXPECT_EQ(trainer.next_stage(), 13);
}

// Stages 7 to 15 of the calibration would cool anyway.
TEST(Validation, WhereNothingImprovesItCoolsFirst) {
  auto config = hopeless_run(/*patience=*/2);
  config.calibrator->evolution.cooldown = 0.2;  // 3 stages
  Trainer trainer(config);
  for (int m = 0; m < 8; ++m) trainer.run_stage();
  EXPECT_EQ(trainer.stages(), 16) << "the end is known";
  auto const rest = reports_of(trainer);
  EXPECT_THAT(stages_with(rest, &StageReport::calibrated), ElementsAre(11));
  EXPECT_THAT(stages_with(rest, &StageReport::settled), ElementsAre(16));
}

TEST(Validation, PatienceThatEndsInTheCooldownChangesNothing) {
  auto config = hopeless_run(/*patience=*/2);
  config.calibrator->evolution.cooldown = 0.8;
  Trainer trainer(config);
  EXPECT_THAT(stages_with(reports_of(trainer), &StageReport::calibrated), ElementsAre(15));
}

/// How far the mean profile moves in each stage of a calibration.
std::vector<double> moves(TrainerConfig config) {
  Trainer trainer(config);
  std::vector<double> all;
  auto last = trainer.calibrator()->parameters().clone();
  while (trainer.calibrating()) {
    trainer.run_stage();
    if (!trainer.calibrating()) break;
    auto const now = trainer.calibrator()->parameters().clone();
    all.push_back(number((now - last).norm()));
    last = now;
  }
  return all;
}

TEST(Validation, TheProfileComesToRestInTheCooldown) {
  auto config = validated_run();
  config.train.stages = 100;
  config.validation->every = 100;
  config.calibrator->evolution.learning_rate.exponent = 0;
  auto const warm = moves(config);
  config.calibrator->evolution.cooldown = 0.5;  // 30 of 60 stages
  auto const cooled = moves(config);
  for (std::size_t m = 0; m < 30; ++m) ASSERT_EQ(cooled[m], warm[m]) << m;
  EXPECT_LT(cooled[55], warm[55]);
  auto const last = [](std::vector<double> const& x) { return *std::max_element(x.end() - 3, x.end()); };
  EXPECT_LT(last(cooled), 0.2 * last(warm));
}

TEST(Validation, PatienceOfNoneIsEndless) {
  Trainer trainer(hopeless_run(/*patience=*/0));
  EXPECT_THAT(stages_with(reports_of(trainer), &StageReport::calibrated), ElementsAre(15));
  EXPECT_EQ(trainer.stages(), 20);
}

TEST(Validation, ARunWithoutSettlingEndsWithItsCalibration) {
  auto config = hopeless_run(/*patience=*/1);
  config.settling.share = 0;
  Trainer trainer(config);
  EXPECT_EQ(reports_of(trainer).size(), 4u);
  EXPECT_EQ(trainer.stages(), 4);
}

// ---- What it chooses ------------------------------------------------------------------------------------------------

TEST(Validation, DoesNotChangeTraining) {
  for (auto const kind : moving_kinds) {
    auto config = validated_run(kind);
    Trainer with(config);
    config.validation.reset();
    Trainer without(config);
    for (int m = 0; m < 6; ++m)
      EXPECT_EQ(figures(with.run_stage()), figures(without.run_stage())) << int(kind) << ", " << m;
    EXPECT_NE(figures(with.run_stage()), figures(without.run_stage())) << int(kind) << ": it settles";
  }
}

// The policies do not matter here: a profile has the same fit in every validation.
TEST(Validation, KeepsTheBestAnswer) {
  for (auto const kind : moving_kinds) {
    auto config = validated_run(kind);
    config.train.stages = 20;
    Trainer trainer(config);
    double best = 0;
    at::Tensor answer;
    while (trainer.calibrating()) {
      auto const report = trainer.run_stage();
      if (!report.validation) continue;
      EXPECT_GE(report.validation->r_cal.mean, best) << int(kind) << ", " << report.stage;
      if (report.validation->r_cal.mean == best) {
        EXPECT_TRUE(at::equal(trainer.answer(), answer)) << int(kind) << ", " << report.stage;
      }
      best = report.validation->r_cal.mean;
      answer = trainer.answer().clone();
    }
    EXPECT_GT(best, 0);
  }
}

TEST(Validation, TheAnswerIsMeasuredOnEpisodesThatItWasNotChosenWith) {
  auto config = validated_run();
  config.env["altruism_sd_1"] = 0.3;
  config.validation->final_episodes = config.validation->episodes;
  Trainer trainer(config);
  auto const reports = reports_of(trainer);
  EXPECT_NE(reports[5].validation->r_cal.mean, reports[5].calibrated->r_cal.mean);
}

// Where nobody's altruism deviates from the mean, returns are 12 (1 + mean).
TEST(Validation, AFrozenGameIsPlayedUnderItsProfile) {
  Trainer trainer(validated_run());
  trainer.run_stage();
  for (double const mean : {-0.5, 0.25}) {
    auto const profile = at::tensor({float(mean), 0.0f}).unsqueeze(0);
    auto const fit =
        fit_of(trainer.targets(), trainer.goal(), play_episodes(trainer.frozen_game(profile), 4, /*seed=*/1));
    EXPECT_NEAR(fit.targets[0].value.mean, 12 * (1 + mean), 1e-5);
    EXPECT_NEAR(fit.r_cal.mean, 1 / (1 + std::abs(12 * (1 + mean) - 15) / 3), 1e-6);
  }
  Trainer plain(small_run(false));
  EXPECT_EQ(play_episodes(plain.frozen_game({}), 3, 1).size(0), 3) << "at the initial profile";
}

// ---- Settling -------------------------------------------------------------------------------------------------------

TEST(Settling, TheProfileRestsAtTheAnswer) {
  for (auto const kind : moving_kinds) {
    Trainer trainer(validated_run(kind));
    while (trainer.calibrating()) trainer.run_stage();
    EXPECT_EQ(trainer.next_stage(), 6);
    auto const answer = trainer.answer().clone();
    for (auto const& report : reports_of(trainer)) {
      ASSERT_EQ(report.profile.size(), 2u);
      for (std::size_t d = 0; d < 2; ++d) EXPECT_NEAR(report.profile[d].mean, number(answer[std::int64_t(d)]), 1e-6);
      EXPECT_TRUE(at::equal(trainer.calibrator()->profiles(), answer.expand({6, 2}))) << int(kind);
      EXPECT_TRUE(at::equal(trainer.answer(), answer)) << int(kind);
    }
    if (kind == CalibratorKind::es || kind == CalibratorKind::rl) {
      EXPECT_GT(distance(answer, at::zeros({2})), 1e-4) << int(kind) << ": the calibrator had moved";
    }
  }
}

TEST(Settling, AFixedProfileNeedsNone) {
  Trainer trainer(validated_run(CalibratorKind::fixed));
  auto const reports = reports_of(trainer);
  EXPECT_THAT(stages_with(reports, &StageReport::calibrated), ElementsAre(10));
  EXPECT_THAT(stages_with(reports, &StageReport::settled), IsEmpty());
}

TEST(Settling, InstancesNoLongerGoInPairs) {
  Trainer trainer(validated_run());
  EXPECT_EQ(trainer.simulator().options().common, 2);
  EXPECT_EQ(Trainer(validated_run(CalibratorKind::rl)).simulator().options().common, 1);
  while (trainer.calibrating()) trainer.run_stage();
  EXPECT_EQ(trainer.simulator().options().common, 1);
  EXPECT_NE(trainer.simulator().options().seed, 1u) << "random numbers that calibration has not seen";
}

/// The market has three continuous heads; their log standard deviations are the first parameters.
at::Tensor log_sd_of(Trainer const& trainer) {
  return trainer.learners()[0]->actor().parameters().detach().slice(0, 0, 3);
}

TEST(Settling, PoliciesExploreAndLearnAsAtTheStartWhereAsked) {
  auto anew = market_run();
  anew.settling.explore = true;
  Trainer trainer(anew);
  auto const& learner = *trainer.learners()[0];
  auto const log_sd = [&] { return log_sd_of(trainer).clone(); };
  auto const first = log_sd();
  EXPECT_LT(distance(first, at::full({3}, -1.0)), 1e-6);
  for (int m = 0; m < 5; ++m) trainer.run_stage();
  EXPECT_GT(distance(log_sd(), first), 1e-3) << "it has learned";
  trainer.run_stage();
  EXPECT_TRUE(at::equal(log_sd(), first));
  for (auto const& [name, tensor, axis] : learner.state())
    if (name.starts_with("adam.")) {
      EXPECT_EQ(number(tensor.abs().max()), 0) << name;
    }
  EXPECT_FLOAT_EQ(float(number(learner.state().back().tensor)), float(anew.policy.ppo.kl_coefficient));

  auto const moved = [&](Trainer& t) {
    auto const before = t.learners()[0]->actor().parameters().detach().clone();
    t.run_stage();
    return distance(t.learners()[0]->actor().parameters(), before);
  };
  double const settling = moved(trainer);
  auto config = market_run();
  config.validation.reset();
  Trainer calibrating(config);
  for (int m = 0; m < 6; ++m) calibrating.run_stage();
  EXPECT_GT(settling, 1e-3);
  EXPECT_LT(moved(calibrating), 0.01 * settling) << "its rate goes on falling";
}

TEST(Settling, PoliciesGoOnAsTheyAreByDefault) {
  Trainer trainer(market_run());
  for (int m = 0; m < 5; ++m) trainer.run_stage();
  auto const before = log_sd_of(trainer).clone();
  trainer.run_stage();
  EXPECT_FALSE(trainer.calibrating());
  EXPECT_LT(distance(log_sd_of(trainer), before), 1e-3);
  EXPECT_GT(number(trainer.learners()[0]->state()[3].tensor), 1) << "Adam's steps are counted on";
}

TEST(Settling, PoliciesKeepWhatTheyHaveLearned) {
  auto config = market_run();
  Trainer settles(config);
  config.validation.reset();
  Trainer goes_on(config);
  for (int m = 0; m < 6; ++m) settles.run_stage(), goes_on.run_stage();
  auto const weights = [](Trainer const& t) { return t.learners()[0]->actor().parameters().slice(0, 3); };
  EXPECT_TRUE(at::equal(weights(settles), weights(goes_on))) << "all but the three log standard deviations";
}

// ---- Challenges -----------------------------------------------------------------------------------------------------

TEST(Challenges, ComeAtEvenDistancesWhileTheCalibrationGoesOn) {
  auto config = validated_run();
  config.settling.challenges = 2;
  Trainer trainer(config);
  std::vector<std::int64_t> stages;
  for (auto const& report : reports_of(trainer))
    if (!report.challenges.empty()) stages.push_back(report.stage + 1);
  EXPECT_THAT(stages, ElementsAre(2, 4));
}

// A distance of two stages is shorter than three updates.
TEST(Challenges, DoNotTakeLongerThanTheCalibration) {
  auto config = validated_run();
  config.settling.challenges = 2;
  config.settling.challenge_updates = 3;
  Trainer trainer(config);
  for (auto const& report : reports_of(trainer)) EXPECT_TRUE(report.challenges.empty());
}

TEST(Challenges, NeedAProfileThatMovesAndPoliciesThatSettle) {
  auto fixed = validated_run(CalibratorKind::fixed), restless = validated_run();
  restless.settling.share = 0;
  for (auto config : {fixed, restless}) {
    config.settling.challenges = 3;
    Trainer trainer(config);
    for (auto const& report : reports_of(trainer)) EXPECT_TRUE(report.challenges.empty());
  }
}

// Of the prisoners' dilemma every policy that still cooperates is beaten.
TEST(Challenges, AWinnerReplacesThePolicyAndTheRateBeginsAnew) {
  auto config = validated_run();
  config.env.erase("payoffs");
  config.policy.ppo.learning_rate = {1e-6, 0, 1};
  config.train.stages = 200;  // 120 calibrate
  config.settling.challenges = 1;
  config.settling.challenge_updates = 60;
  Trainer trainer(config);
  for (int m = 0; m < 59; ++m) trainer.run_stage();
  auto const before = trainer.learners()[0]->actor().parameters().detach().clone();
  auto const challenged = trainer.run_stage();
  ASSERT_EQ(challenged.challenges.size(), 1u);
  bool const wins = challenged.challenges[0].low > 0;
  EXPECT_EQ(distance(trainer.learners()[0]->actor().parameters(), before) > 0.1, wins);
}

}  // namespace
}  // namespace shoal
