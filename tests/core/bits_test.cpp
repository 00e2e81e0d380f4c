// Gathering and scattering bits, bit by bit.
#include "shoal/core/bits.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace shoal {
namespace {

TEST(Bits, AreGatheredAndScatteredInOrder) {
  EXPECT_TRUE(rc::check([] {
    auto const word = *rc::gen::arbitrary<std::uint64_t>(), mask = *rc::gen::arbitrary<std::uint64_t>();
    std::uint64_t gathered = 0, scattered = 0;
    int n = 0;
    for (int k = 0; k < 64; ++k) {
      if (!(mask >> k & 1)) continue;
      gathered |= (word >> k & 1) << n;
      scattered |= (word >> n & 1) << k;
      ++n;
    }
    RC_ASSERT(gather_bits(word, mask) == gathered);
    RC_ASSERT(scatter_bits(word, mask) == scattered);
    RC_ASSERT(popcount(mask) == n);
  }));
}

TEST(Bits, LowestOfAWord) {
  for (int k = 0; k < 64; ++k) EXPECT_EQ(lowest_bit(~std::uint64_t(0) << k), k);
}

}  // namespace
}  // namespace shoal
