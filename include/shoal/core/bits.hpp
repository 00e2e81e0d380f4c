// Operations on the bits of a word that C++ or CUDA lacks a common name for.
#pragma once

#include <cstdint>

#include "shoal/core/host_device.hpp"

#if defined(__BMI2__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace shoal {

SHOAL_FN int popcount(std::uint64_t bits) {
#ifdef __CUDA_ARCH__
  return __popcll(bits);
#else
  return __builtin_popcountll(bits);
#endif
}

/// The place of the lowest 1; there must be one.
SHOAL_FN int lowest_bit(std::uint64_t bits) {
#ifdef __CUDA_ARCH__
  return __ffsll(static_cast<long long>(bits)) - 1;
#else
  return __builtin_ctzll(bits);
#endif
}

/// The bits of `word` where `mask` is 1, moved together to the low end.
SHOAL_FN std::uint64_t gather_bits(std::uint64_t word, std::uint64_t mask) {
#if defined(__BMI2__) && !defined(__CUDACC__)
  return _pext_u64(word, mask);
#else
  std::uint64_t gathered = 0;
  for (std::uint64_t bit = 1; mask; mask &= mask - 1, bit <<= 1)
    if (word & mask & (~mask + 1)) gathered |= bit;
  return gathered;
#endif
}

/// The inverse: the low bits of `word`, moved to where `mask` is 1.
SHOAL_FN std::uint64_t scatter_bits(std::uint64_t word, std::uint64_t mask) {
#if defined(__BMI2__) && !defined(__CUDACC__)
  return _pdep_u64(word, mask);
#else
  std::uint64_t scattered = 0;
  for (; mask; mask &= mask - 1, word >>= 1)
    if (word & 1) scattered |= mask & (~mask + 1);
  return scattered;
#endif
}

}  // namespace shoal
