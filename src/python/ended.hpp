// An episode's end as two arrays of booleans.
#pragma once

#include <cstdint>

#include "shoal/core/view.hpp"
#include "shoal/env/contract.hpp"

namespace shoal::python {

/// Row `i` of `terminated` holds the bits of Ended; afterwards both rows hold 0 or 1.
SHOAL_FN void split_ended_row(std::uint8_t* __restrict__ terminated, std::int64_t stride,
                              std::uint8_t* __restrict__ truncated, std::int64_t truncated_stride, std::int64_t count) {
  for (std::int64_t k = 0; k < count; ++k) {
    std::uint8_t const bits = terminated[k * stride];
    truncated[k * truncated_stride] = bits >> 1 & 1;
    terminated[k * stride] = bits & 1;
  }
}

inline bool is_contiguous(View<std::uint8_t, 2> const& v) { return v.strides[1] == 1 && v.strides[0] == v.extents[1]; }

/// On the CPU: one loop that vectorises, where both arrays are contiguous.
inline void split_ended(View<std::uint8_t, 2> terminated, View<std::uint8_t, 2> truncated) {
  if (is_contiguous(terminated) && is_contiguous(truncated))
    return split_ended_row(terminated.data, 1, truncated.data, 1, terminated.size());
  for (std::int64_t i = 0; i < terminated.extents[0]; ++i)
    split_ended_row(terminated(i).data, terminated.strides[1], truncated(i).data, truncated.strides[1],
                    terminated.extents[1]);
}

}  // namespace shoal::python
