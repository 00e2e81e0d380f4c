// The C interface on CUDA: the CPU's bits, on a stream of the caller's; what belongs to another device is refused.
#include <cuda_runtime.h>
#include <dlpack/dlpack.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "c/c_simulator.hpp"

namespace shoal {

namespace {

using test::CSimulator;
using test::expect_error;

constexpr int instances = 33;

class CCuda : public testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) GTEST_SKIP() << "no CUDA device";
    shoal_options options;
    ASSERT_EQ(shoal_options_init(&options, sizeof options), SHOAL_OK);
    options.instances = instances;
    options.seed = 7;
    options.device = SHOAL_CUDA;
    ASSERT_EQ(shoal_create(&handle, "market", nullptr, &options), SHOAL_OK) << shoal_last_error();
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  }
  void TearDown() override {
    if (!handle) return;
    EXPECT_EQ(shoal_close(handle), SHOAL_OK) << shoal_last_error();
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  }
  shoal_array array(int which) const {
    shoal_array a{};
    EXPECT_EQ(shoal_get_array(handle, which, 0, &a, sizeof a), SHOAL_OK) << shoal_last_error();
    return a;
  }

  shoal_simulator* handle = nullptr;
  cudaStream_t stream = nullptr;
};

std::size_t size_of(shoal_array const& a) {
  return std::size_t(a.shape[0] * a.shape[1] * (a.rank == 3 ? a.shape[2] : 1));
}

TEST_F(CCuda, HasTheCpusBitsOnAStreamOfTheCallers) {
  CSimulator const cpu("market", nullptr, instances);
  ASSERT_EQ(shoal_set_stream(handle, stream), SHOAL_OK) << shoal_last_error();
  auto const actions = array(SHOAL_CONTINUOUS_ACTIONS), observations = array(SHOAL_OBSERVATIONS);
  ASSERT_EQ(observations.device, SHOAL_CUDA);
  ASSERT_EQ(shoal_reset(handle), SHOAL_OK) << shoal_last_error();
  ASSERT_EQ(shoal_reset(cpu.handle), SHOAL_OK);
  for (int t = 0; t < 20; ++t) {
    cpu.step(t);
    ASSERT_EQ(cudaMemcpyAsync(actions.data, cpu.array(SHOAL_CONTINUOUS_ACTIONS).data, size_of(actions) * sizeof(float),
                              cudaMemcpyHostToDevice, stream),
              cudaSuccess);
    ASSERT_EQ(shoal_step(handle), SHOAL_OK) << shoal_last_error();
  }
  std::vector<float> seen(size_of(observations));
  ASSERT_EQ(
      cudaMemcpyAsync(seen.data(), observations.data, seen.size() * sizeof(float), cudaMemcpyDeviceToHost, stream),
      cudaSuccess);
  ASSERT_EQ(shoal_synchronize(handle), SHOAL_OK);
  auto const* const expected = cpu.data<float>(SHOAL_OBSERVATIONS);
  EXPECT_EQ(seen, std::vector<float>(expected, expected + seen.size()));
}

TEST_F(CCuda, RefusesMemoryOfTheHost) {
  auto own = array(SHOAL_REWARDS);
  std::vector<float> host(size_of(own));
  auto in = own;
  in.data = host.data();
  expect_error(shoal_attach(handle, SHOAL_REWARDS, 0, &in, sizeof in), SHOAL_INVALID, "rewards: data is host memory");
  in.device = SHOAL_CPU;
  expect_error(shoal_attach(handle, SHOAL_REWARDS, 0, &in, sizeof in), SHOAL_INVALID, "device cpu: expected cuda");
  EXPECT_EQ(array(SHOAL_REWARDS).data, own.data);
  EXPECT_EQ(shoal_reset(handle), SHOAL_OK) << "no CUDA error is left behind: " << shoal_last_error();
}

TEST_F(CCuda, TensorsOutliveTheSimulator) {
  DLManagedTensor *observations = nullptr, *supertypes = nullptr;
  ASSERT_EQ(shoal_reset(handle), SHOAL_OK);
  ASSERT_EQ(shoal_to_dlpack(handle, SHOAL_OBSERVATIONS, 0, &observations), SHOAL_OK) << shoal_last_error();
  ASSERT_EQ(shoal_to_dlpack(handle, SHOAL_SUPERTYPES, 0, &supertypes), SHOAL_OK) << shoal_last_error();
  EXPECT_EQ(observations->dl_tensor.device.device_type, kDLCUDA);
  ASSERT_EQ(shoal_close(handle), SHOAL_OK);
  handle = nullptr;
  for (auto* const tensor : {observations, supertypes}) {
    float value = 0;
    EXPECT_EQ(cudaMemcpy(&value, tensor->dl_tensor.data, sizeof value, cudaMemcpyDeviceToHost), cudaSuccess);
    tensor->deleter(tensor);
  }
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
}

}  // namespace

}  // namespace shoal
