// PPO's loss and its gradient with respect to the network's outputs, one lane a row. Body: shoal/learn/ppo_loss.hpp,
// tested on the CPU. A row of the market reads 60 B at a random place and 16 B in order, and writes 44 B; eager
// operators would pass over the same rows about forty times. Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

constexpr int block = 128;

__global__ void __launch_bounds__(block) ppo_loss_kernel(__grid_constant__ PpoLossArgs const args) {
  __shared__ NormalHead normals[max_continuous_heads];
  for (int h = int(threadIdx.x); h < args.layout.continuous; h += block) normals[h] = normal_head(args, h);
  __syncthreads();
  auto const stride = std::int64_t(gridDim.x) * block;
  for (auto row = std::int64_t(blockIdx.x) * block + threadIdx.x; row < args.rows; row += stride)
    ppo_loss_rows<1>(args, normals, row, 1);
}

}  // namespace

void ppo_loss(PpoLossArgs const& args, void* stream) {
  constexpr std::int64_t most_blocks = 1 << 16;
  if (args.rows == 0) return;
  auto const blocks = std::min((args.rows + block - 1) / block, most_blocks);
  ppo_loss_kernel<<<unsigned(blocks), block, 0, static_cast<cudaStream_t>(stream)>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::cuda
