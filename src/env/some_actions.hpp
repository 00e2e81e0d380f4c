// Random actions for players that examine an environment: functions of the words drawn.
#pragma once

#include <algorithm>
#include <cstdint>

#include "shoal/core/random.hpp"
#include "shoal/env/spec.hpp"

namespace shoal {

/// Uniform, but often a bound or between two, so that ties occur.
inline float some_real(ContinuousHead const& head, Words const& draw) {
  float const u = draw.unit(1) < 0.5f ? draw.unit(0) : float(int(draw.unit(0) * 9)) / 8;
  return head.low + (head.high - head.low) * u;
}

/// One of the legal choices; 0 where there is none. @param masks  [choices]; null: all are legal
inline std::int32_t some_choice(std::uint8_t const* masks, int choices, Words const& draw) {
  if (!masks) return std::int32_t(draw.unit(0) * float(choices));
  auto skip = int(draw.unit(0) * float(std::count_if(masks, masks + choices, [](auto m) { return m != 0; })));
  for (int c = 0; c < choices; ++c)
    if (masks[c] && skip-- == 0) return c;
  return 0;
}

}  // namespace shoal
