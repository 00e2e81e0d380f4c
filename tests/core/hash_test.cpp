#include "shoal/core/hash.hpp"

#include <gtest/gtest.h>

namespace shoal {
namespace {

template <class... T>
std::uint64_t hash_of(T... x) {
  TrajectoryHash hash;
  (hash.add(x), ...);
  return hash.value();
}

// FNV-1a's offset basis and prime, by hand: (basis ^ 1) * prime mod 2^64.
TEST(TrajectoryHash, IsFnv1a) {
  EXPECT_EQ(hash_of(), 14695981039346656037ull);
  EXPECT_EQ(hash_of(1u), 12638152016183539244ull);
}

TEST(TrajectoryHash, DependsOnOrderAndEveryBit) {
  EXPECT_NE(hash_of(1.0f, 2.0f), hash_of(2.0f, 1.0f));
  EXPECT_NE(hash_of(1.0f), hash_of(1.0f + 0x1p-23f));
  EXPECT_NE(hash_of(0.0f), hash_of(-0.0f));
}

TEST(TrajectoryHash, SixtyFourBitsAreTwoWords) { EXPECT_EQ(hash_of(std::uint64_t(5) << 32 | 3u), hash_of(3u, 5u)); }

}  // namespace
}  // namespace shoal
