// 64 independent coin flips at once.
#pragma once

#include <cstdint>

#include "shoal/core/bits.hpp"
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

/// 64 comparisons of uniform numbers with one probability, all numbers drawn bit by bit from the high end.
struct Comparison {
  std::uint64_t undecided;  // lanes whose numbers equal the probability so far
  std::uint64_t ones = 0;   // lanes whose numbers are below it

  /// @param digit  the probability's next binary digit, in all bits
  /// @param word   the numbers' next bits
  SHOAL_FN void add(std::uint64_t digit, std::uint64_t word) {
    ones |= undecided & ~word & digit;
    undecided &= ~(word ^ digit);
  }
};

/// Digit i of p < 1, the first is worth 1/2, in all bits of a word. Zero from the 24th on.
SHOAL_FN std::uint64_t digit(Probability24 p, int i) {
  return i < 24 ? ~std::uint64_t(0) * (p.value >> (23 - i) & 1) : 0;
}

/// How many digits p < 1 has before only zeros follow: none of a uniform number's bits beyond them matters.
SHOAL_FN int digits(Probability24 p) { return p.value ? 24 - lowest_bit(p.value) : 0; }

/// A word whose bits are independently 1 with probability p: every lane compares a uniform number, drawn bit by bit
/// from the high end, with p's binary expansion, and stops when no lane is undecided. p = 2^-k costs k words, any other
/// p about 8.
/// @param word   word(i) is the i-th of up to 24 random 64-bit words
/// @param lanes  the bits that matter; the others are 0 in the result
template <class Word>
SHOAL_FN std::uint64_t bernoulli_bits(Probability24 p, std::uint64_t lanes, Word word) {
  if (p.value >> 24) return lanes;
  Comparison lane{lanes};
  int const n = digits(p);
  for (int i = 0; i < n && lane.undecided; ++i) lane.add(digit(p, i), word(i));
  return lane.ones;
}

}  // namespace shoal
