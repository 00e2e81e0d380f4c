// CUDA streams as the array API standard numbers them in __dlpack__(stream=...), and what the module needs of CUDA.
// Without CUDA all of it is there, and nothing of it is called for device "cpu".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "shoal/core/view.hpp"

namespace shoal::python {

/// What a caller asks for with `stream`.
struct StreamRequest {
  bool synchronizes;  // false: the caller sees to the order of all work
  std::uintptr_t handle;
};

/// None and 1: the legacy default stream (handle 0). 2: the per-thread default stream. -1: no synchronization. Others:
/// the address of a cudaStream_t.
/// @throws InputError for 0, which the standard forbids as ambiguous, and for other negative numbers
StreamRequest parse_stream(std::optional<std::int64_t> stream);

/// The number that parse_stream takes for this handle, for the __dlpack__ of other libraries.
std::int64_t stream_number(std::uintptr_t handle);

namespace cuda {

/// Makes a device current, and the one before it again at the end. Nothing for an index below 0, which is the CPU.
class DeviceGuard {
 public:
  explicit DeviceGuard(int index);
  ~DeviceGuard();
  DeviceGuard(DeviceGuard const&) = delete;
  DeviceGuard& operator=(DeviceGuard const&) = delete;

 private:
  int before_ = -1;
};

/// "cuda" is the current device, "cuda:N" the device N.
/// @throws InputError where there is no such device
int device_index(std::string const& device);

/// Zeros on the current device, there for any stream.
std::shared_ptr<void> allocate(std::size_t bytes);

/// Work on `later` waits for what has been put on `earlier` by now.
void wait_for(std::uintptr_t later, std::uintptr_t earlier);

/// Copies to the host behind all work on the stream, and waits.
void copy_to_host(void* to, void const* from, std::size_t bytes, std::uintptr_t stream);

/// Fills with a byte behind the work on the stream.
void fill(void* to, int byte, std::size_t bytes, std::uintptr_t stream);

/// split_ended (ended.hpp) on the stream.
void split_ended(View<std::uint8_t, 2> terminated, View<std::uint8_t, 2> truncated, std::uintptr_t stream);

}  // namespace cuda
}  // namespace shoal::python
