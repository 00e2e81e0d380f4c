// Standardisation of advantages: sums of chunks (a warp each), sum of the chunks (one warp), then every element.
// Bodies: shoal/learn/standardize.hpp, tested on the CPU; sums associate as there, so the result has the same bits.
// Reads each value through its index three times, 36 B an element. Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

__global__ void __launch_bounds__(warp) chunk_kernel(__grid_constant__ StandardizeArgs const args) {
  chunk_moments(this_warp(), args, blockIdx.x);
}

__global__ void __launch_bounds__(warp) fold_kernel(__grid_constant__ StandardizeArgs const args) {
  fold_moments(this_warp(), args);
}

}  // namespace

void standardize(StandardizeArgs const& args, void* stream) {
  auto const s = static_cast<cudaStream_t>(stream);
  chunk_kernel<<<unsigned(args.chunks()), warp, 0, s>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
  fold_kernel<<<1, warp, 0, s>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
  elementwise<StandardizeArgs, standardize_element>(args, args.count, stream);
}

}  // namespace shoal::cuda
