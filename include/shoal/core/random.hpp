// Random numbers without state: each is a pure function of where it is used (Philox4x32-10 of Random123, Salmon et al.,
// SC'11). Results therefore do not depend on the number of instances, threads or lanes, nor on the backend.
#pragma once

#include <Random123/philox.h>

#include <cmath>
#include <cstdint>

#include "shoal/core/math.hpp"

namespace shoal {

/// What a draw is for. Two uses that share a purpose must differ in index. The values are part of the trajectories:
/// they never change. Values 1 to 5 and those from 64 on belong to environments, which name their own.
enum class Purpose : std::uint32_t {
  type = 0,     // agents' types at reset
  action = 6,   // sampling from policies
  increment,    // sampling from a calibrator
  permutation,  // minibatches
  initial,      // network parameters
  test,         // free for tests and random policies
  deviation,    // who deviates from a frozen policy, and how that is trained
  search,       // profiles that a search tries
  validation,   // episodes that training never sees
  replay,       // rows that are drawn from a replay memory
  heuristic,    // what scripted agents do
};

/// An environment numbers its own purposes from 0. A run has one environment, so two environments may use the same.
constexpr Purpose environment_purpose(std::uint32_t number) { return Purpose(64 + number); }

/// Uniform in [0, 1), a multiple of 2^-24, of 32 random bits.
SHOAL_FN float unit_real(std::uint32_t word) { return float(word >> 8) * 0x1p-24f; }

/// Four independent 32-bit words.
struct Words {
  std::uint32_t w[4];

  SHOAL_FN float unit(int i) const { return unit_real(w[i]); }

  /// 64 random bits; i is 0 or 1.
  SHOAL_FN std::uint64_t bits64(int i) const {
    // Both by constant indices: w[2 * i] would put the words into a GPU's local memory.
    std::uint64_t const first = std::uint64_t(w[1]) << 32 | w[0], second = std::uint64_t(w[3]) << 32 | w[2];
    return i == 0 ? first : second;
  }

  /// Standard normal by Box and Muller; i is 0 or 1, the two are independent.
  SHOAL_FN float normal(int i) const { return radius(i) * cos_turn(unit(2 * i + 1)); }

  /// Two independent standard normals from words 2 i and 2 i + 1, for less than two of normal().
  SHOAL_FN void normals(int i, float& a, float& b) const {
    float const r = radius(i);
    Turn const direction = turn(unit(2 * i + 1));
    a = r * direction.cosine;
    b = r * direction.sine;
  }

  SHOAL_FN float radius(int i) const {
    float const u = (float(w[2 * i] >> 8) + 0.5f) * 0x1p-24f;  // never 0
    return sqrtf(-2.0f * shoal::log(u));
  }
};

// The test of keys that are drawn twice (tests/env/draw_keys_test.cpp) defines SHOAL_RECORD_DRAWS and record_draw().
// Its Random is another type, so that no function compiled for it takes the place of the library's.
#ifdef SHOAL_RECORD_DRAWS
inline namespace recorded {
struct Random;
void record_draw(Random const& random, Purpose purpose, std::uint32_t index);
#endif

/// A place in a trajectory; draw() gives the random words that belong to it.
struct Random {
  std::uint32_t seed = 0;
  std::uint32_t instance = 0;
  std::uint32_t episode = 0;
  std::uint32_t step = 0;

  /// Inlined always: loops of draws vectorise then. draw_bits (draws.hpp) is faster still.
  SHOAL_FN_INLINED Words draw(Purpose purpose, std::uint32_t index = 0) const {
#ifdef SHOAL_RECORD_DRAWS
    record_draw(*this, purpose, index);
#endif
    auto const r = r123::Philox4x32{}({{index, step, episode, std::uint32_t(purpose)}}, {{seed, instance}});
    return {{r[0], r[1], r[2], r[3]}};
  }
};

#ifdef SHOAL_RECORD_DRAWS
}  // namespace recorded
#endif

/// A seed for one more stream of random numbers, e.g. a library's generator: 64 bits that depend on all arguments.
inline std::uint64_t derived_seed(std::uint32_t seed, Purpose purpose, std::uint32_t a, std::uint32_t b = 0) {
  return Random{seed, 0, a, b}.draw(purpose).bits64(0);
}

/// The seed of what the agents of a group draw: they are numbered within it, and must not draw as another group's.
inline std::uint32_t group_seed(std::uint32_t seed, int group) {
  return group == 0 ? seed : std::uint32_t(derived_seed(seed, Purpose::action, std::uint32_t(group)));
}

}  // namespace shoal
