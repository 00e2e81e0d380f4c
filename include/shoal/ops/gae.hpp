// Generalised advantage estimates (Schulman et al., arXiv 1506.02438, eq. 16): the body that the CPU and CUDA share.
#pragma once

#include <cstdint>

#include "shoal/core/host_device.hpp"

namespace shoal {

/// A_t = sum_k (gamma lambda)^k delta_{t+k}, delta_t = r_t + gamma V_{t+1} - V_t. A termination cuts the sum and the
/// bootstrap; a truncation cuts the sum and bootstraps from the value of the final observation. All arrays are [steps,
/// columns] row-major, a column being one agent of one instance; `values` has one row more.
struct GaeArgs {
  int steps;
  std::int64_t columns;
  float discount, lambda;
  float const* rewards;
  float const* values;        // [steps + 1, columns]; the last row is the value after the last step
  float const* final_values;  // read only where truncated; null where nothing is ever truncated
  std::uint8_t const* ended;  // bit 0 terminated, bit 1 truncated
  float* advantages;
  float* returns;  // advantages + values: the value targets
  /// Some columns of each row of `stride`: column c of those is agent agents[c % members] of instance c / members.
  /// Null: all columns.
  std::int32_t const* agents = nullptr;
  int members = 0, all_agents = 0;
  std::int64_t stride = 0;

  SHOAL_FN std::int64_t place(std::int64_t column) const {
    return agents ? column / members * all_agents + agents[column % members] : column;
  }
};

namespace detail {

/// @param place  (c) of column c within a row, for c < count
template <int Columns, class Place>
SHOAL_FN void gae_block(GaeArgs const& args, std::int64_t stride, int count, Place place) {
  float advantages[Columns] = {};
  for (int t = args.steps - 1; t >= 0; --t) {
    for (int c = 0; c < count; ++c) {
      auto const i = t * stride + place(c);
      bool const terminated = args.ended[i] & 1, truncated = args.ended[i] & 2;
      float const next = terminated ? 0.0f : truncated ? args.final_values[i] : args.values[i + stride];
      float const delta = args.rewards[i] + args.discount * next - args.values[i];
      advantages[c] = delta + (terminated || truncated ? 0.0f : args.discount * args.lambda * advantages[c]);
      args.advantages[i] = advantages[c];
      args.returns[i] = advantages[c] + args.values[i];
    }
  }
}

}  // namespace detail

/// `count` <= Columns neighbouring columns: one a lane on CUDA, as many as vectorise on the CPU.
template <int Columns>
SHOAL_FN void gae_columns(GaeArgs const& args, std::int64_t first, int count) {
  if (!args.agents) return detail::gae_block<Columns>(args, args.columns, count, [&](int c) { return first + c; });
  std::int64_t places[Columns];
  for (int c = 0; c < count; ++c) places[c] = args.place(first + c);
  detail::gae_block<Columns>(args, args.stride, count, [&](int c) { return places[c]; });
}

SHOAL_FN void gae_column(GaeArgs const& args, std::int64_t column) { gae_columns<1>(args, column, 1); }

}  // namespace shoal
