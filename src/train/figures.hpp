// Named values of a stage: put on the device, gathered into one vector, read by the host in one transfer.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace shoal {

class Figures {
 public:
  /// Adds the elements of a tensor under a name. A replayed graph calls neither this nor gather(); what they made
  /// stays.
  void put(std::string const& name, at::Tensor const& values);

  /// Device work: all values put since the last call, in one vector.
  void gather();

  /// Waits for the device.
  void read();

  /// The elements put under a name. Needs read().
  std::span<double const> operator[](std::string const& name) const;

  /// Whether every value is finite but those of `name`; "": every value.
  bool are_finite_without(std::string const& name) const;

 private:
  struct Place {
    std::size_t begin, count;
  };
  std::vector<at::Tensor> pieces_;
  std::size_t size_ = 0;
  std::map<std::string, Place> places_;
  at::Tensor device_, host_;
};

}  // namespace shoal
