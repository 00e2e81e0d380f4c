#include "program/runs/device_memory.hpp"

#include <fmt/format.h>

#include <cstring>

#include "shoal/core/error.hpp"

#ifdef SHOAL_HAS_CUDA
#include <cuda_runtime_api.h>
#endif

namespace shoal {

#ifdef SHOAL_HAS_CUDA
namespace {

void check(cudaError_t status, char const* call) {
  if (status != cudaSuccess) throw Error(fmt::format("{}: {}", call, cudaGetErrorString(status)));
}

std::shared_ptr<void> allocate_managed(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocManaged(&memory, bytes, cudaMemAttachGlobal), "cudaMallocManaged");
  std::shared_ptr<void> owner(memory, [](void* p) { cudaFree(p); });
  std::memset(memory, 0, bytes);
  return owner;
}

}  // namespace
#endif

std::shared_ptr<void> allocate_shared(Device device, std::size_t bytes) {
  if (bytes == 0) return {};
  if (device == Device::cpu) return std::make_unique<std::byte[]>(bytes);
#ifdef SHOAL_HAS_CUDA
  return allocate_managed(bytes);
#else
  throw InputError("--device = \"cuda\": this build has no CUDA; expected \"cpu\"");
#endif
}

void copy_to_host(Device device, void* to, void const* from, std::size_t bytes) {
#ifdef SHOAL_HAS_CUDA
  if (device == Device::cuda) return check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy");
#endif
  (void)device;  // memory of another device than the host's cannot exist here
  std::memcpy(to, from, bytes);
}

std::string device_name([[maybe_unused]] Device device) {
#ifdef SHOAL_HAS_CUDA
  if (device == Device::cuda) {
    int current = 0;
    check(cudaGetDevice(&current), "cudaGetDevice");
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, current), "cudaGetDeviceProperties");
    return properties.name;
  }
#endif
  return "cpu";
}

}  // namespace shoal
