#include "program/runs/progress.hpp"

#include <gtest/gtest.h>

namespace shoal {
namespace {

StageReport report(double r_cal) {
  return {.stage = 119, .r_cal_mean = r_cal, .returns = {{"supertype_1", 41.23, 1}, {"supertype_2", 35, 1}}};
}

TEST(Progress, ShowsARunInOneLine) {
  EXPECT_EQ(Progress::line({report(0.8712)}, 1000, 880, 2.1e6, 65),
            "stage 120/1000  r_cal 0.871  return 41.23 35  2.1 M agent-steps/s  1:05 left");
}

TEST(Progress, ShowsRunsSideBySideInOneLine) {
  EXPECT_EQ(Progress::line({report(0.8712), report(0.5)}, 1000, 880, 2.1e6, 65),
            "stage 120/1000  r_cal 0.871 0.500  2.1 M agent-steps/s  1:05 left");
}

TEST(Progress, ShowsARunWithoutACalibrator) {
  EXPECT_EQ(Progress::line({{.stage = 0}}, 3, 2, 900, 1), "stage 1/3  900 agent-steps/s  0:01 left");
}

}  // namespace
}  // namespace shoal
