// A random order of samples without a sort and without state: element i of the order is a function of i, so threads and
// lanes each compute theirs. A Feistel network permutes the next power of two; indices beyond the end walk on until
// they fall inside (Mitchell et al., "Bandwidth-optimal random shuffling for GPUs", 2022). Tests:
// tests/ops/shuffle_test.cpp.
#pragma once

#include <cstdint>

#include "shoal/core/random.hpp"

namespace shoal {

struct Shuffle {
  static constexpr int rounds = 8;

  std::uint32_t count;
  int low_bits, high_bits;
  std::uint32_t keys[rounds];
};

/// @param count  at most 2^31  @param place  names the order: seed, stream as instance, stage as episode, epoch as step
SHOAL_FN Shuffle make_shuffle(std::uint32_t count, Random const& place) {
  Shuffle s{count, 0, 0, {}};
  int bits = 8;  // in a smaller domain the network's orders are not uniform
  while ((std::uint64_t(1) << bits) < count) ++bits;
  s.low_bits = bits / 2;
  s.high_bits = bits - s.low_bits;
  for (int k = 0; k < Shuffle::rounds; ++k) s.keys[k] = place.draw(Purpose::permutation, std::uint32_t(k / 4)).w[k % 4];
  return s;
}

/// Where element i of the order comes from.
SHOAL_FN std::uint32_t shuffled(Shuffle const& s, std::uint32_t i) {
  auto const mixed = [](std::uint32_t x, std::uint32_t key) {
    x = (x + key) * 0x9E3779B1u;
    x = (x ^ (x >> 15)) * 0x85EBCA6Bu;
    return x ^ (x >> 13);
  };
  std::uint32_t const low_mask = (1u << s.low_bits) - 1, high_mask = (1u << s.high_bits) - 1;
  do {
    std::uint32_t low = i & low_mask, high = i >> s.low_bits;
    for (int k = 0; k < Shuffle::rounds; k += 2) {
      high ^= mixed(low, s.keys[k]) & high_mask;
      low ^= mixed(high, s.keys[k + 1]) & low_mask;
    }
    i = high << s.low_bits | low;
  } while (i >= s.count);
  return i;
}

/// to[i] = from[shuffled(i)].
struct ShuffleArgs {
  std::int64_t const* from;  // [count]
  std::int64_t* to;          // [count]
  std::uint32_t count;
  Random place;
  std::uint32_t const* stage;  // one value: the place's episode
};

SHOAL_FN Shuffle make_shuffle(ShuffleArgs const& args) {
  Random place = args.place;
  place.episode = *args.stage;
  return make_shuffle(args.count, place);
}

SHOAL_FN void shuffle_element(ShuffleArgs const& args, Shuffle const& shuffle, std::int64_t i) {
  args.to[i] = args.from[shuffled(shuffle, std::uint32_t(i))];
}

}  // namespace shoal
