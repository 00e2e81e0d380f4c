// n-step returns, one lane a row (agent step). Body: shoal/ops/nstep.hpp, tested on the CPU. Reads n rewards and ends
// of a column, 5 B each and shared with the rows before it through L2, and writes 16 B. Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

void nstep(NStepArgs const& args, void* stream) {
  elementwise<NStepArgs, nstep_row>(args, args.steps * args.columns, stream);
}

}  // namespace shoal::cuda
