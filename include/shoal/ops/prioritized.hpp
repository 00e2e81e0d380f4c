// Rows of a replay memory drawn in proportion to their priorities (Schaul et al., arXiv 1511.05952, section 3.3), and
// the upkeep of the priorities: the bodies that the CPU and CUDA share.
//
// There is no tree to keep up: each draw of a batch first sums all priorities, in f64, over groups of 32 rows and over
// blocks of 32 groups, and then searches block, group and row. Sums associate as below whatever runs them, so one input
// has one result. Reference: the same in one loop, and LibTorch's cumsum (tests/ops/prioritized_test.cpp).
#pragma once

#include <cstdint>
#include <limits>

#include "shoal/core/random.hpp"
#include "shoal/core/team.hpp"

namespace shoal {

/// Draws with replacement. Row i belongs to the numbers in [S_{i-1}, S_i), S the inclusive prefix sums of the
/// priorities.
struct DrawRowsArgs {
  static constexpr int group = 32, groups = 32;  // rows of a group, groups of a block
  static constexpr std::int64_t block = group * groups;

  /// [rows], p^alpha, positive; null: all rows are equally likely, and the next three are not used.
  float const* priorities;
  std::int64_t rows;   // >= 1
  double* group_sums;  // [blocks(), groups]: inclusive prefix sums within the block
  double* block_sums;  // [blocks()]: inclusive prefix sums
  float* least;  // [blocks() * (groups + 1)]: of each group, then of each block; that of block 0 becomes that of all

  Random random;    // place of the batch; the number of the draw is the index
  bool stratified;  // draw i out of the i-th of `draws` equal parts of the sum; else all independent
  float beta;       // of the importance weights
  std::int64_t draws;
  std::int64_t* drawn;  // [draws]
  float* weights;       // [draws]: (rows * P)^-beta over its maximum, in (0, 1]; null: none

  SHOAL_FN static std::int64_t blocks(std::int64_t rows) { return (rows + block - 1) / block; }
  SHOAL_FN std::int64_t blocks() const { return blocks(rows); }
  SHOAL_FN float* block_least() const { return least + blocks() * groups; }
};

namespace detail {

/// Sums and least priorities of `Side` neighbouring groups from `g` on, of which each has `count` rows.
template <int Side>
SHOAL_FN void sum_groups(DrawRowsArgs const& args, std::int64_t g, int count) {
  auto const* const priorities = args.priorities + g * DrawRowsArgs::group;
  double sum[Side] = {};
  float low[Side];
  for (int k = 0; k < Side; ++k) low[k] = std::numeric_limits<float>::max();
  for (int i = 0; i < count; ++i)
    for (int k = 0; k < Side; ++k) {
      float const priority = priorities[k * DrawRowsArgs::group + i];
      sum[k] += double(priority);
      low[k] = min(low[k], priority);
    }
  for (int k = 0; k < Side; ++k) {
    args.group_sums[g + k] = sum[k];
    args.least[g + k] = low[k];
  }
}

}  // namespace detail

/// Sums and least priorities of one block. A lane takes `Side` groups at once: one on CUDA, on the CPU as many as hide
/// the time that an addition takes.
template <int Side, class Team>
SHOAL_FN void sum_block(Team team, DrawRowsArgs const& args, std::int64_t b) {
  static_assert(DrawRowsArgs::groups % Side == 0);
  double* const sums = args.group_sums + b * DrawRowsArgs::groups;
  float* const least = args.least + b * DrawRowsArgs::groups;
  team.each(DrawRowsArgs::groups / Side, [&](int s) {
    auto const first = b * DrawRowsArgs::groups + s * Side;
    auto const left = args.rows - first * DrawRowsArgs::group;
    if (left >= Side * DrawRowsArgs::group) return detail::sum_groups<Side>(args, first, DrawRowsArgs::group);
    for (int k = 0; k < Side; ++k) {
      auto const own = max(std::int64_t(0), min(left - k * DrawRowsArgs::group, std::int64_t(DrawRowsArgs::group)));
      detail::sum_groups<1>(args, first + k, int(own));
    }
  });
  team.once([&] {
    float low = least[0];
    for (int g = 1; g < DrawRowsArgs::groups; ++g) {
      sums[g] += sums[g - 1];
      low = min(low, least[g]);
    }
    args.block_sums[b] = sums[DrawRowsArgs::groups - 1];
    args.block_least()[b] = low;
  });
}

/// After all blocks. For one lane.
SHOAL_FN void fold_blocks(DrawRowsArgs const& args) {
  double sum = 0;
  float low = args.block_least()[0];
  for (std::int64_t b = 0; b < args.blocks(); ++b) {
    sum += args.block_sums[b];
    args.block_sums[b] = sum;
    low = min(low, args.block_least()[b]);
  }
  args.block_least()[0] = low;
}

namespace detail {

/// The first of `count` ascending sums that exceeds `target` once `base` is added; the last where none does.
SHOAL_FN std::int64_t first_beyond(double const* sums, std::int64_t count, double base, double target) {
  std::int64_t low = 0, high = count - 1;
  while (low < high) {
    auto const middle = (low + high) / 2;
    bool const beyond = base + sums[middle] > target;
    low = beyond ? low : middle + 1;
    high = beyond ? middle : high;
  }
  return low;
}

}  // namespace detail

/// The first row whose prefix sum exceeds `target`; the last row where none does.
SHOAL_FN std::int64_t row_beyond(DrawRowsArgs const& args, double target) {
  auto const b = detail::first_beyond(args.block_sums, args.blocks(), 0, target);
  double const before_block = b > 0 ? args.block_sums[b - 1] : 0;
  double const* const sums = args.group_sums + b * DrawRowsArgs::groups;
  auto const g = detail::first_beyond(sums, DrawRowsArgs::groups, before_block, target);
  double const before_group = g > 0 ? sums[g - 1] : 0;
  auto const begin = b * DrawRowsArgs::block + g * DrawRowsArgs::group;
  auto const end = min(begin + DrawRowsArgs::group, args.rows);
  double sum = 0;
  for (auto row = begin; row < end; ++row) {
    sum += double(args.priorities[row]);
    if (before_block + (before_group + sum) > target) return row;
  }
  return args.rows - 1;
}

/// Uniform in [0, 1], of 53 bits; 1 where a stratum's number is rounded up.
SHOAL_FN double unit_of_draw(DrawRowsArgs const& args, std::int64_t i) {
  auto const bits = args.random.draw(Purpose::replay, std::uint32_t(i / 2)).bits64(int(i % 2));
  double const u = double(bits >> 11) * 0x1p-53;
  return args.stratified ? (double(i) + u) / double(args.draws) : u;
}

/// Draw i. The weights' maximum is at the least priority, so the number of rows and the sum cancel.
SHOAL_FN void draw_row(DrawRowsArgs const& args, std::int64_t i) {
  double const u = unit_of_draw(args, i);
  if (!args.priorities) {
    args.drawn[i] = min(std::int64_t(u * double(args.rows)), args.rows - 1);
    if (args.weights) args.weights[i] = 1;
    return;
  }
  auto const row = row_beyond(args, u * args.block_sums[args.blocks() - 1]);
  args.drawn[i] = row;
  if (args.weights)
    args.weights[i] = shoal::exp(args.beta * (shoal::log(args.block_least()[0]) - shoal::log(args.priorities[row])));
}

/// The priorities of a ring's rows, and what new rows get.
struct PriorityRing {
  float* priorities;      // [capacity]
  std::int64_t capacity;  // of the ring
  float alpha;
  float* largest;  // one value: the largest |error| that update_priorities() has seen; 1 at first

  SHOAL_FN float priority(float magnitude) const { return shoal::exp(alpha * shoal::log(magnitude + 1e-6f)); }
};

/// New rows: `count` of them from `first` on, around the ring's end.
struct NewPrioritiesArgs {
  PriorityRing ring;
  std::int64_t first, count;
  float const* errors;  // [count]; where null, or where one is not finite: as large as the largest seen
};

namespace detail {
/// |error|; negative where it is not finite.
SHOAL_FN float finite_magnitude(float error) {
  float const magnitude = error < 0 ? -error : error;
  return magnitude <= std::numeric_limits<float>::max() ? magnitude : -1.0f;
}
}  // namespace detail

SHOAL_FN void new_priority(NewPrioritiesArgs const& args, std::int64_t i) {
  float const own = args.errors ? detail::finite_magnitude(args.errors[i]) : -1.0f;
  args.ring.priorities[(args.first + i) % args.ring.capacity] = args.ring.priority(own < 0 ? *args.ring.largest : own);
}

/// New errors of rows that a batch has drawn. A row that was overwritten since keeps its priority, and so does one
/// whose error is not finite. Of several errors of one row the largest counts, so that their order does not.
struct UpdatePrioritiesArgs {
  PriorityRing ring;
  std::int64_t overwritten_first;  // since the batch was drawn: `overwritten` rows from here on, around the ring's end
  std::int64_t overwritten;
  std::int64_t const* rows;  // [count]
  float const* errors;       // [count], of any sign
  std::int64_t count;
};

namespace detail {

/// The magnitude of error i; negative where the row keeps its priority.
SHOAL_FN float new_magnitude(UpdatePrioritiesArgs const& args, std::int64_t i) {
  auto const ahead = args.rows[i] - args.overwritten_first;
  bool const overwritten = (ahead < 0 ? ahead + args.ring.capacity : ahead) < args.overwritten;
  return overwritten ? -1.0f : finite_magnitude(args.errors[i]);
}

/// to = max(to, value), both >= 0. The CPU calls it from one thread.
SHOAL_FN void raise(float& to, float value) {
#ifdef __CUDA_ARCH__
  atomicMax(reinterpret_cast<int*>(&to), __float_as_int(value));
#else
  to = max(to, value);
#endif
}

}  // namespace detail

/// Before all calls of raise_priority().
SHOAL_FN void clear_priority(UpdatePrioritiesArgs const& args, std::int64_t i) {
  if (detail::new_magnitude(args, i) >= 0) args.ring.priorities[args.rows[i]] = 0;
}

SHOAL_FN void raise_priority(UpdatePrioritiesArgs const& args, std::int64_t i) {
  float const magnitude = detail::new_magnitude(args, i);
  if (magnitude < 0) return;
  detail::raise(args.ring.priorities[args.rows[i]], args.ring.priority(magnitude));
  detail::raise(*args.ring.largest, magnitude);
}

}  // namespace shoal
