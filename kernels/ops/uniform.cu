// Uniform random actions, one thread a draw of four values. Body: shoal/learn/uniform.hpp, tested on the CPU.
#include "kernels/ops/elementwise.cuh"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

void uniform(UniformArgs const& args, void* stream) {
  elementwise<UniformArgs, uniform_element>(args, args.draws(), stream);
}

}  // namespace shoal::cuda
