// A validated run that is interrupted goes on as if it had not been.
#include <gmock/gmock.h>

#include "support/validated_runs.hpp"

namespace shoal {
namespace {

using namespace test;
using testing::ElementsAre;

using ValidationFiles = Files;

TEST_F(ValidationFiles, ARunWithChallengesGoesOnBitForBit) {
  auto config = validated_run();
  config.settling.challenges = 3;
  config.env.erase("payoffs");
  Trainer whole(config), first(config), second(config);
  for (int m = 0; m < 3; ++m) whole.run_stage(), first.run_stage();
  first.save(path("checkpoint"), "configuration");
  second.load(path("checkpoint"), "configuration");
  for (int m = 3; m < 10; ++m) EXPECT_EQ(figures_and_fits(whole.run_stage()), figures_and_fits(second.run_stage()));
  expect_same(state_of(whole), state_of(second));
}

// In the middle of the calibration, after a validation, right at the switch, and while it settles.
TEST_F(ValidationFiles, ARunGoesOnBitForBit) {
  auto configs = std::vector{validated_run(), validated_run(CalibratorKind::rl), validated_run(CalibratorKind::cmaes)};
  configs.push_back(market_run());
  configs.push_back(market_run());
  configs.back().settling.explore = true;
  for (auto const& config : configs)
    for (int const interrupted : {1, 3, 4, 6, 8}) {
      Trainer whole(config), first(config), second(config);
      for (int m = 0; m < interrupted; ++m)
        EXPECT_EQ(figures_and_fits(whole.run_stage()), figures_and_fits(first.run_stage()));
      first.save(path("checkpoint"), "configuration");
      second.load(path("checkpoint"), "configuration");
      EXPECT_EQ(second.next_stage(), interrupted);
      EXPECT_EQ(second.calibrating(), interrupted < 6);
      if (interrupted > 1) {
        EXPECT_TRUE(at::equal(second.answer(), first.answer())) << interrupted;
      }
      for (int m = interrupted; m < 10; ++m)
        EXPECT_EQ(figures_and_fits(whole.run_stage()), figures_and_fits(second.run_stage()))
            << int(config.calibrator->kind) << ", saved after " << interrupted << ", stage " << m;
      expect_same(state_of(whole), state_of(second));
    }
}

TEST_F(ValidationFiles, ARunThatEndedEarlyStaysEnded) {
  auto const config = hopeless_run(/*patience=*/2);
  Trainer whole(config), first(config), second(config);
  for (int m = 0; m < 8; ++m) first.run_stage(), whole.run_stage();
  first.save(path("checkpoint"), "configuration");
  second.load(path("checkpoint"), "configuration");
  EXPECT_EQ(second.stages(), 13);
  auto const rest = reports_of(whole), resumed = reports_of(second);
  ASSERT_EQ(resumed.size(), 5u);
  EXPECT_EQ(figures_and_fits(rest[4]), figures_and_fits(resumed[4]));
}

// Saved before the search ends, in the cooldown that this begins, and after it.
TEST_F(ValidationFiles, ACooldownGoesOnBitForBit) {
  auto config = hopeless_run(/*patience=*/2);
  config.calibrator->evolution.cooldown = 0.2;
  for (int const interrupted : {7, 9, 12}) {
    Trainer whole(config), first(config), second(config);
    for (int m = 0; m < interrupted; ++m) first.run_stage(), whole.run_stage();
    first.save(path("checkpoint"), "configuration");
    second.load(path("checkpoint"), "configuration");
    auto const rest = reports_of(whole), resumed = reports_of(second);
    ASSERT_EQ(resumed.size(), std::size_t(16 - interrupted));
    for (std::size_t m = 0; m < rest.size(); ++m)
      EXPECT_EQ(figures_and_fits(rest[m]), figures_and_fits(resumed[m])) << interrupted << ", " << m;
  }
}

TEST_F(ValidationFiles, ALongerRunWithoutSettlingGoesOnCalibrating) {
  auto config = validated_run();
  config.settling.share = 0;
  Trainer whole(config);
  config.train.stages = 4;
  Trainer first(config);
  reports_of(first);
  EXPECT_FALSE(first.calibrating());
  first.save(path("checkpoint"), "configuration");
  config.train.stages = 10;
  Trainer second(config);
  second.load(path("checkpoint"), "configuration");
  EXPECT_TRUE(second.calibrating());
  EXPECT_EQ(second.stages(), 10);
  for (int m = 0; m < 4; ++m) whole.run_stage();
  for (int m = 4; m < 10; ++m) EXPECT_EQ(figures_and_fits(whole.run_stage()), figures_and_fits(second.run_stage()));
}

TEST_F(ValidationFiles, ALongerRunThatSettlesGoesOnSettling) {
  auto config = validated_run();
  Trainer first(config);
  reports_of(first);
  first.save(path("checkpoint"), "configuration");
  config.train.stages = 14;
  Trainer second(config);
  second.load(path("checkpoint"), "configuration");
  EXPECT_FALSE(second.calibrating());
  EXPECT_EQ(second.stages(), 14);
  auto const reports = reports_of(second);
  ASSERT_EQ(reports.size(), 4u);
  EXPECT_THAT(stages_with(reports, &StageReport::settled), ElementsAre(14));
  EXPECT_TRUE(at::equal(second.answer(), first.answer()));
}

// Before the first validation the answer is the calibrator's own.
TEST_F(ValidationFiles, AnAnswerThatIsNotValidatedYetIsLoadedToo) {
  for (auto const kind : moving_kinds) {
    Trainer first(validated_run(kind)), second(validated_run(kind));
    first.run_stage();
    first.save(path("checkpoint"), "configuration");
    second.load(path("checkpoint"), "configuration");
    EXPECT_TRUE(at::equal(second.answer(), first.answer())) << int(kind);
  }
}

// What a trainer did before it loads does not matter.
TEST_F(ValidationFiles, LoadingForgetsTheAnswerOfBefore) {
  Trainer first(validated_run()), second(validated_run());
  first.run_stage();  // no validation yet
  first.save(path("checkpoint"), "configuration");
  for (int m = 0; m < 3; ++m) second.run_stage();
  second.load(path("checkpoint"), "configuration");
  EXPECT_TRUE(at::equal(second.answer(), first.answer()));
  for (int m = 1; m < 10; ++m) EXPECT_EQ(figures_and_fits(first.run_stage()), figures_and_fits(second.run_stage()));
}

}  // namespace
}  // namespace shoal
