#include "shoal/calibrate/calibrator.hpp"

#include "support/helpers.hpp"
#include "support/uneven_spec.hpp"

namespace shoal {
namespace {

using namespace test;

// ---- Targets and the reward -----------------------------------------------------------------------------------------

std::vector<std::string> const metric_names = {"a", "b", "c"};

TEST(Targets, AnEntrysWeightIsSharedByItsMetricsAndAllSumToOne) {
  auto const targets = resolve_targets({{{"c", "a"}, {3, 1}, 1, 0.5}, {{"b"}, {2}, 3, 0.05}}, metric_names);
  ASSERT_EQ(targets.size(), 3u);
  EXPECT_EQ(targets[0].name, "c");
  EXPECT_EQ(targets[0].metric, 2);
  EXPECT_EQ(targets[1].metric, 0);
  EXPECT_EQ(targets[2].metric, 1);
  EXPECT_EQ(targets[0].value, 3);
  EXPECT_EQ(targets[1].value, 1);
  EXPECT_EQ(targets[1].scale, 0.5);
  EXPECT_EQ(targets[2].scale, 0.05);
  EXPECT_DOUBLE_EQ(targets[0].weight, 0.125);
  EXPECT_DOUBLE_EQ(targets[1].weight, 0.125);
  EXPECT_DOUBLE_EQ(targets[2].weight, 0.75);
}

TEST(Targets, MistakesAreNamed) {
  auto const message = [](std::vector<TargetOptions> const& entries) {
    return message_of<InputError>([&] { resolve_targets(entries, metric_names); });
  };
  EXPECT_NE(message({{{"a", "z"}, {1, 1}}}).find("no metric \"z\""), std::string::npos);
  EXPECT_NE(message({{{"a", "b"}, {1}}}).find("2 metrics but 1 values"), std::string::npos);
  EXPECT_NE(message({}).find("at least one target"), std::string::npos);
  EXPECT_NE(message({{{"a"}, {1}, 0}}).find("positive weight"), std::string::npos);
}

TEST(Targets, PercentilesMayNotFall) {
  std::vector<std::string> const names = {"x.quantity_p10", "x.quantity_p20", "x.quantity_p9", "y.quantity_p10", "x.p"};
  auto const message = [&](std::vector<TargetOptions> const& entries) {
    return message_of<InputError>([&] { resolve_targets(entries, names); });
  };
  EXPECT_EQ(
      message({{{"x.quantity_p10", "x.quantity_p20"}, {3, 2.5}}}),
      "calibrator.target[1].values: x.quantity_p10 = 3 is above x.quantity_p20 = 2.5; expected percentiles that do not "
      "fall");
  EXPECT_NE(message({{{"x.quantity_p20"}, {2}}, {{"x.quantity_p9"}, {4}}}).find("x.quantity_p9 = 4 is above"),
            std::string::npos)
      << "in entries of their own, in any order, by number";
  auto const accepted = [&](std::vector<TargetOptions> const& entries) {
    EXPECT_NO_THROW(resolve_targets(entries, names));
  };
  accepted({{{"x.quantity_p9", "x.quantity_p10", "x.quantity_p20"}, {2, 2, 3}}});
  accepted({{{"x.quantity_p20", "y.quantity_p10"}, {2, 5}}});  // of another supertype
  accepted({{{"x.quantity_p20", "x.p"}, {2, 5}}});             // no percentile
}

TEST(CalibrationReward, ByHand) {
  auto const targets = resolve_targets({{{"a"}, {1}, 1, 0.5}, {{"c"}, {-2}, 3, 2}}, metric_names);
  auto const metrics = at::tensor({1.0f, 99.0f, -2.0f, 1.5f, 99.0f, 0.0f, 0.0f, 99.0f, -2.0f}).view({3, 3});
  // weights 1/4 and 3/4: a perfect fit; each missed by one scale, so half; the first missed by two scales
  EXPECT_LT(
      distance(calibration_reward(make_goal(targets, at::kCPU), metrics), at::tensor({1.0, 0.5, 0.25 / 3 + 0.75})),
      1e-6);
}

// ---- Profiles ------------------------------------------------------------------------------------------------------

TEST(ProfileSpace, HasEveryCoordinateInItsOrderAndUnits) {
  ProfileSpace const space(uneven_spec(), at::kCPU);
  EXPECT_EQ(space.names(), (std::vector<std::string>{"x.p", "x.q", "z.p"}));
  EXPECT_LT(distance(space.initial(), at::tensor({0.25, 0.9, 0.5})), 1e-6);
  EXPECT_LT(distance(space.scaled(space.initial()), at::tensor({0.0, 19.0, 0.05})), 1e-5);
  EXPECT_LT(distance(space.scaled(at::tensor({1.0f, 0.0f, 1.0f})), at::tensor({3.0, 10.0, 0.1})), 1e-5);
}

TEST(ProfileSpace, WritesEachCoordinateInItsPlace) {
  ProfileSpace const space(uneven_spec(), at::kCPU);
  auto const supertypes = at::full({4, 3, 2}, -5.0f);
  auto const profiles = random_normal({4, 3}, 1);
  space.write(profiles, supertypes);
  auto expected = at::full({4, 3, 2}, -5.0f);
  expected.select(1, 0).copy_(profiles.narrow(1, 0, 2));
  expected.select(1, 2).select(1, 0).copy_(profiles.select(1, 2));
  EXPECT_TRUE(at::equal(supertypes, expected));
}

TEST(ProfileSpace, NeedsCoordinates) {
  Spec spec{.groups = {{.agents = 1}}};
  spec.supertypes = {{"x", {}}};
  EXPECT_NE(message_of<InputError>([&] { ProfileSpace(spec, at::kCPU); }).find("coordinates"), std::string::npos);
}

TEST(ProfileSpace, RefusesProfilesThatDoNotFit) {
  ProfileSpace const space(uneven_spec(), at::kCPU);
  auto const refusal = [&](std::vector<double> const& profile) {
    return message_of<SettingError>([&] { space.checked(profile); });
  };
  EXPECT_NE(refusal({0, 19}).find("calibrator.profile: 2 values, expected 3, one a coordinate from x.p to z.p"),
            std::string::npos);
  EXPECT_NE(refusal({0, 9.5, 0.05}).find("x.q = 9.5: expected a number in [10, 20]"), std::string::npos);
  EXPECT_NE(refusal({0, 19, 0.2}).find("z.p = 0.2"), std::string::npos);
  EXPECT_LT(distance(space.checked({-1, 20, 0.1}), at::tensor({-1.0, 20.0, 0.1})), 1e-6);
}

// ---- Kinds ----------------------------------------------------------------------------------------------------------

std::unique_ptr<Calibrator> make(CalibratorKind kind, std::vector<double> const& profile = {}) {
  CalibratorOptions options;
  options.kind = kind;
  options.profile = profile;
  return make_calibrator(options, uneven_spec(), 4, 1, at::kCPU);
}

constexpr CalibratorKind all_kinds[] = {CalibratorKind::es,     CalibratorKind::rl,    CalibratorKind::bo,
                                        CalibratorKind::random, CalibratorKind::cmaes, CalibratorKind::fixed};

TEST(Calibrator, EveryKindBeginsAtTheInitialProfile) {
  for (auto const kind : all_kinds) {
    auto const initial = at::tensor({0.0, 19.0, 0.05});
    EXPECT_LT(distance(make(kind)->profiles(), initial.expand({4, 3})), 1e-5) << int(kind);
    EXPECT_LT(distance(make(kind)->answer(), initial), 1e-5) << int(kind);
  }
}

TEST(Calibrator, EveryKindRefusesAWrongProfile) {
  for (auto const kind : all_kinds)
    EXPECT_NE(message_of<SettingError>([&] { make(kind, {1}); }).find("1 values, expected 3"), std::string::npos);
}

TEST(Calibrator, OnlyTheFixedOneUsesTheProfileGivenAndKeepsIt) {
  auto const given = at::tensor({2.5, 11.0, 0.02}).expand({4, 3});
  for (auto const kind : all_kinds) {
    auto const calibrator = make(kind, {2.5, 11, 0.02});
    for (int m = 0; m < 3; ++m) {
      calibrator->begin(m);
      calibrator->propose();
      calibrator->learn(at::arange(4, at::kFloat));
      calibrator->end_stage(0.5);
      double const away = distance(calibrator->profiles(), given);
      if (kind == CalibratorKind::fixed)
        EXPECT_LT(away, 1e-6);
      else
        EXPECT_GT(away, 0.1) << int(kind);
    }
  }
}

}  // namespace
}  // namespace shoal
