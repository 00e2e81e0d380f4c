#include "program/reports/report.hpp"

#include <gmock/gmock.h>

namespace shoal {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Fit fit(double r_cal, double share) {
  return {.episodes = 64,
          .r_cal = {r_cal, r_cal - 0.125, r_cal + 0.125},
          .targets = {{"share", 0.5, {share, share - 0.0625, share + 0.0625}}, {"length", 6, {6, 6, 6}}}};
}

StageReport report(std::int64_t stage, double r_cal) {
  StageReport r{.stage = stage, .r_cal_mean = r_cal, .r_cal_sd = 0.0};
  r.targets = {{"share", 0.5, 0.25}, {"length", 6, 5}};
  return r;
}

std::vector<std::string> rows_of(std::vector<StageReport> const& reports) {
  std::vector<std::string> rows;
  for (auto const& r : reports) rows.push_back(to_json(r));
  return rows;
}

nlohmann::json parsed(StageReport const& r) { return nlohmann::json::parse(to_json(r)); }

TEST(Report, ARowHasTheFitsThatTheStageHas) {
  auto r = report(3, 0.5);
  for (char const* key : {"validation", "calibrated", "settled"}) EXPECT_FALSE(parsed(r).contains(key)) << key;
  EXPECT_EQ(parsed(r).at("phases").at("validation"), 0);
  r.validation = fit(0.5, 0.25);
  r.calibrated = fit(0.75, 0.375);
  r.validation_seconds = 1.5;
  auto const row = parsed(r);
  EXPECT_EQ(row.at("phases").at("validation"), 1.5);
  EXPECT_EQ(row.at("validation").at("episodes"), 64);
  EXPECT_EQ(row.at("validation").at("r_cal").at("low"), 0.375);
  EXPECT_EQ(row.at("calibrated").at("r_cal").at("mean"), 0.75);
  auto const& share = row.at("calibrated").at("targets").at("share");
  EXPECT_EQ(share.at("target"), 0.5);
  EXPECT_EQ(share.at("mean"), 0.375);
  EXPECT_EQ(share.at("high"), 0.4375);
  EXPECT_FALSE(row.contains("settled"));
}

TEST(Report, FitsAreTheLastOfTheRows) {
  auto first = report(0, 0.25), second = report(1, 0.5), third = report(2, 0.5);
  EXPECT_TRUE(fits_of(rows_of({first})).at("calibrated").is_null());
  first.calibrated = fit(0.5, 0.25);
  second.calibrated = fit(0.625, 0.25);
  third.settled = fit(0.75, 0.25);
  auto const fits = fits_of(rows_of({first, second, third}));
  EXPECT_EQ(fits.at("calibrated").at("r_cal").at("mean"), 0.625);
  EXPECT_EQ(fits.at("settled").at("r_cal").at("mean"), 0.75);
  EXPECT_TRUE(fits_of({}).at("settled").is_null());
}

TEST(Report, AFitIsATableWithIntervals) {
  EXPECT_EQ(fit_table(to_json(fit(0.75, 0.375))),
            "  metric  target  fitted     95 % interval    error\n"
            "  share      0.5   0.375  [0.3125, 0.4375]  -0.1250\n"
            "  length       6       6            [6, 6]  +0.0000\n");
}

TEST(Report, TheFinalTableIsOfTheValidatedFit) {
  auto last = report(1, 0.5);
  last.calibrated = fit(0.75, 0.375);
  auto const calibrated = final_table(rows_of({report(0, 0.25), last}));
  EXPECT_THAT(calibrated, StartsWith(fit_table(to_json(fit(0.75, 0.375)))));
  EXPECT_THAT(calibrated, HasSubstr("r_cal 0.7500 [0.625, 0.875] over 64 episodes that training never saw, at the end "
                                    "of the calibration (1 = perfect fit)\n"));
  EXPECT_THAT(calibrated, Not(HasSubstr("settling")));
  EXPECT_THAT(calibrated, EndsWith("r_cal 0.2500 in the first stage, over its instances\n"));

  auto settled = report(2, 0.5);
  settled.settled = fit(0.875, 0.5);
  auto const text = final_table(rows_of({report(0, 0.25), last, settled}));
  EXPECT_THAT(text, StartsWith(fit_table(to_json(fit(0.875, 0.5)))));
  EXPECT_THAT(text, HasSubstr("r_cal 0.7500 ["));
  EXPECT_THAT(text, HasSubstr("r_cal 0.8750 [0.75, 1] over 64 episodes that training never saw, after settling\n"));
}

TEST(Report, TheFinalTableOfAnInterruptedRunIsOfItsLastStages) {
  std::vector<StageReport> reports;
  for (int m = 0; m < 20; ++m) reports.push_back(report(m, m == 19 ? 0.75 : 0.5));
  EXPECT_EQ(final_table(rows_of(reports)),
            "  metric  target  fitted    error\n"
            "  share      0.5    0.25  -0.2500\n"
            "  length       6       5  -1.0000\n"
            "r_cal 0.6250 (1 = perfect fit); means over the last 2 of 20 stages\n"
            "r_cal 0.5000 in the first stage, over its instances\n");
  EXPECT_EQ(final_table({}), "");
  EXPECT_EQ(final_table(rows_of({StageReport{}})), "") << "no targets";
}

}  // namespace
}  // namespace shoal
