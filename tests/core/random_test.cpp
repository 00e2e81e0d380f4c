// Philox's published vectors, and the distributions that Words derives from its bits.
#include "shoal/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace shoal {
namespace {

std::vector<std::uint32_t> words(Random const& random, std::uint32_t purpose, std::uint32_t index) {
  auto const w = random.draw(Purpose(purpose), index);
  return {w.w, w.w + 4};
}

// Random123's kat_vectors, philox4x32 with 10 rounds; counter = (index, step, episode, purpose), key = (seed,
// instance).
TEST(Philox, GivesThePublishedWords) {
  constexpr std::uint32_t ones = 0xffffffff;
  using Vector = std::vector<std::uint32_t>;
  EXPECT_EQ(words({0, 0, 0, 0}, 0, 0), (Vector{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(words({ones, ones, ones, ones}, ones, ones), (Vector{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  Random const pi{.seed = 0xa4093822, .instance = 0x299f31d0, .episode = 0x13198a2e, .step = 0x85a308d3};
  EXPECT_EQ(words(pi, 0x03707344, 0x243f6a88), (Vector{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, EveryCoordinateGivesOtherWords) {
  std::set<std::vector<std::uint32_t>> seen;
  int draws = 0;
  for (std::uint32_t seed : {0, 1})
    for (std::uint32_t instance : {0, 1})
      for (std::uint32_t episode : {0, 1})
        for (std::uint32_t step : {0, 1})
          for (std::uint32_t purpose : {0, 1})
            for (std::uint32_t index : {0, 1}) {
              seen.insert(words({seed, instance, episode, step}, purpose, index));
              ++draws;
            }
  EXPECT_EQ(int(seen.size()), draws);
}

TEST(Words, UnitCoversZeroToOneWithoutOne) {
  Words const extremes{{0, 0xffffffff, 0xff, 0x100}};
  EXPECT_EQ(extremes.unit(0), 0);
  EXPECT_EQ(extremes.unit(1), 1 - 0x1p-24f);
  EXPECT_EQ(extremes.unit(2), 0);
  EXPECT_EQ(extremes.unit(3), 0x1p-24f);
}

TEST(Words, Bits64JoinsPairsOfWords) {
  Words const w{{1, 2, 3, 4}};
  EXPECT_EQ(w.bits64(0), 0x200000001u);
  EXPECT_EQ(w.bits64(1), 0x400000003u);
}

TEST(Words, NormalIsFiniteAtTheExtremes) {
  for (std::uint32_t radius : {0u, 0xffffffffu})
    for (std::uint32_t angle : {0u, 0x40000000u, 0x80000000u, 0xffffffffu})
      EXPECT_LT(std::abs(Words{{radius, angle, 0, 0}}.normal(0)), 6);
  EXPECT_GT((Words{{0, 0, 0, 0}}).normal(0), 5.8f);  // the largest: sqrt(-2 log 2^-25)
}

struct Normals {
  std::vector<double> first, second;
};
Normals const& sample() {
  static Normals const normals = [] {
    Normals n;
    for (std::uint32_t i = 0; i < 400000; ++i) {
      auto const w = Random{7, 0, 0, 0}.draw(Purpose::test, i);
      n.first.push_back(double(w.normal(0)));
      n.second.push_back(double(w.normal(1)));
    }
    return n;
  }();
  return normals;
}

// E[f] over the sample minus `expected`, in standard errors.
template <class F>
double z_score(double expected, F f) {
  auto const& [a, b] = sample();
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double const x = f(a[i], b[i]);
    sum += x, squares += x * x;
  }
  double const n = double(a.size()), mean = sum / n;
  return (mean - expected) / std::sqrt((squares / n - mean * mean) / n);
}

TEST(Words, NormalHasTheMomentsOfTheNormal) {
  EXPECT_LT(std::abs(z_score(0, [](double a, double) { return a; })), 4);
  EXPECT_LT(std::abs(z_score(0, [](double, double b) { return b; })), 4);
  EXPECT_LT(std::abs(z_score(1, [](double a, double) { return a * a; })), 4);
  EXPECT_LT(std::abs(z_score(0, [](double a, double) { return a * a * a; })), 4);
  EXPECT_LT(std::abs(z_score(3, [](double a, double) { return a * a * a * a; })), 4);
}

TEST(Words, NormalHasTheTailsOfTheNormal) {
  for (double x : {-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0})
    EXPECT_LT(std::abs(z_score(0.5 * std::erfc(x / std::sqrt(2.0)), [x](double a, double) { return double(a > x); })),
              4)
        << x;
}

TEST(Words, BothNormalsAreIndependent) {
  EXPECT_LT(std::abs(z_score(0, [](double a, double b) { return a * b; })), 4);
  EXPECT_LT(std::abs(z_score(1, [](double a, double b) { return a * a * b * b; })), 4);
  EXPECT_LT(std::abs(z_score(0, [](double a, double b) { return (a * a - 1) * b; })), 4);
}

TEST(DerivedSeed, DependsOnAllArguments) {
  std::set<std::uint64_t> const seeds = {
      derived_seed(1, Purpose::initial, 0, 0), derived_seed(2, Purpose::initial, 0, 0),
      derived_seed(1, Purpose::permutation, 0, 0), derived_seed(1, Purpose::initial, 1, 0),
      derived_seed(1, Purpose::initial, 0, 1)};
  EXPECT_EQ(seeds.size(), 5u);
}

}  // namespace
}  // namespace shoal
