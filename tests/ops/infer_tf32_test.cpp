#include "shoal/ops/infer_tf32.hpp"

#include "support/infer_problem.hpp"

namespace shoal {
namespace {

using namespace test;

NetworkShape const market = infer_shapes()[0];

TEST(InferTf32, RoundsAsTheDeviceDoes) {
  float const step = std::ldexp(1.0f, -10);  // of numbers from 1 to 2
  EXPECT_EQ(tf32::rounded(1 + 0.49f * step), 1);
  EXPECT_EQ(tf32::rounded(1 + 0.5f * step), 1 + step);  // halves away from zero
  EXPECT_EQ(tf32::rounded(-1 - 0.5f * step), -1 - step);
  EXPECT_EQ(tf32::rounded(1 + 1.5f * step), 1 + 2 * step);
  EXPECT_EQ(tf32::rounded(2 - 0.25f * step), 2);
  EXPECT_EQ(tf32::rounded(0), 0);
  EXPECT_EQ(tf32::rounded(INFINITY), INFINITY);
  for (float const x : {0.1f, -3.14159274f, 1e-30f, 12345.678f}) {
    float const hi = tf32::rounded(x), lo = tf32::rounded(x - hi);
    EXPECT_LE(std::abs(x - hi - lo), std::ldexp(std::abs(x), -22));
  }
}

// TF32 without the split is a thousand times further away.
TEST(InferTf32, IsAsAccurateAsF32) {
  auto shapes = infer_shapes();
  shapes.push_back(wide_shape());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    SCOPED_TRACE(testing::PrintToString(shapes[i].hidden));
    InferProblem const problem(shapes[i], i == 0 ? 1000 : 100);
    infer_in_f32(problem.args());
    auto const f32 = problem.outputs();
    double const f32_error = problem.error();
    problem.forget();
    infer_emulated(problem.args());
    EXPECT_LT(problem.error(), 3 * f32_error);
    EXPECT_LT(distance(problem.outputs(), f32), 1e-5);
    RecordProperty("error_over_f32_" + std::to_string(i), std::to_string(problem.error() / f32_error));
  }
}

TEST(InferTf32, AnyNumberOfRows) {
  InferProblem const all(market, 40);
  infer_emulated(all.args());
  for (std::int64_t const rows : {1, 15, 16, 17, 33}) {
    SCOPED_TRACE(rows);
    InferProblem const some(market, 40);
    auto args = some.args();
    args.rows = rows;
    infer_emulated(args);
    EXPECT_TRUE(at::equal(some.distribution.narrow(0, 0, rows), all.distribution.narrow(0, 0, rows)));
    EXPECT_TRUE(at::equal(some.values.narrow(0, 0, rows), all.values.narrow(0, 0, rows)));
    EXPECT_TRUE(some.distribution.narrow(0, rows, 40 - rows).isnan().all().item<bool>());
    EXPECT_TRUE(some.values.narrow(0, rows, 40 - rows).isnan().all().item<bool>());
  }
}

TEST(InferTf32, TheCriticAlone) {
  InferProblem const both(market, 20), alone(market, 20);
  infer_emulated(both.args());
  auto args = alone.args();
  args.distribution = nullptr;
  infer_emulated(args);
  EXPECT_TRUE(at::equal(alone.values, both.values));
  EXPECT_TRUE(alone.distribution.isnan().all().item<bool>());
}

TEST(InferTf32, AnyOrderOfLanesLoadsTheSameWeights) {
  InferProblem const serial(market, 20), scrambled(market, 20);
  infer_emulated(serial.args());
  infer_emulated(scrambled.args(), ScrambledTeam(96));
  EXPECT_TRUE(at::equal(serial.outputs(), scrambled.outputs()));
}

// A network that diverged must not look healthy.
TEST(InferTf32, NaNsComeOutInTheirRow) {
  InferProblem const problem(market, 20);
  problem.observations[7][3] = NAN;
  infer_emulated(problem.args());
  EXPECT_TRUE(problem.distribution[7].isnan().all().item<bool>());
  EXPECT_FALSE(problem.distribution[8].isnan().any().item<bool>());
}

// scripts/kernel-table has the first two.
TEST(InferTf32, Sizes) {
  constexpr std::size_t most = 227 << 10;  // a block's on an H100 or H200
  auto const bytes = [](NetworkShape const& shape) {
    return std::size_t(tf32::memory(InferProblem(shape, 1).args())) * sizeof(tf32::Weights);
  };
  EXPECT_EQ(bytes(market), 107648u);
  EXPECT_EQ(std::size_t(InferProblem(market, 1).args().memory()) * sizeof(float), 85536u);
  for (auto const& shape : infer_shapes()) EXPECT_LE(bytes(shape), most);
  EXPECT_GT(bytes(wide_shape()), most);
  EXPECT_LE(std::size_t(InferProblem(wide_shape(), 1).args().memory()) * sizeof(float), most);
  EXPECT_EQ(tf32::most_tiles(InferProblem(market, 1).args()), 8);
  EXPECT_EQ(tf32::most_tiles(InferProblem(wide_shape(), 1).args()), 16);
}

}  // namespace
}  // namespace shoal
