// Returns of up to n steps from a chunk of a rollout (Sutton and Barto, 2018, eq. 7.1): the body that the CPU and CUDA
// share. Reference: expect_definition() in tests/ops/nstep_test.cpp.
#pragma once

#include <cstdint>

#include "shoal/core/host_device.hpp"
#include "shoal/core/math.hpp"

namespace shoal {

/// Of the row at step t: return = sum over k < m of discount^k r_{t+k}, target = return + factor * (value of the state
/// `next`). m = min(n, steps to the end of the chunk, steps to the end of the episode). factor = discount^m, and 0
/// where the episode terminated: the state does not bootstrap. A truncation bootstraps from the final observation. All
/// arrays are [steps, columns] row-major, a column being one agent of one instance.
struct NStepArgs {
  int steps;
  std::int64_t columns;
  int n;  // >= 1
  float discount;
  float const* rewards;
  std::uint8_t const* ended;  // bit 0 terminated, bit 1 truncated
  float* returns;
  float* factors;
  /// Row of the bootstrap state: r < (steps + 1) * columns is row r of the observations [steps + 1, columns], the
  /// others are row r - (steps + 1) * columns of the final observations [steps, columns].
  std::int64_t* next;

  SHOAL_FN std::int64_t final_row(std::int64_t row) const { return (steps + std::int64_t(1)) * columns + row; }
};

/// Rows of step t for `count` <= Columns neighbouring columns: one a lane on CUDA, as many as vectorise on the CPU.
template <int Columns>
SHOAL_FN void nstep_rows(NStepArgs const& args, int t, std::int64_t first, int count) {
  auto const row = t * args.columns + first;
  float sum[Columns], factor[Columns];
  std::int32_t last[Columns];  // steps from t to the last one of the sum
  std::uint8_t end[Columns];   // how that step ended
  for (int c = 0; c < count; ++c) {
    sum[c] = args.rewards[row + c];
    factor[c] = args.discount;
    last[c] = 0;
    end[c] = args.ended[row + c];
  }
  int const most = min(args.n, args.steps - t);
  for (int k = 1; k < most; ++k) {
    auto const at = row + k * args.columns;
    for (int c = 0; c < count; ++c) {
      bool const goes_on = end[c] == 0;
      sum[c] = goes_on ? sum[c] + factor[c] * args.rewards[at + c] : sum[c];
      factor[c] = goes_on ? factor[c] * args.discount : factor[c];
      last[c] = goes_on ? k : last[c];
      end[c] = goes_on ? args.ended[at + c] : end[c];
    }
  }
  for (int c = 0; c < count; ++c) {
    bool const terminated = end[c] & 1, truncated = end[c] & 2;
    auto const reached = row + last[c] * args.columns + c;
    args.returns[row + c] = sum[c];
    args.factors[row + c] = terminated ? 0.0f : factor[c];
    args.next[row + c] = truncated && !terminated ? args.final_row(reached) : reached + args.columns;
  }
}

SHOAL_FN void nstep_row(NStepArgs const& args, std::int64_t row) {
  nstep_rows<1>(args, int(row / args.columns), row % args.columns, 1);
}

}  // namespace shoal
