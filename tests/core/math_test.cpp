// exp, log, turn and tanh against libm in double: the bounds that math.hpp states.
#include "shoal/core/math.hpp"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>
#include <numbers>

namespace {

// Distance in units in the last place of a float of the exact value's size.
double ulps(float got, double exact) {
  int exponent;
  std::frexp(exact, &exponent);
  return std::abs(double(got) - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double error = 0;
  float at = 0;
  void add(float x, float got, double exact) {
    if (double const e = ulps(got, exact); !(e <= error)) error = e, at = x;
  }
};

// Every `stride`-th float from `low` up to `high`, both positive.
template <class F>
Worst worst_over(float low, float high, std::uint32_t stride, F f) {
  Worst worst;
  auto const last = shoal::detail::bit_cast<std::uint32_t>(high);
  for (auto bits = shoal::detail::bit_cast<std::uint32_t>(low); bits <= last; bits += stride)
    f(worst, shoal::detail::bit_cast<float>(bits));
  return worst;
}

TEST(Log, IsWithinOneUlpForEveryNormalFloat) {
  auto const worst =
      worst_over(FLT_MIN, FLT_MAX, 1009, [](Worst& w, float x) { w.add(x, shoal::log(x), std::log(double(x))); });
  EXPECT_LT(worst.error, 1) << "at " << worst.at;
}

TEST(Log, IsWithinOneUlpAroundOne) {
  auto const worst = worst_over(0.5f, 2, 17, [](Worst& w, float x) { w.add(x, shoal::log(x), std::log(double(x))); });
  EXPECT_LT(worst.error, 1) << "at " << worst.at;
  EXPECT_EQ(shoal::log(1), 0);
}

TEST(Exp, IsWithinOneUlpInItsRange) {
  Worst worst;
  for (int i = -8700000; i <= 8800000; i += 7) {
    float const x = float(i) * 1e-5f;
    if (x >= -87 && x <= 88) worst.add(x, shoal::exp(x), std::exp(double(x)));
  }
  EXPECT_LT(worst.error, 1) << "at " << worst.at;
  EXPECT_EQ(shoal::exp(0), 1);
}

TEST(Exp, IsLimitedOutsideItsRange) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(shoal::exp(inf), shoal::exp(88));
  EXPECT_EQ(shoal::exp(-inf), shoal::exp(-87));
  EXPECT_EQ(shoal::exp(nan), shoal::exp(-87));
  EXPECT_TRUE(std::isnormal(shoal::exp(-87)) && std::isnormal(shoal::exp(88)));
}

// The arguments that Random::normal uses are the multiples of 2^-24; of them every seventh, and all near the quarters.
TEST(CosTurn, IsWithinTwoUlps) {
  Worst worst;
  auto const check = [&](int i) {
    float const u = float(i) * 0x1p-24f;
    if (i != 1 << 22 && i != 3 << 22) worst.add(u, shoal::cos_turn(u), std::cos(2 * std::numbers::pi * double(u)));
  };
  for (int i = 0; i < 1 << 24; i += 7) check(i);
  for (int quarter = 0; quarter < 4; ++quarter)
    for (int i = 0; i < 10000; ++i) check((quarter << 22) + i), check((quarter << 22) + (1 << 22) - 1 - i);
  EXPECT_LT(worst.error, 2) << "at " << worst.at;
}

TEST(Turn, SineIsTheCosineAQuarterEarlier) {
  for (int i = 0; i < 1 << 24; i += 7) {
    float const u = float(i) * 0x1p-24f, earlier = u < 0.25f ? u + 0.75f : u - 0.25f;
    ASSERT_EQ(shoal::turn(u).sine, shoal::cos_turn(earlier)) << "at " << u;
  }
}

TEST(CosTurn, IsExactAtTheQuarters) {
  EXPECT_EQ(shoal::cos_turn(0), 1);
  EXPECT_EQ(shoal::cos_turn(0.25f), 0);
  EXPECT_EQ(shoal::cos_turn(0.5f), -1);
  EXPECT_EQ(shoal::cos_turn(0.75f), 0);
}

TEST(Tanh, IsWithinSevenUlpsForEveryNormalFloat) {
  auto const f = [](Worst& w, float x) { w.add(x, shoal::tanh(x), std::tanh(double(x))); };
  auto const all = worst_over(FLT_MIN, FLT_MAX, 1009, f), middle = worst_over(1e-3f, 10, 53, f);
  EXPECT_LT(all.error, 7) << "at " << all.at;
  EXPECT_LT(middle.error, 7) << "at " << middle.at;
}

TEST(Tanh, IsOddAndNeverBeyondOne) {
  worst_over(1e-3f, 100, 997, [](Worst&, float x) {
    ASSERT_EQ(shoal::tanh(-x), -shoal::tanh(x));
    ASSERT_LE(shoal::tanh(x), 1);
  });
  EXPECT_EQ(shoal::tanh(std::numeric_limits<float>::infinity()), 1);
}

TEST(Tanh, KeepsNaN) { EXPECT_TRUE(std::isnan(shoal::tanh(std::numeric_limits<float>::quiet_NaN()))); }

TEST(Clamp, LimitsAndTurnsNanIntoTheLowerBound) {
  EXPECT_EQ(shoal::clamp(-3, -1, 2), -1);
  EXPECT_EQ(shoal::clamp(3, -1, 2), 2);
  EXPECT_EQ(shoal::clamp(0.5f, -1, 2), 0.5f);
  EXPECT_EQ(shoal::clamp(std::numeric_limits<float>::quiet_NaN(), -1, 2), -1);
}

// Bit equality with CUDA rests on a * b + c being rounded twice: catches a build without -ffp-contract=off.
TEST(Arithmetic, IsNotContracted) {
  float volatile a = 1 + 0x1p-13f, b = 1 - 0x1p-13f, c = -1;
  float const x = a, y = b, z = c;
  EXPECT_EQ(x * y + z, 0);  // fused: -2^-26
}

}  // namespace
