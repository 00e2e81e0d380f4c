// Action sampling, one lane a row (agent of an instance). Body: shoal/learn/sample.hpp, tested on the CPU. Reads the
// distribution's parameters and writes actions, log-probability and entropy: 32 B a row of the market; rows are short,
// so neighbouring lanes share cache lines. Not yet measured.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

void sample(SampleArgs const& args, void* stream) { elementwise<SampleArgs, sample_row>(args, args.rows, stream); }

}  // namespace shoal::cuda
