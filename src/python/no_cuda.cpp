// The module's part of CUDA in a build without it: only device_index() is ever reached.
#ifndef SHOAL_HAS_CUDA

#include "shoal/core/error.hpp"
#include "src/python/stream.hpp"

namespace shoal::python::cuda {

DeviceGuard::DeviceGuard(int) {}
DeviceGuard::~DeviceGuard() = default;

int device_index(std::string const& device) {
  throw InputError("device = \"" + device + "\": this build has no CUDA; expected \"cpu\"");
}

std::shared_ptr<void> allocate(std::size_t) { throw Error("this build has no CUDA"); }
void wait_for(std::uintptr_t, std::uintptr_t) {}
void copy_to_host(void*, void const*, std::size_t, std::uintptr_t) {}
void fill(void*, int, std::size_t, std::uintptr_t) {}
void split_ended(View<std::uint8_t, 2>, View<std::uint8_t, 2>, std::uintptr_t) {}

}  // namespace shoal::python::cuda

#endif
