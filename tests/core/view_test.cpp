#include "shoal/core/view.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <numeric>
#include <vector>

namespace shoal {
namespace {

std::vector<int> counting(int n) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

TEST(View, IsRowMajor) {
  auto data = counting(24);
  auto const v = view(data.data(), 2, 3, 4);
  EXPECT_EQ(v.size(), 24);
  EXPECT_EQ(v(1, 2, 3), 23);
  EXPECT_EQ(v(1, 0, 2), 14);
}

TEST(View, FewerIndicesGiveTheViewBelow) {
  auto data = counting(24);
  auto const row = view(data.data(), 2, 3, 4)(1, 2);
  static_assert(std::same_as<decltype(row), View<int, 1> const>);
  EXPECT_EQ(row.extents[0], 4);
  EXPECT_EQ(row(1), 21);
}

TEST(View, StridesReachASlotOfARollout) {
  auto data = counting(24);
  View<int, 2> column{data.data() + 1, {2, 3}, {12, 4}};  // [:, :, 1] of [2, 3, 4]
  EXPECT_EQ(column(1, 2), 21);
  EXPECT_EQ(column(1)(0), 13);
}

TEST(View, WritesThrough) {
  auto data = counting(6);
  view(data.data(), 2, 3)(1, 1) = 99;
  EXPECT_EQ(data[4], 99);
}

TEST(View, ConvertsToConstOnly) {
  static_assert(std::convertible_to<View<int, 2>, View<int const, 2>>);
  static_assert(!std::convertible_to<View<int const, 2>, View<int, 2>>);
  static_assert(!std::convertible_to<View<int, 2>, View<float const, 2>>);
  auto data = counting(6);
  View<int const, 2> const v = view(data.data(), 2, 3);
  EXPECT_EQ(v(1, 0), 3);
  EXPECT_EQ(v.extents[1], 3);
}

TEST(View, DefaultIsEmpty) {
  EXPECT_EQ((View<float, 3>{}).data, nullptr);
  EXPECT_EQ((View<float, 3>{}).size(), 0);
  static_assert(std::is_trivially_copyable_v<View<float, 3>>);
}

}  // namespace
}  // namespace shoal
