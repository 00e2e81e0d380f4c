#include "c/device.hpp"

#include <cstring>
#include <new>

#ifdef SHOAL_HAS_CUDA
#include "shoal/core/cuda_check.hpp"
#endif

namespace shoal::c {

namespace {

constexpr std::align_val_t alignment{256};

std::shared_ptr<void> allocate_on_host(std::size_t bytes) {
  std::shared_ptr<void> memory(::operator new(bytes, alignment), [](void* p) { ::operator delete(p, alignment); });
  std::memset(memory.get(), 0, bytes);
  return memory;
}

}  // namespace

#ifdef SHOAL_HAS_CUDA

int current_cuda_device() {
  int device = 0;
  SHOAL_CUDA_CHECK(cudaGetDevice(&device));
  return device;
}

std::shared_ptr<void> allocate(Device device, std::size_t bytes) {
  if (device == Device::cpu) return allocate_on_host(bytes);
  auto const buffer = std::make_shared<cuda::DeviceBuffer<std::byte>>(bytes);
  SHOAL_CUDA_CHECK(cudaStreamSynchronize(nullptr));  // the zeros are there for any stream
  return {buffer, buffer->data()};
}

void check_cuda_memory(void const* data, int cuda_device) {
  cudaPointerAttributes attributes{};
  SHOAL_CUDA_CHECK(cudaPointerGetAttributes(&attributes, data));
  bool const is_of_a_device = attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
  if (!is_of_a_device) throw InputError("data is host memory; expected memory of the simulator's CUDA device");
  if (attributes.device != cuda_device)
    throw InputError("data is memory of CUDA device " + std::to_string(attributes.device) + "; expected device " +
                     std::to_string(cuda_device));
}

void OnDevice::make_current(int cuda_device) {
  int const current = current_cuda_device();
  if (current == cuda_device) return;
  SHOAL_CUDA_CHECK(cudaSetDevice(cuda_device));
  previous_ = current;
}

OnDevice::~OnDevice() {
  if (previous_ != no_cuda_device) static_cast<void>(cudaSetDevice(previous_));
}

#else

int current_cuda_device() { throw Error("this build has no CUDA"); }
std::shared_ptr<void> allocate(Device, std::size_t bytes) { return allocate_on_host(bytes); }
void check_cuda_memory(void const*, int) {}
void OnDevice::make_current(int) {}
OnDevice::~OnDevice() = default;

#endif

}  // namespace shoal::c
