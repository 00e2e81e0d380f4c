// Copies the chosen rows of several arrays into the arrays of a minibatch, all in one pass: the body that the CPU and
// CUDA share.
#pragma once

#include <cstdint>

#include "shoal/core/team.hpp"

namespace shoal {

struct GatherArgs {
  static constexpr int max_fields = 12;
  struct Field {
    std::uint8_t const* from;  // [any, bytes]
    std::uint8_t* to;          // [rows, bytes]
    int bytes;                 // of a row
  };

  Field fields[max_fields];
  int count;
  std::int64_t const* index;  // [rows]
  std::int64_t rows;
};

template <class Team>
SHOAL_FN void gather_row(Team team, GatherArgs const& args, std::int64_t row) {
  auto const source = args.index[row];
  for (int f = 0; f < args.count; ++f) {
    auto const& field = args.fields[f];
    auto const* const from = field.from + source * field.bytes;
    auto* const to = field.to + row * field.bytes;
    if (field.bytes % 4 == 0)
      team.each(field.bytes / 4, [&](int i) {
        reinterpret_cast<std::uint32_t*>(to)[i] = reinterpret_cast<std::uint32_t const*>(from)[i];
      });
    else
      team.each(field.bytes, [&](int i) { to[i] = from[i]; });
  }
}

}  // namespace shoal
