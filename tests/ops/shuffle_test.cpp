#include "shoal/ops/shuffle.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

std::vector<std::uint32_t> order(std::uint32_t count, Random const& place) {
  auto const shuffle = make_shuffle(count, place);
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(shuffled(shuffle, i));
  return all;
}

TEST(Shuffle, IsAPermutationOfAnyLength) {
  for (std::uint32_t const count : {1u, 2u, 3u, 4u, 5u, 31u, 32u, 33u, 1000u, 4097u, 30720u}) {
    auto all = order(count, {1, 2, 3, 4});
    std::sort(all.begin(), all.end());
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(all[i], i) << count;
  }
}

TEST(Shuffle, SeedStreamStageAndEpochEachGiveAnotherOrder) {
  auto const base = order(100, {1, 2, 3, 4});
  EXPECT_EQ(base, order(100, {1, 2, 3, 4}));
  for (Random const& other : {Random{9, 2, 3, 4}, {1, 9, 3, 4}, {1, 2, 9, 4}, {1, 2, 3, 9}})
    EXPECT_NE(base, order(100, other));
}

// Where an element goes, and where a pair of neighbours goes: chi-square against uniform, at 5 standard deviations.
TEST(Shuffle, PlacesAndPairsOfPlacesAreUniform) {
  for (std::uint32_t const count : {5u, 8u, 24u}) {
    constexpr int orders = 40000;
    std::vector<double> places(count * count), pairs(count * count);
    for (int k = 0; k < orders; ++k) {
      auto const all = order(count, {std::uint32_t(k), 0, 0, 0});
      for (std::uint32_t i = 0; i < count; ++i) ++places[i * count + all[i]];
      ++pairs[all[0] * count + all[1]];
    }
    auto const chi_square = [&](std::vector<double> const& counts, double expected, bool pair) {
      double sum = 0;
      for (std::uint32_t i = 0; i < count * count; ++i)
        if (!pair || i / count != i % count) sum += (counts[i] - expected) * (counts[i] - expected) / expected;
      return sum;
    };
    double const free_places = (count - 1.0) * (count - 1.0), free_pairs = count * (count - 1.0) - 1;
    EXPECT_LT(chi_square(places, double(orders) / count, false), free_places + 5 * std::sqrt(2 * free_places)) << count;
    EXPECT_LT(chi_square(pairs, orders / (count * (count - 1.0)), true), free_pairs + 5 * std::sqrt(2 * free_pairs))
        << count;
  }
}

TEST(Shuffle, TheOpTakesItsElementsFromAList) {
  std::vector<std::int64_t> from, to(50);
  for (int i = 0; i < 50; ++i) from.push_back(1000 + 3 * i);
  std::uint32_t const stage = 6;
  ops::shuffle({.from = from.data(), .to = to.data(), .count = 50, .place = {1, 2, 0, 4}, .stage = &stage}, at::kCPU);
  auto const expected = order(50, {1, 2, 6, 4});
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(to[i], from[expected[i]]);
}

}  // namespace
}  // namespace shoal
