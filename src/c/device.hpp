// Memory and the current device of CUDA, or of the host alone where the build has no CUDA.
#pragma once

#include <cstddef>
#include <memory>

#include "shoal/env/simulator.hpp"

namespace shoal::c {

inline constexpr int no_cuda_device = -1;

/// The CUDA device that is current in this thread. @throws Error where there is none
int current_cuda_device();

/// Zeros in the memory of a device, at a multiple of 256 bytes as DLPack wants. @throws std::bad_alloc, Error
std::shared_ptr<void> allocate(Device device, std::size_t bytes);

/// @throws InputError unless `data` is memory of the CUDA device
void check_cuda_memory(void const* data, int cuda_device);

/// Makes a CUDA device current, and at its end the one that was.
class OnDevice {
 public:
  OnDevice() = default;
  ~OnDevice();
  OnDevice(OnDevice const&) = delete;
  OnDevice& operator=(OnDevice const&) = delete;

  /// no_cuda_device: nothing changes
  void enter(int cuda_device) {
    if (cuda_device != no_cuda_device) make_current(cuda_device);
  }

 private:
  void make_current(int cuda_device);

  int previous_ = no_cuda_device;
};

}  // namespace shoal::c
