// GAE, one lane a column (agent of an instance), t from T - 1 down to 0. Body: shoal/learn/gae.hpp, tested on the CPU.
// Moves 17 B an agent step (9 in, 8 out) for 6 flops: copy bandwidth is the ceiling; lanes are coalesced over columns.
// Another variant would keep several rows in flight a lane. Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

void gae(GaeArgs const& args, void* stream) { elementwise<GaeArgs, gae_column>(args, args.columns, stream); }

}  // namespace shoal::cuda
