// Samples actions from a policy's distribution, with log-probability and entropy: the body that the CPU and CUDA share.
//
// A distribution's parameters are [means of the continuous heads | logits of the discrete heads]; continuous heads are
// independent normals with a common log standard deviation a head, discrete heads independent softmaxes over the legal
// choices. Reference: log_probability() and entropy() in distribution.hpp. Tests: tests/ops/sample_test.cpp.
#pragma once

#include <cstdint>

#include "shoal/core/draws.hpp"

namespace shoal {

inline constexpr int max_discrete_heads = 16, max_continuous_heads = 256;

/// The heads of a policy.
struct ActionLayout {
  int continuous = 0;
  int discrete = 0;
  int choices[max_discrete_heads] = {};
  int total_choices = 0;

  SHOAL_FN int parameters() const { return continuous + total_choices; }
};

/// Row r is agent agents[r % members] of instance r / members. The arrays on the left belong to the policy, the others
/// to one slot of the rollout [instances, all_agents, ...].
struct SampleArgs {
  ActionLayout layout;
  Random random;               // seed, step, and the number of the first instance; the episode is set for each row
  std::uint32_t const* stage;  // one value: the episode of the random numbers
  Purpose purpose = Purpose::action;
  int members, all_agents;
  std::int64_t rows;
  std::int32_t const* agents;  // [members]
  float const* parameters;     // [rows, layout.parameters()]
  float const* log_sd;         // [layout.continuous]
  std::uint8_t const* masks;   // [instances, all_agents, total_choices], 1 = legal; null: all legal
  float* continuous;           // [instances, all_agents, layout.continuous]
  std::int32_t* discrete;      // [instances, all_agents, layout.discrete]
  float* log_probabilities;    // [instances, all_agents]
  float* entropies;            // [instances, all_agents]
  float* kept_parameters;  // [instances, all_agents, layout.parameters()]; null where `parameters` is that slot itself
  int common = 1;          // consecutive instances that share random numbers
  std::int32_t const* drawn_as = nullptr;  // [instances, all_agents]: whose random numbers; null: the agent's own
};

inline constexpr float half_log_2pi = 0.918938533f;

/// Rows that the CPU samples together, in vectors.
inline constexpr int sample_block = 32;

namespace detail {

/// `count` rows from `first` on: where they are, and what they have drawn.
template <int Rows>
struct SampledRows {
  std::int64_t first;
  int count;
  std::int64_t slot[Rows];
  std::uint32_t instance[Rows], drawn_as[Rows];
  float log_probability[Rows], entropy[Rows];
  std::uint64_t bits[2][Rows];

  template <class F>
  SHOAL_FN void each(F f) const {
    SerialTeam{}.each(count, f);
  }

  SHOAL_FN void place(SampleArgs const& args) {
    auto at = first / args.members;
    int member = int(first % args.members);
    for (int r = 0; r < Rows; ++r) {  // beyond `count` too, for the vectors of draw_bits()
      auto const agent = std::uint32_t(args.agents[member]);
      instance[r] = std::uint32_t((args.random.instance + at) / args.common);
      slot[r] = at * args.all_agents + agent;
      drawn_as[r] = args.drawn_as && r < count ? std::uint32_t(args.drawn_as[slot[r]]) : agent;
      log_probability[r] = entropy[r] = 0;
      if (++member == args.members) member = 0, ++at;
    }
  }

  /// Draw number `draw` of the `draws` that each agent has.
  SHOAL_FN void draw(SampleArgs const& args, int draw, int draws) {
    std::uint32_t index[Rows];
    for (int r = 0; r < Rows; ++r) index[r] = drawn_as[r] * std::uint32_t(draws) + std::uint32_t(draw);
    Random random = args.random;
    random.episode = *args.stage;
    draw_bits(random, args.purpose, index, instance, count, bits);
  }

  /// Word 0 to 3 of the row's last draw.
  SHOAL_FN std::uint32_t word(int r, int k) const { return std::uint32_t(bits[k / 2][r] >> (k % 2 * 32)); }
};

/// Heads h and h + 1, if there is one, from words 2 pair and 2 pair + 1 of the rows' draws.
template <int Rows>
SHOAL_FN void sample_normals(SampleArgs const& args, SampledRows<Rows>& rows, int h, int pair) {
  float noise[2][Rows];
  rows.each([&](int r) {
    Words{{rows.word(r, 2 * pair), rows.word(r, 2 * pair + 1), 0, 0}}.normals(0, noise[0][r], noise[1][r]);
  });
  int const heads = args.layout.continuous, parameters = args.layout.parameters();
  for (int k = 0; k < 2 && h + k < heads; ++k) {
    float const log_sd = args.log_sd[h + k], sd = shoal::exp(log_sd);
    auto const* const mean = args.parameters + rows.first * parameters + h + k;
    for (int r = 0; r < rows.count; ++r)
      args.continuous[rows.slot[r] * heads + h + k] = mean[r * parameters] + sd * noise[k][r];
    rows.each([&](int r) {
      rows.log_probability[r] += -0.5f * noise[k][r] * noise[k][r] - log_sd - half_log_2pi;
      rows.entropy[r] += log_sd + 0.5f + half_log_2pi;
    });
  }
}

inline constexpr float illegal = -3.4e38f, least_logit = -3e38f;

/// Logit k of a discrete head whose choices begin at `at`, of every row; `illegal` where a mask forbids it.
template <int Rows>
SHOAL_FN void take_logits(SampleArgs const& args, SampledRows<Rows> const& rows, int at, int k, float (&x)[Rows]) {
  auto const& layout = args.layout;
  auto const* const from = args.parameters + rows.first * layout.parameters() + layout.continuous + at + k;
  for (int r = 0; r < rows.count; ++r) x[r] = from[r * layout.parameters()];
  if (!args.masks) return;
  for (int r = 0; r < rows.count; ++r)
    if (!args.masks[rows.slot[r] * layout.total_choices + at + k]) x[r] = illegal;
}

/// exp(x - most), 0 where illegal; a product, for a choice would keep loops from vectorising.
SHOAL_FN float softmax_weight(float x, float most) { return shoal::exp(x - most) * float(x > least_logit); }

/// Discrete head h, whose choices begin at `at`, by inversion of the softmax's distribution function; word h % 4 of the
/// rows' draws.
template <int Rows>
SHOAL_FN void sample_choices(SampleArgs const& args, SampledRows<Rows>& rows, int h, int at) {
  int const choices = args.layout.choices[h];
  float x[Rows], most[Rows], total[Rows], weighted[Rows], left[Rows], chosen_logit[Rows];
  std::int32_t chosen[Rows];
  rows.each([&](int r) {
    most[r] = least_logit;
    total[r] = weighted[r] = 0;
  });
  for (int k = 0; k < choices; ++k) {
    take_logits(args, rows, at, k, x);
    rows.each([&](int r) { most[r] = max(most[r], x[r]); });
  }
  for (int k = 0; k < choices; ++k) {
    take_logits(args, rows, at, k, x);
    rows.each([&](int r) {
      float const weight = softmax_weight(x[r], most[r]);
      total[r] += weight;
      weighted[r] += weight * max(x[r] - most[r], least_logit);
    });
  }
  rows.each([&](int r) {
    left[r] = unit_real(rows.word(r, h % 4)) * total[r];
    chosen[r] = 0;
    chosen_logit[r] = least_logit;
  });
  for (int k = 0; k < choices; ++k) {
    take_logits(args, rows, at, k, x);
    rows.each([&](int r) {
      float const weight = softmax_weight(x[r], most[r]);
      float const reached = weight > 0 ? left[r] : -1.0f;
      chosen[r] = reached >= 0 ? k : chosen[r];  // the last one possible, should rounding leave a rest
      chosen_logit[r] = reached >= 0 ? x[r] : chosen_logit[r];
      left[r] -= weight;
    });
  }
  rows.each([&](int r) {
    float const log_total = shoal::log(total[r]);
    rows.log_probability[r] += chosen_logit[r] - most[r] - log_total;
    rows.entropy[r] += log_total - weighted[r] / total[r];
  });
  for (int r = 0; r < rows.count; ++r) args.discrete[rows.slot[r] * args.layout.discrete + h] = chosen[r];
}

}  // namespace detail

/// Rows [first, first + count), at most `Rows` at once.
template <int Rows>
SHOAL_FN void sample_rows(SampleArgs const& args, std::int64_t first, int count) {
  auto const& layout = args.layout;
  int const normal_draws = (layout.continuous + 3) / 4,
            draws = normal_draws + (layout.discrete + 3) / 4;  // of four words
  int const parameters = layout.parameters();
  detail::SampledRows<Rows> rows;
  rows.first = first;
  rows.count = count;
  rows.place(args);
  if (args.kept_parameters)
    for (int r = 0; r < count; ++r)
      for (int k = 0; k < parameters; ++k)
        args.kept_parameters[rows.slot[r] * parameters + k] = args.parameters[(first + r) * parameters + k];
  for (int h = 0; h < layout.continuous; h += 2) {
    if (h % 4 == 0) rows.draw(args, h / 4, draws);
    detail::sample_normals(args, rows, h, h % 4 / 2);
  }
  for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++]) {
    if (h % 4 == 0) rows.draw(args, normal_draws + h / 4, draws);
    detail::sample_choices(args, rows, h, at);
  }
  for (int r = 0; r < count; ++r) {
    args.log_probabilities[rows.slot[r]] = rows.log_probability[r];
    args.entropies[rows.slot[r]] = rows.entropy[r];
  }
}

SHOAL_FN void sample_row(SampleArgs const& args, std::int64_t row) { sample_rows<1>(args, row, 1); }

}  // namespace shoal
