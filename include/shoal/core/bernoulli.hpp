// 64 independent coin flips at once.
#pragma once

#include <cstdint>

#include "shoal/core/host_device.hpp"

namespace shoal {

/// A probability as a multiple of 2^-24, in [0, 2^24].
struct Probability24 {
  std::uint32_t value = 0;
};

/// The nearest to p, limited to [0, 1]; a NaN counts as 0.
SHOAL_FN Probability24 probability24(float p) {
  if (p >= 1) return {1u << 24};
  if (!(p > 0)) return {0};
  float const scaled = p * 0x1p24f;
  auto const below = std::uint32_t(scaled);
  return {below + (scaled - float(below) >= 0.5f)};  // scaled + 0.5f would round up odd numbers above 2^23
}

/// A word whose bits are independently 1 with probability p: every lane compares a uniform number, drawn bit by bit from the
/// high end, with p's binary expansion, and stops when no lane is undecided. p = 2^-k costs k words, any other p about 8.
/// @param word   word(i) is the i-th of up to 24 random 64-bit words
/// @param lanes  the bits that matter; the others are 0 in the result
template <class Word>
SHOAL_FN std::uint64_t bernoulli_bits(Probability24 p, std::uint64_t lanes, Word word) {
  if (p.value >> 24) return lanes;
  std::uint64_t undecided = lanes, ones = 0;
  for (int i = 0; i < 24; ++i) {
    std::uint32_t const rest = p.value & ((1u << (24 - i)) - 1);  // the expansion from bit i on
    if (rest == 0 || undecided == 0) break;                       // a uniform number is never below 0
    std::uint64_t const u = word(i);
    if (rest >> (23 - i)) {
      ones |= undecided & ~u;
      undecided &= u;
    } else {
      undecided &= ~u;
    }
  }
  return ones;
}

}  // namespace shoal
