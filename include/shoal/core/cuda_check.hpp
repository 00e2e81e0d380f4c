// Checked calls of the CUDA runtime, and owners of what it hands out.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/core/error.hpp"

/// Throws shoal::Error with the call, its place and what CUDA says, unless the call returns cudaSuccess.
/// After a launch: SHOAL_CUDA_CHECK(cudaGetLastError()); what goes wrong while a kernel runs shows in a later call.
#define SHOAL_CUDA_CHECK(call) ::shoal::cuda::check((call), #call, __FILE__, __LINE__)

namespace shoal::cuda {

inline void check(cudaError_t error, char const* what, std::string_view file, int line) {
  if (error == cudaSuccess) return;
  file.remove_prefix(file.rfind('/') + 1);  // npos + 1 is 0
  throw Error("CUDA: " + std::string(what) + " at " + std::string(file) + ":" + std::to_string(line) + ": " +
              cudaGetErrorString(error));
}

/// Why no CUDA device can be used; empty: there is one.
inline std::string no_device() {
  int count = 0;
  cudaError_t const error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess) return count > 0 ? "" : "none installed";
  static_cast<void>(cudaGetLastError());  // not to be found again by the next check
  return cudaGetErrorString(error);
}

/// `count` values in the memory of the device that was current when it was made.
template <class T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;

  /// All bytes zero, once the work on `stream` is done.
  explicit DeviceBuffer(std::size_t count, cudaStream_t stream = nullptr) : count_(count) {
    if (count == 0) return;
    SHOAL_CUDA_CHECK(cudaMalloc(&data_, bytes()));
    clear(stream);
  }

  /// A copy of `values`; done on return.
  explicit DeviceBuffer(std::vector<T> const& values) : DeviceBuffer(values.size()) {
    if (count_ > 0) SHOAL_CUDA_CHECK(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice));
  }

  DeviceBuffer(DeviceBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }

  ~DeviceBuffer() { static_cast<void>(cudaFree(data_)); }  // waits for kernels that may still use it

  void clear(cudaStream_t stream) {
    if (count_ > 0) SHOAL_CUDA_CHECK(cudaMemsetAsync(data_, 0, bytes(), stream));
  }

  T* data() { return data_; }
  T const* data() const { return data_; }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace shoal::cuda
