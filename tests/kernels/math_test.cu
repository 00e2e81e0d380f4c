// shoal's own functions and random numbers have the same bits on the CPU and on CUDA.
#include "on_device.hpp"
#include "shoal/core/random.hpp"

namespace shoal {

namespace {

constexpr int functions = 8;

// Function f at the i-th point: arguments over the whole range that each is made for.
__host__ __device__ float value(int f, int i) {
  auto const words = Random{5, std::uint32_t(f), 0, 0}.draw(Purpose::test, std::uint32_t(i));
  float const u = words.unit(0);
  switch (f) {
    case 0: return shoal::exp(-90.0f + 180.0f * u);
    case 1:
      return shoal::log(
          detail::bit_cast<float>(0x00800000u + words.w[0] % 0x7f000000u));  // every normal positive float
    case 2: return cos_turn(u);
    case 3: return shoal::tanh(-10.0f + 20.0f * u);
    case 4: return words.normal(0);
    case 5: return words.normal(1);
    case 6: return sqrtf(u) / (u + 0.3f) - u * u;  // correctly rounded, never contracted
    default: return float(words.bits64(1) >> 40);
  }
}

__global__ void evaluate(float* values, int points) {
  int const i = int(blockIdx.x * blockDim.x + threadIdx.x);
  for (int f = 0; f < functions && i < points; ++f) values[f * points + i] = value(f, i);
}

}  // namespace

class Math : public CudaTest {};

TEST_F(Math, HasTheBitsOfTheCpu) {
  constexpr int points = 1 << 16;
  cuda::DeviceBuffer<float> values(functions * points);
  evaluate<<<points / 256, 256, 0, cudaStreamLegacy>>>(values.data(), points);
  SHOAL_CUDA_CHECK(cudaGetLastError());
  std::vector<float> expected;
  for (int f = 0; f < functions; ++f)
    for (int i = 0; i < points; ++i) expected.push_back(value(f, i));
  EXPECT_EQ(difference("function as instance, point as agent", expected,
                       to_host(view(values.data(), functions * points)), functions, points),
            "");
}

}  // namespace shoal
