// Memory that Python sees: arrays of the module's own, and views of arrays of other libraries.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/python/stream.hpp"

namespace shoal::python {

namespace nb = nanobind;

/// Where a simulator's memory lies. Shared with its arrays, which outlive it.
struct Place {
  int cuda_index = -1;        // -1: the CPU
  std::uintptr_t stream = 0;  // of the simulator's latest work
  bool on_cuda() const { return cuda_index >= 0; }
};

/// Zeros, 64-byte aligned: JAX takes other memory by copying it.
std::shared_ptr<void> allocate(Place const& place, std::size_t bytes);

/// A row-major array in memory that it keeps alive. On the CPU Python sees NumPy arrays of it instead.
class Array {
 public:
  Array(void* data, nb::dlpack::dtype dtype, std::vector<std::size_t> shape, std::shared_ptr<void> owner,
        std::shared_ptr<Place> place);

  std::vector<std::size_t> const& shape() const { return shape_; }
  std::string dtype() const;
  std::string device() const;
  std::size_t bytes() const;
  void* data() const { return data_; }
  std::shared_ptr<Place> const& place() const { return place_; }

  /// The CPU's memory itself; of CUDA's a copy, behind the simulator's work.
  nb::object numpy() const;

  /// As the array API has it: work on `stream` waits for the simulator's. The other arguments go to nanobind.
  nb::object dlpack(std::optional<std::int64_t> stream, nb::kwargs const& others) const;
  nb::tuple dlpack_device() const;

 private:
  template <class... Kind>
  nb::ndarray<Kind...> view_of(void* data, nb::handle owner, int device_type, int device_id) const;

  void* data_;
  nb::dlpack::dtype dtype_;
  std::vector<std::size_t> shape_;
  std::shared_ptr<void> owner_;
  std::shared_ptr<Place> place_;
};

/// Keeps memory of others alive.
using Borrowed = std::vector<nb::ndarray<nb::ro>>;

std::string shape_text(std::vector<std::int64_t> const& shape);

/// The memory of an array of another library, of the expected shape. A last extent of 1 may be missing.
struct Lent {
  void* data;
  std::vector<std::int64_t> strides;  // as many as `shape` has
};

/// @param label     names the array in errors
/// @param writable  whether the array must allow to be written
/// @param dtypes    those that are taken; the first one is named in errors
/// @param stream    CUDA: what the other library's __dlpack__ is told
/// @throws InputError naming what is wrong: no array, its device, dtype, shape or alignment, or that it is read-only
Lent borrow(std::string const& label, nb::handle object, Place const& place, std::int64_t stream,
            std::vector<nb::dlpack::dtype> const& dtypes, std::vector<std::int64_t> const& shape, bool writable,
            Borrowed& borrowed);

template <class T, int Rank>
View<T, Rank> as_view(Lent const& lent, std::vector<std::int64_t> const& shape) {
  View<T, Rank> v{static_cast<T*>(lent.data), {}, {}};
  for (std::size_t d = 0; d < std::size_t(Rank); ++d) {
    v.extents[d] = shape[d];
    v.strides[d] = lent.strides[d];
  }
  return v;
}

}  // namespace shoal::python
