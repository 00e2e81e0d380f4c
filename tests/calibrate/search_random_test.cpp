#include "src/calibrate/search_random.hpp"

#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

// What makes a sequence a Sobol sequence: each of 2^k equal parts of every axis holds exactly one of the first 2^k
// points, each cell of a 2^k by 2^k grid over the first two axes one of the first 4^k.
TEST(ScrambledSobol, FillsEveryPartOfEveryAxisOnce) {
  auto const points = scrambled_sobol(64, 23, search_generator(1, 0));
  EXPECT_GE(number(points.min()), 0);
  EXPECT_LT(number(points.max()), 1);
  for (int axis = 0; axis < 23; ++axis) {
    auto const part = std::get<0>((points.select(1, axis) * 64).floor().to(at::kLong).sort());
    EXPECT_TRUE(at::equal(part, at::arange(64))) << "axis " << axis;
  }
  auto const cell = (points.narrow(1, 0, 2) * 8).floor().to(at::kLong);
  EXPECT_TRUE(at::equal(std::get<0>((cell.select(1, 0) * 8 + cell.select(1, 1)).sort()), at::arange(64)));
}

TEST(ScrambledSobol, ASeedMakesTheScrambling) {
  auto const points = [](std::uint32_t seed, std::int64_t index) {
    return scrambled_sobol(8, 3, search_generator(seed, index));
  };
  EXPECT_TRUE(at::equal(points(1, 0), points(1, 0)));
  EXPECT_TRUE(at::equal(points(1, 0).narrow(0, 0, 1), scrambled_sobol(1, 3, search_generator(1, 0))));
  EXPECT_GT(distance(points(1, 0), points(2, 0)), 0.1);
  EXPECT_GT(distance(points(1, 0), points(1, 1)), 0.1);
}

}  // namespace
}  // namespace shoal
