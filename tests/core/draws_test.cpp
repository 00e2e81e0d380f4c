// Many draws at once are the draws one by one.
#include "shoal/core/draws.hpp"

#include <gtest/gtest.h>

namespace shoal {
namespace {

template <class Team>
void expect_same(Team team, Random const& random, std::uint32_t first, int count) {
  std::uint64_t bits[2][24];
  draw_bits(team, random, Purpose::test, first, count, bits);
  for (int i = 0; i < count; ++i)
    for (int half = 0; half < 2; ++half)
      ASSERT_EQ(bits[half][i], random.draw(Purpose::test, first + std::uint32_t(i)).bits64(half))
          << first << " + " << i;
}

TEST(DrawBits, AreTheSingleDraws) {
  for (std::uint32_t const x : {0u, 1u, 0x80000000u, 0xffffffffu})
    for (std::uint32_t const first : {0u, 1000u, 0xfffffff9u})  // the last wraps around
      for (int const count : {1, 4, 7, 21, 24}) {
        Random const random{.seed = x, .instance = x + 1, .episode = x + 2, .step = x + 3};
        expect_same(SerialTeam{}, random, first, count);
        expect_same(ScrambledTeam(3), random, first, count);
      }
}

}  // namespace
}  // namespace shoal
