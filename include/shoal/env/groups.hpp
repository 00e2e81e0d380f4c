// One value for each group of agents that share a space: in kernels and environments, and in a caller's hands.
#pragma once

#include <cstddef>
#include <vector>

#include "shoal/core/host_device.hpp"

namespace shoal {

/// As many values as an environment has groups, for device code.
template <class T, int Count>
struct PerGroup {
  T items[Count];

  SHOAL_FN T& operator[](int group) { return items[group]; }
  SHOAL_FN T const& operator[](int group) const { return items[group]; }
};

/// What a caller passes for all groups: one T, or a vector of them. Does not own them.
template <class T>
class GroupSpan {
 public:
  GroupSpan(T const& only) : data_(&only), size_(1) {}
  GroupSpan(std::vector<T> const& all) : data_(all.data()), size_(int(all.size())) {}

  T const& operator[](int group) const { return data_[group]; }
  int size() const { return size_; }

 private:
  T const* data_;
  int size_;
};

}  // namespace shoal
