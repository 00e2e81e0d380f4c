// Uniform random joint actions, legal ones where there are masks: the body that the CPU and CUDA share. For benchmarks and baselines.
#pragma once

#include <cstdint>

#include "shoal/core/draws.hpp"
#include "shoal/core/random.hpp"

namespace shoal {

inline constexpr int max_uniform_heads = 16;  // of each kind

/// All arrays are contiguous. A draw has four words, so four values of an instance share one.
struct UniformArgs {
  Random random;  // seed, episode, step; the instance is set for each row
  std::int64_t instances;
  int agents, continuous_heads, discrete_heads, total_choices;
  float low[max_uniform_heads], span[max_uniform_heads];  // of the continuous heads
  int choices[max_uniform_heads];                         // of the discrete heads
  std::uint8_t const* masks;                              // [instances, agents, total_choices]; null: all legal
  float* continuous;                                      // [instances, agents, continuous_heads]
  std::int32_t* discrete;                                 // [instances, agents, discrete_heads]

  /// Draws that an instance takes.
  SHOAL_FN int draws() const { return (agents * (continuous_heads + discrete_heads) + 3) / 4; }
};

namespace detail {

/// One of the legal choices; 0 if there are none. All are legal where `legal` is null.
SHOAL_FN int uniform_choice(std::uint8_t const* legal, int choices, std::uint32_t word) {
  auto const below = [&](int n) { return int(std::uint64_t(word) * std::uint64_t(n) >> 32); };
  if (!legal) return below(choices);
  int count = 0;
  for (int c = 0; c < choices; ++c) count += legal[c] != 0;
  int skip = below(count);
  for (int c = 0; c < choices; ++c)
    if (legal[c] && skip-- == 0) return c;
  return 0;
}

/// Value `at` of the instance: first all continuous ones, then all discrete ones.
SHOAL_FN void uniform_value(UniformArgs const& args, std::int64_t instance, int at, std::uint32_t word) {
  int const reals = args.agents * args.continuous_heads;
  if (at < reals) {
    int const head = at % args.continuous_heads;
    args.continuous[instance * reals + at] = args.low[head] + args.span[head] * (float(word >> 8) * 0x1p-24f);
    return;
  }
  int const picks = args.agents * args.discrete_heads, pick = at - reals;
  if (pick >= picks) return;  // a draw's words that are left over
  int const agent = pick / args.discrete_heads, head = pick % args.discrete_heads;
  int first = 0;
  for (int h = 0; h < head; ++h) first += args.choices[h];
  auto const* const legal =
      args.masks ? args.masks + (instance * args.agents + agent) * args.total_choices + first : nullptr;
  args.discrete[instance * picks + pick] = uniform_choice(legal, args.choices[head], word);
}

}  // namespace detail

/// Draw i of [0, instances * draws()): four values.
SHOAL_FN void uniform_element(UniformArgs const& args, std::int64_t i) {
  Random random = args.random;
  random.instance = std::uint32_t(i / args.draws());
  int const draw = int(i % args.draws());
  Words const words = random.draw(Purpose::test, std::uint32_t(draw));
  for (int k = 0; k < 4; ++k) detail::uniform_value(args, i / args.draws(), 4 * draw + k, words.w[k]);
}

/// All of an instance's, several draws at once: the CPU's form of the same.
inline void uniform_row(UniformArgs const& args, std::int64_t instance) {
  constexpr int block = 8;
  Random random = args.random;
  random.instance = std::uint32_t(instance);
  for (int first = 0; first < args.draws(); first += block) {
    int const count = min(block, args.draws() - first);
    std::uint64_t bits[2][block];
    draw_bits(SerialTeam{}, random, Purpose::test, std::uint32_t(first), count, bits);
    for (int i = 0; i < 4 * count; ++i)
      detail::uniform_value(args, instance, 4 * first + i, std::uint32_t(bits[i / 2 % 2][i / 4] >> (i % 2 * 32)));
  }
}

}  // namespace shoal
