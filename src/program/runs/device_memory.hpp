// Memory that host and simulator share, whatever the simulator's device: for commands that look at every step, not for
// speed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>

#include "shoal/env/simulator.hpp"

namespace shoal {

/// Zeroed bytes that both can read and write: plain memory, or on CUDA managed memory. On CUDA the host touches them
/// only after Simulator::synchronize().
/// @throws InputError for Device::cuda in a build without CUDA, Error if there is no memory
std::shared_ptr<void> allocate_shared(Device device, std::size_t bytes);

/// Copies from the device's memory, e.g. a simulator's own. Synchronises.
void copy_to_host(Device device, void* to, void const* from, std::size_t bytes);

/// "cpu", or what CUDA calls the current device.
std::string device_name(Device device);

/// An array of such memory.
template <class T>
class SharedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SharedArray(Device device, std::size_t count) : memory_(allocate_shared(device, count * sizeof(T))) {}
  T* data() const { return static_cast<T*>(memory_.get()); }

 private:
  std::shared_ptr<void> memory_;
};

}  // namespace shoal
