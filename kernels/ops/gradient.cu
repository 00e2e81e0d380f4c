// The gradients of a minibatch: a block keeps all weights in shared memory (46 kB for 21-64-64) and the values of one
// perceptron for 64 rows (40 kB), so that two blocks are on a processor; then one launch folds the parts. Body:
// shoal/ops/gradient.hpp, tested on the CPU. f32 without tensor cores. Predicted for an H200 in docs/performance.md; not
// yet measured.
#include <cuda_runtime.h>

#include "shoal/core/cuda_check.hpp"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

constexpr int block = 256;

__global__ void __launch_bounds__(block, 2) gradient_kernel(__grid_constant__ GradientArgs const args) {
  extern __shared__ float4 memory[];
  gradient_part(BlockTeam{}, args, reinterpret_cast<float*>(memory), int(blockIdx.x));
}

__global__ void __launch_bounds__(block) fold_gradients_kernel(__grid_constant__ GradientArgs const args) {
  __shared__ double sums[fold_groups * fold_width];
  fold_gradients(BlockTeam{}, args, sums, blockIdx.x);
}

/// Of a block of the current device, all of which the kernel may use from here on.
int shared_bytes() {
  static int const found = [] {
    int device = 0, bytes = 0;
    SHOAL_CUDA_CHECK(cudaGetDevice(&device));
    SHOAL_CUDA_CHECK(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    SHOAL_CUDA_CHECK(cudaFuncSetAttribute(gradient_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
    return bytes;
  }();
  return found;
}

}  // namespace

bool can_differentiate(GradientArgs const& args) { return args.memory() * int(sizeof(float)) <= shared_bytes(); }

void differentiate(GradientArgs const& args, void* stream) {
  auto const s = static_cast<cudaStream_t>(stream);
  if (auto const parts = args.parts_of_batch(); parts > 0) {
    gradient_kernel<<<unsigned(parts), block, std::size_t(args.memory()) * sizeof(float), s>>>(args);
    SHOAL_CUDA_CHECK(cudaGetLastError());
  }
  auto const blocks = (args.part_size() + fold_width - 1) / fold_width;
  fold_gradients_kernel<<<unsigned(blocks), block, 0, s>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::cuda
