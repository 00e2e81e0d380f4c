#include "program/reports/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace shoal {
namespace {

// From printed tables of Student's t.
TEST(Statistics, StudentQuantilesOfTheTables) {
  for (auto const& [degrees, quantile] : {std::pair{1, 12.7062},
                                          {2, 4.30265},
                                          {3, 3.18245},
                                          {4, 2.77645},
                                          {5, 2.57058},
                                          {9, 2.26216},
                                          {10, 2.22814},
                                          {30, 2.04227},
                                          {100, 1.98397}})
    EXPECT_NEAR(student_quantile(degrees), quantile, 1e-4) << degrees;
  EXPECT_NEAR(student_quantile(10000), 1.96020, 1e-4);
}

TEST(Statistics, EstimateOfFive) {
  auto const e = sample_mean({2, 4, 4, 4, 6});
  EXPECT_EQ(e.count, 5);
  EXPECT_DOUBLE_EQ(e.mean, 4);
  EXPECT_NEAR(e.sd.value(), std::sqrt(2.0), 1e-12);
  EXPECT_NEAR(e.half_width.value(), 2.77645 * std::sqrt(2.0 / 5), 1e-4);
}

TEST(Statistics, OneValueTellsNoSpread) {
  auto const e = sample_mean({3});
  EXPECT_DOUBLE_EQ(e.mean, 3);
  EXPECT_FALSE(e.sd || e.half_width);
}

}  // namespace
}  // namespace shoal
