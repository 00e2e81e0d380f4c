// Uniform random actions, legal ones where there are masks: the body that the CPU and CUDA share. For agents that act
// uniformly, benchmarks and baselines.
#pragma once

#include <algorithm>
#include <cstdint>

#include "shoal/core/draws.hpp"
#include "shoal/core/random.hpp"

namespace shoal {

inline constexpr int max_uniform_heads = 16;  // of each kind

/// All arrays are contiguous, A = all_agents. The values are numbered instance by instance, and value v is word v % 4
/// of draw v / 4: those of an instance do not depend on how many there are.
struct UniformArgs {
  Random random;
  std::int64_t instances;
  int agents, continuous_heads, discrete_heads, total_choices;  // agents of an instance that act
  float low[max_uniform_heads], span[max_uniform_heads];        // of the continuous heads
  int choices[max_uniform_heads];                               // of the discrete heads
  std::uint8_t const* masks;                                    // [instances, A, total_choices]; null: all legal
  float* continuous;                                            // [instances, A, continuous_heads]
  std::int32_t* discrete;                                       // [instances, A, discrete_heads]
  std::int32_t const* which = nullptr;                          // [agents]: those that act; null: all
  int all_agents = 0;                                           // of an instance; needed with `which`
  std::uint32_t const* stage =
      nullptr;                   // one value in place of random.episode, where that changes on the device; null: not
  int common = 1;                // consecutive instances that share random numbers
  std::uint32_t first_draw = 0;  // number of the first draw

  SHOAL_FN int values() const { return agents * (continuous_heads + discrete_heads); }  // of an instance
  SHOAL_FN std::int64_t drawn() const {
    return (instances + common - 1) / common;
  }  // instances with numbers of their own
  SHOAL_FN std::int64_t draws() const { return (drawn() * values() + 3) / 4; }
  /// The row of the arrays that belongs to agent number `member` of those that act.
  SHOAL_FN std::int64_t row(std::int64_t instance, int member) const {
    return which ? instance * all_agents + which[member] : instance * agents + member;
  }
  SHOAL_FN Random place() const {
    Random at = random;
    if (stage) at.episode = *stage;
    return at;
  }
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
    int const heads = args.continuous_heads, head = at % heads;
    args.continuous[args.row(instance, at / heads) * heads + head] = args.low[head] + args.span[head] * unit_real(word);
    return;
  }
  int const heads = args.discrete_heads, head = (at - reals) % heads;
  auto const row = args.row(instance, (at - reals) / heads);
  int first = 0;
  for (int h = 0; h < head; ++h) first += args.choices[h];
  auto const* const legal = args.masks ? args.masks + row * args.total_choices + first : nullptr;
  args.discrete[row * heads + head] = uniform_choice(legal, args.choices[head], word);
}

/// The same for all instances that share the number.
SHOAL_FN void uniform_values(UniformArgs const& args, std::int64_t drawn, int at, std::uint32_t word) {
  for (int c = 0; c < args.common; ++c)
    if (auto const instance = drawn * args.common + c; instance < args.instances)
      uniform_value(args, instance, at, word);
}

}  // namespace detail

/// Draw i of [0, draws()): four values.
SHOAL_FN void uniform_element(UniformArgs const& args, std::int64_t i) {
  Words const words = args.place().draw(Purpose::test, args.first_draw + std::uint32_t(i));
  for (int k = 0; k < 4; ++k) {
    auto const value = 4 * i + k;
    detail::uniform_values(args, value / args.values(), int(value % args.values()), words.w[k]);
  }
}

inline constexpr int uniform_block = 16;

/// What the values of a block of draws need of their heads, from any head on; for all blocks of a call.
struct UniformPattern {
  static constexpr int size = 4 * uniform_block + max_uniform_heads;
  float low[size], span[size];
  std::uint32_t choices[size];
};

inline UniformPattern make_uniform_pattern(UniformArgs const& args) {
  UniformPattern pattern{};
  int const heads = max(1, max(args.continuous_heads, args.discrete_heads));
  for (int i = 0; i < UniformPattern::size; ++i) {
    pattern.low[i] = args.low[i % heads];
    pattern.span[i] = args.span[i % heads];
    pattern.choices[i] = std::uint32_t(args.choices[i % heads]);
  }
  return pattern;
}

namespace detail {

/// The values of a block where all heads are of one kind and all choices legal: they lie one after another.
inline void uniform_plain(UniformArgs const& args, UniformPattern const& pattern, std::int64_t first,
                          std::uint32_t const (&words)[4 * uniform_block]) {
  int const head = int(first % max(args.continuous_heads, args.discrete_heads));
  int const count = int(std::min<std::int64_t>(4 * uniform_block, args.instances * args.values() - first));
  if (args.discrete_heads == 0) {
    float const *const low = pattern.low + head, *const span = pattern.span + head;
    float* const to = args.continuous + first;
    for (int i = 0; i < count; ++i) to[i] = low[i] + span[i] * unit_real(words[i]);
  } else {
    std::uint32_t const* const choices = pattern.choices + head;
    std::int32_t* const to = args.discrete + first;
    for (int i = 0; i < count; ++i) to[i] = std::int32_t(std::uint64_t(words[i]) * choices[i] >> 32);
  }
}

}  // namespace detail

/// Draws [uniform_block * block, uniform_block * (block + 1)) at once: the CPU's form of the same.
inline void uniform_draws(UniformArgs const& args, UniformPattern const& pattern, std::int64_t block) {
  auto const first = block * uniform_block;
  std::uint64_t bits[2][uniform_block];
  draw_bits(SerialTeam{}, args.place(), Purpose::test, args.first_draw + std::uint32_t(first), uniform_block, bits);
  std::uint32_t words[4 * uniform_block];
  for (int i = 0; i < uniform_block; ++i)
    for (int half = 0; half < 2; ++half) {
      words[4 * i + 2 * half] = std::uint32_t(bits[half][i]);
      words[4 * i + 2 * half + 1] = std::uint32_t(bits[half][i] >> 32);
    }
  bool const in_order = !args.masks && !args.which && args.common == 1;
  if (in_order && (args.continuous_heads == 0 || args.discrete_heads == 0))
    return detail::uniform_plain(args, pattern, 4 * first, words);
  auto drawn = 4 * first / args.values();
  int at = int(4 * first % args.values());
  for (int i = 0; i < 4 * uniform_block && drawn < args.drawn(); ++i) {
    detail::uniform_values(args, drawn, at, words[i]);
    if (++at == args.values()) at = 0, ++drawn;
  }
}

}  // namespace shoal
