// What the Python module does on CUDA itself: memory, the order of streams, and the split of `ended`.
#include "shoal/core/cuda_check.hpp"
#include "src/python/ended.hpp"
#include "src/python/stream.hpp"

namespace shoal::python::cuda {

namespace {

cudaStream_t stream_of(std::uintptr_t handle) { return reinterpret_cast<cudaStream_t>(handle); }

__global__ void split(View<std::uint8_t, 2> terminated, View<std::uint8_t, 2> truncated) {
  auto const k = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k >= terminated.size()) return;
  auto const i = k / terminated.extents[1], j = k % terminated.extents[1];
  split_ended_row(&terminated(i, j), 1, &truncated(i, j), 1, 1);
}

}  // namespace

DeviceGuard::DeviceGuard(int index) {
  if (index < 0) return;
  int current = 0;
  SHOAL_CUDA_CHECK(cudaGetDevice(&current));
  if (current == index) return;
  SHOAL_CUDA_CHECK(cudaSetDevice(index));
  before_ = current;
}

DeviceGuard::~DeviceGuard() {
  if (before_ >= 0) static_cast<void>(cudaSetDevice(before_));
}

int device_index(std::string const& device) {
  if (auto const why = shoal::cuda::no_device(); !why.empty())
    throw InputError("device = \"" + device + "\": no CUDA device found (" + why + "); expected \"cpu\"");
  int count = 0, index = 0;
  SHOAL_CUDA_CHECK(cudaGetDeviceCount(&count));
  if (device == "cuda") {
    SHOAL_CUDA_CHECK(cudaGetDevice(&index));
    return index;
  }
  index = std::stoi(device.substr(sizeof "cuda:" - 1));
  if (index >= count)
    throw InputError("device = \"" + device + "\": expected one of the " + std::to_string(count) +
                     " CUDA devices, \"cuda:0\" and on");
  return index;
}

std::shared_ptr<void> allocate(std::size_t bytes) {
  int device = 0;
  void* data = nullptr;
  SHOAL_CUDA_CHECK(cudaGetDevice(&device));
  SHOAL_CUDA_CHECK(cudaMalloc(&data, bytes > 0 ? bytes : 1));
  std::shared_ptr<void> memory(data, [device](void* p) {
    // cudaFree waits for kernels of the current device that may still use it.
    try {
      DeviceGuard const guard(device);
      static_cast<void>(cudaFree(p));
    } catch (Error const&) {  // CUDA is gone at the end of the process
    }
  });
  SHOAL_CUDA_CHECK(cudaMemset(data, 0, bytes));
  SHOAL_CUDA_CHECK(cudaDeviceSynchronize());
  return memory;
}

void wait_for(std::uintptr_t later, std::uintptr_t earlier) {
  if (later == earlier) return;
  cudaEvent_t event = nullptr;
  SHOAL_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  std::shared_ptr<void> const owner(event, [](void* e) { static_cast<void>(cudaEventDestroy(cudaEvent_t(e))); });
  SHOAL_CUDA_CHECK(cudaEventRecord(event, stream_of(earlier)));
  SHOAL_CUDA_CHECK(cudaStreamWaitEvent(stream_of(later), event, 0));
}

void copy_to_host(void* to, void const* from, std::size_t bytes, std::uintptr_t stream) {
  SHOAL_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_of(stream)));
  SHOAL_CUDA_CHECK(cudaStreamSynchronize(stream_of(stream)));
}

void fill(void* to, int byte, std::size_t bytes, std::uintptr_t stream) {
  SHOAL_CUDA_CHECK(cudaMemsetAsync(to, byte, bytes, stream_of(stream)));
}

void split_ended(View<std::uint8_t, 2> terminated, View<std::uint8_t, 2> truncated, std::uintptr_t stream) {
  constexpr int threads = 256;
  auto const blocks = unsigned((terminated.size() + threads - 1) / threads);
  split<<<blocks, threads, 0, stream_of(stream)>>>(terminated, truncated);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::python::cuda
