// The same trajectory on CPU and CUDA, bit for bit: every output of every step.
#include "cases.hpp"

namespace shoal {

class Parity : public CudaTest, public testing::WithParamInterface<Case> {};

TEST_P(Parity, CudaPlaysAsTheCpuDoes) {
  for (int instances : {1, 33, 1000})
    for (std::uint32_t seed : {1u, 0x9e3779b9u}) {
      SCOPED_TRACE(testing::Message() << instances << " instances, seed " << seed);
      DevicePlayer cpu(simulator(GetParam(), instances, seed, Device::cpu));
      DevicePlayer cuda(simulator(GetParam(), instances, seed, Device::cuda));
      expect_same_play(cpu, cuda, GetParam().play, 12);
      if (HasFatalFailure()) return;  // one report, not one for each size
    }
}

INSTANTIATE_TEST_SUITE_P(EveryGame, Parity, testing::ValuesIn(cases()),
                         [](auto const& info) { return info.param.name; });

}  // namespace shoal
