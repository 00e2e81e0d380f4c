// Sums of teams on the device have the CPU's bits, whatever the team.
#include "on_device.hpp"
#include "shoal/core/team.hpp"

namespace shoal {

namespace {

__host__ __device__ float term(int i) { return 1.0f / float(3 * i + 1) - 0.01f * float(i % 7); }

template <int Lanes>
__global__ void tile_sums(float* sums, int n) {  // one for each tile of the block
  namespace cg = cooperative_groups;
  TileTeam<Lanes> const team{cg::tiled_partition<Lanes>(cg::this_thread_block())};
  float const sum = team.sum(n, [](int i) { return term(i); });
  sums[threadIdx.x] = sum;
}

__global__ void block_sum(float* sums, int n) {
  float const sum = BlockTeam{}.sum(n, [](int i) { return term(i); });
  sums[threadIdx.x] = sum;
}

// each() has finished on every lane when it returns: lane 0 adds what the others wrote.
template <class Team>
__device__ void write_then_add(Team team, int* cells, int* total, int n) {
  team.each(n, [&](int i) { cells[i] = i; });
  team.once([&] {
    for (int i = 0; i < n; ++i) *total += cells[i];
  });
  team.each(n, [&](int i) { cells[i] = *total; });
}

__global__ void barriers(int* cells, int* total, int n) { write_then_add(BlockTeam{}, cells, total, n); }

constexpr int threads = 96;

std::vector<float> run(void (*kernel)(float*, int), int n) {
  cuda::DeviceBuffer<float> sums(threads);
  kernel<<<1, threads, 0, cudaStreamLegacy>>>(sums.data(), n);
  SHOAL_CUDA_CHECK(cudaGetLastError());
  return to_host(view(sums.data(), threads));
}

}  // namespace

class Team : public CudaTest {};

TEST_F(Team, SumsHaveOneValueEverywhere) {
  for (int n : {0, 1, 31, 32, 33, 500}) {
    SCOPED_TRACE(testing::Message() << "n = " << n);
    std::vector<float> const expected(threads, SerialTeam{}.sum(n, [](int i) { return term(i); }));
    EXPECT_EQ(run(tile_sums<1>, n), expected) << "tiles of 1 lane";
    EXPECT_EQ(run(tile_sums<8>, n), expected) << "tiles of 8 lanes";
    EXPECT_EQ(run(tile_sums<32>, n), expected) << "tiles of 32 lanes";
    EXPECT_EQ(run(block_sum, n), expected) << "a block";
  }
}

TEST_F(Team, EachAndOnceAreBarriers) {
  constexpr int n = 1000;
  cuda::DeviceBuffer<int> cells(n), total(1);
  barriers<<<1, threads, 0, cudaStreamLegacy>>>(cells.data(), total.data(), n);
  SHOAL_CUDA_CHECK(cudaGetLastError());
  EXPECT_EQ(to_host(view(cells.data(), n)), std::vector<int>(n, n * (n - 1) / 2));
}

}  // namespace shoal
