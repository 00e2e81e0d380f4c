// Many draws at once. GCC vectorises a loop of Random::draw with four times the instructions that this needs: it keeps
// 32-bit words in 32-bit lanes and shuffles them before and after each product. Here a 64-bit lane holds one word, and
// the high half is whatever the last product left there.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "shoal/core/random.hpp"
#include "shoal/core/team.hpp"

#if defined(__AVX2__) && !defined(__CUDACC__)
#define SHOAL_WIDE_DRAWS 1
#include <immintrin.h>
#endif

namespace shoal {

#ifdef SHOAL_WIDE_DRAWS
namespace detail {

#ifdef __AVX512F__
inline constexpr int wide_lanes = 8;
using Wide [[gnu::vector_size(64)]] = std::uint64_t;
/// Product of the low halves. With a mask of ones, for GCC 12 warns that the plain intrinsic reads what nobody wrote.
SHOAL_FN_INLINED Wide multiply(Wide a, Wide b) { return Wide(_mm512_maskz_mul_epu32(0xff, __m512i(a), __m512i(b))); }
#else
inline constexpr int wide_lanes = 4;
using Wide [[gnu::vector_size(32)]] = std::uint64_t;
SHOAL_FN_INLINED Wide multiply(Wide a, Wide b) { return Wide(_mm256_mul_epu32(__m256i(a), __m256i(b))); }
#endif

/// half0[lane], half1[lane] = draw(purpose, index[lane]).bits64(0), .bits64(1) of `random` with that instance.
/// @tparam Instance  std::uint32_t, or Wide: one in each lane
template <class Instance>
SHOAL_FN_INLINED void wide_draw(Random const& random, Purpose purpose, Wide index, Instance instance, Wide& half0,
                                Wide& half1) {
  Wide x0 = index, x1 = Wide{} + random.step, x2 = Wide{} + random.episode, x3 = Wide{} + std::uint32_t(purpose);
  std::uint32_t key0 = random.seed;
  Instance key1 = instance;
  for (int round = 0; round < 10; ++round, key0 += PHILOX_W32_0, key1 += PHILOX_W32_1) {
    Wide const product0 = multiply(x0, Wide{} + PHILOX_M4x32_0), product1 = multiply(x2, Wide{} + PHILOX_M4x32_1);
    x0 = (product1 >> 32) ^ x1 ^ key0;
    x1 = product1;
    x2 = (product0 >> 32) ^ x3 ^ key1;
    x3 = product0;
  }
  Wide const low = Wide{} + 0xffffffffu;
  half0 = x1 << 32 | (x0 & low);
  half1 = x3 << 32 | (x2 & low);
}

}  // namespace detail
#endif

/// bits[half][i] = random.draw(purpose, first + i).bits64(half) for i < count. What `bits` has room for beyond, up to
/// the next multiple of 8, may be overwritten.
template <class Team, int Room>
SHOAL_FN_INLINED void draw_bits(Team team, Random const& random, Purpose purpose, std::uint32_t first, int count,
                                std::uint64_t (&bits)[2][Room]) {
  static_assert(Room % 8 == 0);
#ifdef SHOAL_WIDE_DRAWS
  if constexpr (std::is_same_v<Team, SerialTeam>) {
    detail::Wide index = detail::Wide{} + first;
    for (int lane = 0; lane < detail::wide_lanes; ++lane) index[lane] += std::uint64_t(lane);
    for (int i = 0; i < count; i += detail::wide_lanes, index += std::uint64_t(detail::wide_lanes)) {
      detail::Wide half0, half1;
      detail::wide_draw(random, purpose, index, random.instance, half0, half1);
      std::memcpy(&bits[0][i], &half0, sizeof half0);
      std::memcpy(&bits[1][i], &half1, sizeof half1);
    }
    return;
  }
#endif
  team.each(count, [&](int i) {
    auto const draw = random.draw(purpose, first + std::uint32_t(i));
    bits[0][i] = draw.bits64(0);
    bits[1][i] = draw.bits64(1);
  });
}

/// bits[half][i] = draw(purpose, index[i]).bits64(half) of `random` with instance[i], for i < count. With room for
/// several, `index` and `instance` are read and `bits` may be overwritten up to the next multiple of 8.
template <int Room>
SHOAL_FN_INLINED void draw_bits(Random const& random, Purpose purpose, std::uint32_t const (&index)[Room],
                                std::uint32_t const (&instance)[Room], int count, std::uint64_t (&bits)[2][Room]) {
  static_assert(Room == 1 || Room % 8 == 0);
#ifdef SHOAL_WIDE_DRAWS
  if constexpr (Room > 1) {
    for (int i = 0; i < count; i += detail::wide_lanes) {
      detail::Wide indices, instances, half0, half1;
      for (int lane = 0; lane < detail::wide_lanes; ++lane) {
        indices[lane] = index[i + lane];
        instances[lane] = instance[i + lane];
      }
      detail::wide_draw(random, purpose, indices, instances, half0, half1);
      std::memcpy(&bits[0][i], &half0, sizeof half0);
      std::memcpy(&bits[1][i], &half1, sizeof half1);
    }
    return;
  }
#endif
  for (int i = 0; i < count; ++i) {
    auto const draw = Random{random.seed, instance[i], random.episode, random.step}.draw(purpose, index[i]);
    bits[0][i] = draw.bits64(0);
    bits[1][i] = draw.bits64(1);
  }
}

}  // namespace shoal
