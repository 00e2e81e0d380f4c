#include "program/reports/summary.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "program/helpers.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;

/// Two coordinates: a in [0, 2], b in [-5, 5].
Spec two_coordinates() {
  Spec spec;
  spec.supertypes = {{"supertype_1", {{"a", 0, 2, 1}}}, {"supertype_2", {{"b", -5, 5, 0}}}};
  return spec;
}

std::string row(int stage, double r_cal, double return_1, double a, double b) {
  return fmt::format(
      R"({{"stage": {}, "agent_steps": {}, "seconds": {}, "r_cal_mean": {}, "r_cal_sd": 0, "targets": {{}}, )"
      R"("returns": {{"supertype_1": {{"mean": {}, "sd": 0}}, "supertype_2": {{"mean": -1, "sd": 0}}}}, )"
      R"("profile": {{"supertype_1.a": {}, "supertype_2.b": {}}}}})",
      stage, 100 * (stage + 1), 0.5 * (stage + 1), r_cal, return_1, a, b);
}

std::vector<std::string> ten_rows() {
  return {row(0, 0.2, -4, 1, 0), row(1, 0.5, 2, 1, 0), row(2, 0.8, 6, 1, 0), row(3, 0.7, 6, 1.6, 4),
          row(4, 0.8, 6, 1, 0),  row(5, 0.8, 6, 1, 0), row(6, 0.8, 6, 1, 0), row(7, 0.8, 6, 1, 0),
          row(8, 0.8, 3, 1, 0),  row(9, 0.8, -1, 1, 0)};
}

Summary summary_of(std::vector<std::string> const& rows) {
  return summarize(rows, two_coordinates(), std::int64_t(rows.size()));
}

TEST(Summary, FitOfTenRows) {
  auto const s = summary_of(ten_rows());
  EXPECT_DOUBLE_EQ(s.r_cal_first.value(), 0.2);
  EXPECT_DOUBLE_EQ(s.r_cal_last_tenth.value(), 0.8);  // the last row
  EXPECT_DOUBLE_EQ(s.r_cal_auc.value(), 0.7);         // 7 / 10
  EXPECT_DOUBLE_EQ(s.stages_to_90.value(), 4);        // 0.7 of stage 3 is the last below 0.72
}

/// A row with what was validated after it.
std::string with_fit(std::string row, char const* key, double r_cal) {
  row.pop_back();
  return row +
         fmt::format(R"(, "{}": {{"episodes": 16, "r_cal": {{"mean": {}, "low": 0, "high": 1}}, "targets": {{}}}}}})",
                     key, r_cal);
}

TEST(Summary, ValidatedFitsAreTheLastOnes) {
  EXPECT_FALSE(summary_of(ten_rows()).r_cal_calibrated || summary_of(ten_rows()).r_cal_settled);
  auto rows = ten_rows();
  rows[3] = with_fit(rows[3], "calibrated", 0.4);  // before the run was extended
  rows[5] = with_fit(rows[5], "calibrated", 0.75);
  EXPECT_DOUBLE_EQ(summary_of(rows).r_cal_calibrated.value(), 0.75);
  EXPECT_FALSE(summary_of(rows).r_cal_settled);
  rows[9] = with_fit(rows[9], "settled", 0.875);
  EXPECT_DOUBLE_EQ(summary_of(rows).r_cal_calibrated.value(), 0.75);
  EXPECT_DOUBLE_EQ(summary_of(rows).r_cal_settled.value(), 0.875);
}

// A run whose calibration ended early has fewer stages than its configuration.
TEST(Summary, ARunMayEndEarlyWithItsValidatedFit) {
  auto rows = ten_rows();
  rows[9] = with_fit(rows[9], "settled", 0.875);
  EXPECT_DOUBLE_EQ(summarize(rows, two_coordinates(), 30).r_cal_settled.value(), 0.875);
  rows[9] = with_fit(ten_rows()[9], "calibrated", 0.75);
  EXPECT_DOUBLE_EQ(summarize(rows, two_coordinates(), 30).r_cal_calibrated.value(), 0.75);
  auto const refused = [](std::vector<std::string> const& all, std::int64_t stages) {
    return error_of([&] { summarize(all, two_coordinates(), stages); });
  };
  EXPECT_EQ(refused(rows, 9), "10 whole rows, but the run has 9 stages");
  rows[9] = ten_rows()[9];
  rows[8] = with_fit(rows[8], "calibrated", 0.75);  // it went on after that
  EXPECT_EQ(refused(rows, 30), "10 whole rows, but the run has 30 stages");
}

TEST(Summary, ConvergenceOfTheFirstSupertypesReturn) {
  auto const s = summary_of(ten_rows());
  EXPECT_DOUBLE_EQ(s.return_slope.value(), 0.8);  // from 3 to -1: 4 a stage, 2 stages, range -4 to 6
  EXPECT_DOUBLE_EQ(s.negative_share.value(), 0.5);
}

TEST(Summary, SmoothnessIsScaledByTheCoordinatesBounds) {
  auto const s = summary_of(ten_rows());
  EXPECT_NEAR(s.s_max.value(), 0.5, 1e-12);   // 0.6 of 2 and 4 of 10: (0.3, 0.4)
  EXPECT_NEAR(s.s1.value(), 1.0 / 9, 1e-12);  // there and back, over 9 moves
}

TEST(Summary, CostIsThatOfTheLastRow) {
  auto const s = summary_of(ten_rows());
  EXPECT_DOUBLE_EQ(s.seconds.value(), 5);
  EXPECT_DOUBLE_EQ(s.agent_steps_per_second.value(), 200);
}

TEST(Summary, WindowsOfALongerRun) {
  std::vector<std::string> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(row(i, i < 18 ? 0.4 : i == 18 ? 0.5 : 0.7, i < 16 ? 10 : 2 * i, 1, 0));
  auto const s = summary_of(rows);
  EXPECT_DOUBLE_EQ(s.r_cal_last_tenth.value(), 0.6);  // two rows
  EXPECT_DOUBLE_EQ(s.stages_to_90.value(), 19);
  EXPECT_NEAR(s.return_slope.value(), 2 * 4 / 28.0, 1e-12);  // 2 a stage, 4 stages, range 10 to 38
  EXPECT_DOUBLE_EQ(s.negative_share.value(), 0);
}

TEST(Summary, NeverAboveCountsAllStages) {
  EXPECT_DOUBLE_EQ(summary_of({row(0, 0.5, 1, 1, 0)}).stages_to_90.value(), 0);
  std::vector<std::string> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(row(i, i == 19 ? 0.1 : 0.9, 1, 1, 0));
  EXPECT_DOUBLE_EQ(summary_of(rows).stages_to_90.value(), 20);
}

TEST(Summary, OneRowHasNoSlopeAndNoPath) {
  auto const s = summary_of({row(0, 0.5, -1, 1, 0)});
  EXPECT_DOUBLE_EQ(s.r_cal_last_tenth.value(), 0.5);
  EXPECT_DOUBLE_EQ(s.negative_share.value(), 1);
  EXPECT_FALSE(s.return_slope || s.s1 || s.s_max);
}

std::string uncalibrated(int stage, char const* returns) {
  return fmt::format(
      R"({{"stage": {}, "agent_steps": 10, "seconds": 1, "targets": {{}}, "returns": {}, "profile": {{}}}})", stage,
      returns);
}

TEST(Summary, WithoutCalibratorThereIsNoFitAndEarlyStagesMayLackReturns) {
  auto const* const ended = R"({"supertype_1": {"mean": 3, "sd": 0}})";
  auto const s = summary_of({uncalibrated(0, "{}"), uncalibrated(1, ended), uncalibrated(2, ended)});
  EXPECT_FALSE(s.r_cal_first || s.r_cal_calibrated || s.r_cal_last_tenth || s.r_cal_auc || s.stages_to_90 || s.s1 ||
               s.s_max);
  EXPECT_DOUBLE_EQ(s.negative_share.value(), 0);
  EXPECT_FALSE(s.return_slope);  // the last fifth is one stage
  EXPECT_DOUBLE_EQ(s.agent_steps_per_second.value(), 10);
}

std::string error_with(std::vector<std::string> const& rows, std::int64_t stages) {
  return error_of([&] { summarize(rows, two_coordinates(), stages); });
}

TEST(Summary, NamesMissingAndBrokenRows) {
  auto rows = ten_rows();
  rows.erase(rows.begin() + 3);
  EXPECT_EQ(error_with(rows, 10), "row 4: stage 4, expected 3");
  rows = ten_rows();
  rows.pop_back();
  EXPECT_EQ(error_with(rows, 10), "9 whole rows, but the run has 10 stages");
  EXPECT_EQ(error_with({}, 10), "0 whole rows, but the run has 10 stages");
  rows = ten_rows();
  rows[5] = R"({"stage": 5, "agent_steps": 600, "seconds": 3, "returns": {}})";
  EXPECT_THAT(error_with(rows, 10), HasSubstr("row 6: broken: "));
  EXPECT_THAT(error_with(rows, 10), HasSubstr("r_cal_mean"));
  rows[5] = "{";
  EXPECT_THAT(error_with(rows, 10), HasSubstr("row 6: broken: "));
}

TEST(Summary, TextHasEveryFigureAndWhoseItIs) {
  auto const json = nlohmann::json::parse(summary_text(summary_of({row(0, 0.5, -1, 1, 0)}), {7, 1, "00ff"},
                                                       {{"calibrated", {{"episodes", 16}}}, {"settled", nullptr}}));
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("stages"), 1);
  EXPECT_EQ(json.at("version"), SHOAL_VERSION);
  EXPECT_FALSE(json.at("commit").get<std::string>().empty());
  EXPECT_EQ(json.at("r_cal_last_tenth"), 0.5);
  EXPECT_EQ(json.at("r_cal_first"), 0.5);
  EXPECT_TRUE(json.at("r_cal_settled").is_null());
  EXPECT_TRUE(json.at("S1").is_null());
  EXPECT_EQ(json.at("fits").at("calibrated").at("episodes"), 16);
  EXPECT_TRUE(json.at("fits").at("settled").is_null());
  for (auto const& figure : summary_figures) EXPECT_TRUE(json.contains(figure.key)) << figure.key;
}

}  // namespace
}  // namespace shoal
