// Minibatch gather, one warp a row. Body: shoal/learn/gather.hpp, tested on the CPU. A row of the market is 132 B over
// seven arrays, read at random rows and written in order: sectors half used on the way in are the cost, not arithmetic.
// Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

constexpr int block = 256;

__global__ void __launch_bounds__(block) gather_kernel(__grid_constant__ GatherArgs const args) {
  auto const team = this_warp();
  auto const stride = std::int64_t(gridDim.x) * (blockDim.x / warp);
  for (auto row = (std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / warp; row < args.rows; row += stride)
    gather_row(team, args, row);
}

}  // namespace

void gather(GatherArgs const& args, void* stream) {
  constexpr std::int64_t rows_per_block = block / warp, most_blocks = 1 << 16;
  if (args.rows == 0) return;
  auto const blocks = std::min((args.rows + rows_per_block - 1) / rows_per_block, most_blocks);
  gather_kernel<<<unsigned(blocks), block, 0, static_cast<cudaStream_t>(stream)>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::cuda
