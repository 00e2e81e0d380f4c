// bernoulli_bits: its frequencies, and bit for bit what comparing 24-bit uniform numbers gives.
#include "shoal/core/bernoulli.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>

#include "shoal/core/random.hpp"

namespace shoal {
namespace {

constexpr std::uint64_t all = ~std::uint64_t(0);

std::uint64_t random_word(std::uint32_t trial, int i) {
  return Random{3, 0, 0, trial}.draw(Purpose::test, std::uint32_t(i / 2)).bits64(i % 2);
}

// The definition: lane k's uniform number has bit i of the expansion in bit k of word i.
std::uint64_t by_comparison(Probability24 p, std::uint64_t lanes, std::uint32_t trial) {
  std::uint64_t ones = 0;
  for (int k = 0; k < 64; ++k) {
    std::uint32_t uniform = 0;
    for (int i = 0; i < 24; ++i) uniform = uniform << 1 | std::uint32_t(random_word(trial, i) >> k & 1);
    ones |= std::uint64_t(uniform < p.value) << k;
  }
  return ones & lanes;
}

TEST(Bernoulli, FrequencyIsTheProbability) {
  for (float const p : {0.0f, 0x1p-24f, 0.1f, 0.125f, 0.5f, 0.9f, 1.0f}) {
    constexpr int trials = 20000;
    double ones = 0;
    for (std::uint32_t t = 0; t < trials; ++t)
      ones += std::popcount(bernoulli_bits(probability24(p), all, [&](int i) { return random_word(t, i); }));
    double const n = 64.0 * trials, sd = std::sqrt(n * double(p) * (1 - double(p)));
    EXPECT_LE(std::abs(ones - n * double(p)), 4 * sd + (p > 0 && p < 1e-6f)) << "p = " << p;
  }
}

// Frequency cannot tell 2^-24 from 0; every lane's words can be chosen.
TEST(Bernoulli, SmallestProbabilityNeedsAllBitsZero) {
  auto const ones = bernoulli_bits({1}, all, [](int i) { return i == 23 ? 0b1000u : 0b0100u; });
  EXPECT_EQ(ones, all & ~std::uint64_t(0b1100));
}

TEST(Bernoulli, EqualsComparingUniformNumbers) {
  EXPECT_TRUE(rc::check([] {
    Probability24 const p{*rc::gen::inRange(0u, (1u << 24) + 1)};
    auto const lanes = *rc::gen::arbitrary<std::uint64_t>();
    auto const trial = *rc::gen::arbitrary<std::uint32_t>();
    auto const word = [&](int i) { return random_word(trial, i); };
    RC_ASSERT(bernoulli_bits(p, lanes, word) == by_comparison(p, lanes, trial));
  }));
}

int words_used(float p) {
  int used = 0;
  bernoulli_bits(probability24(p), all, [&](int i) {
    EXPECT_EQ(i, used) << "words are asked for in order, once";
    ++used;
    return random_word(11, i);
  });
  return used;
}

TEST(Bernoulli, PowersOfTwoUseTheirExponentInWords) {
  EXPECT_EQ(words_used(0.5f), 1);
  EXPECT_EQ(words_used(0.25f), 2);
  EXPECT_EQ(words_used(0.125f), 3);
}

TEST(Bernoulli, CertaintyUsesNoWords) {
  EXPECT_EQ(words_used(0), 0);
  EXPECT_EQ(words_used(1), 0);
}

TEST(Bernoulli, StopsWhenNoLaneIsUndecided) { EXPECT_LT(words_used(0.1f), 16); }

TEST(Probability24, IsExactForMultiples) {
  for (std::uint32_t i : {0u, 1u, 2u, 3u, (1u << 23) - 1, (1u << 23) + 1, (1u << 23) + 3, (1u << 24) - 1, 1u << 24})
    EXPECT_EQ(probability24(float(i) * 0x1p-24f).value, i);
}

TEST(Probability24, RoundsToNearestAndLimits) {
  EXPECT_EQ(probability24(0.1f).value, 1677722u);  // 0.1 * 2^24 = 1677721.6
  EXPECT_EQ(probability24(0x1p-26f).value, 0u);
  EXPECT_EQ(probability24(0x1.8p-25f).value, 1u);
  EXPECT_EQ(probability24(-1).value, 0u);
  EXPECT_EQ(probability24(2).value, 1u << 24);
  EXPECT_EQ(probability24(std::numeric_limits<float>::quiet_NaN()).value, 0u);
}

}  // namespace
}  // namespace shoal
