// A typed, strided, non-owning view of memory on the CPU or on a device, with its shape. Trivially copyable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "shoal/core/host_device.hpp"

namespace shoal {

/// `T` may be const. Strides count elements. A default-made view is empty: data is null.
template <class T, int Rank>
struct View {
  T* data = nullptr;
  std::int64_t extents[Rank] = {};
  std::int64_t strides[Rank] = {};

  /// The element, or with fewer indices than Rank the view of what lies below them.
  template <class... Index>
  SHOAL_FN decltype(auto) operator()(Index... index) const {
    constexpr int given = sizeof...(Index);
    static_assert(given >= 1 && given <= Rank);
    std::int64_t const at[] = {std::int64_t(index)...};
    std::int64_t offset = 0;
    for (int d = 0; d < given; ++d) offset += at[d] * strides[d];
    if constexpr (given == Rank) {
      return static_cast<T&>(data[offset]);
    } else {
      View<T, Rank - given> below;
      below.data = data + offset;
      for (int d = given; d < Rank; ++d) {
        below.extents[d - given] = extents[d];
        below.strides[d - given] = strides[d];
      }
      return below;
    }
  }

  SHOAL_FN std::int64_t size() const {
    std::int64_t n = 1;
    for (int d = 0; d < Rank; ++d) n *= extents[d];
    return n;
  }

  template <class Const>
  requires(!std::is_const_v<T> && std::is_same_v<Const, T const>) SHOAL_FN operator View<Const, Rank>() const {
    View<Const, Rank> same;
    same.data = data;
    for (int d = 0; d < Rank; ++d) {
      same.extents[d] = extents[d];
      same.strides[d] = strides[d];
    }
    return same;
  }
};

/// A row-major contiguous view.
template <class T, class... Extent>
SHOAL_FN View<T, sizeof...(Extent)> view(T* data, Extent... extent) {
  constexpr int rank = sizeof...(Extent);
  View<T, rank> v{data, {std::int64_t(extent)...}, {}};
  std::int64_t stride = 1;
  for (int d = rank - 1; d >= 0; --d) {
    v.strides[d] = stride;
    stride *= v.extents[d];
  }
  return v;
}

}  // namespace shoal
