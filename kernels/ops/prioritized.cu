// Prioritized replay: sums of blocks of 1,024 rows (a warp each, a lane a group), prefix sums over the blocks (one
// lane), then a lane a draw; new priorities and updates take a lane a row. Bodies: shoal/ops/prioritized.hpp, tested on
// the CPU; sums associate as there. 100,000 rows are 400 kB that stay in L2, their 98 blocks one wave; three launches
// are the cost. Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

__global__ void __launch_bounds__(warp) sum_kernel(__grid_constant__ DrawRowsArgs const args) {
  sum_block<1>(this_warp(), args, blockIdx.x);
}

__global__ void fold_kernel(__grid_constant__ DrawRowsArgs const args) { fold_blocks(args); }

}  // namespace

void draw_rows(DrawRowsArgs const& args, void* stream) {
  auto const s = static_cast<cudaStream_t>(stream);
  if (args.priorities) {
    sum_kernel<<<unsigned(args.blocks()), warp, 0, s>>>(args);
    SHOAL_CUDA_CHECK(cudaGetLastError());
    fold_kernel<<<1, 1, 0, s>>>(args);
    SHOAL_CUDA_CHECK(cudaGetLastError());
  }
  elementwise<DrawRowsArgs, draw_row>(args, args.draws, stream);
}

void new_priorities(NewPrioritiesArgs const& args, void* stream) {
  elementwise<NewPrioritiesArgs, new_priority>(args, args.count, stream);
}

void update_priorities(UpdatePrioritiesArgs const& args, void* stream) {
  elementwise<UpdatePrioritiesArgs, clear_priority>(args, args.count, stream);
  elementwise<UpdatePrioritiesArgs, raise_priority>(args, args.count, stream);
}

}  // namespace shoal::cuda
