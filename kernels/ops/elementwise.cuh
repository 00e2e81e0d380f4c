// What the learners' kernels share: a launch of one thread an element over a grid, and a warp as a team.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "shoal/core/cuda_check.hpp"
#include "shoal/core/team.hpp"

namespace shoal::cuda {

inline constexpr int warp = 32, elementwise_block = 256;

/// The calling thread's warp as a team: every virtual lane of a sum is a thread.
inline __device__ TileTeam<warp> this_warp() {
  namespace cg = cooperative_groups;
  return {cg::tiled_partition<warp>(cg::this_thread_block())};
}

template <class Args, void (*Body)(Args const&, std::int64_t)>
__global__ void __launch_bounds__(elementwise_block, 4)  // at least half of a processor's threads
    elementwise_kernel(__grid_constant__ Args const args, std::int64_t n) {
  auto const stride = std::int64_t(gridDim.x) * blockDim.x;
  for (auto i = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += stride) Body(args, i);
}

/// Body(args, i) for i in [0, n), asynchronous on `stream`.
template <class Args, void (*Body)(Args const&, std::int64_t)>
void elementwise(Args const& args, std::int64_t n, void* stream) {
  constexpr int block = elementwise_block;
  constexpr std::int64_t most_blocks = 1 << 16;
  if (n == 0) return;
  auto const blocks = std::min((n + block - 1) / block, most_blocks);
  elementwise_kernel<Args, Body><<<unsigned(blocks), block, 0, static_cast<cudaStream_t>(stream)>>>(args, n);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::cuda
