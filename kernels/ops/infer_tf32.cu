// Inference of small networks on tensor cores, in f32's accuracy. Body: shoal/learn/infer_tf32.hpp, tested on the CPU
// but for the one instruction below. A block keeps actor and critic in shared memory, split into two TF32 numbers a
// weight (105 KiB for 21-64-64-3), and stays on its processor; each warp takes 16 rows through all layers without a
// block-wide barrier.
//
// The market's network takes 39 tensor instructions of a warp a row (its padded layers are 13 products of 16 x 8 x 8,
// three each) where f32 takes 360 FMA. What bounds it on an H200 is the 256 tanh beside them, about 200 of 340
// instructions in all: 85 cycles a row and processor, 2.6 G rows/s. The tensor instructions alone, 80 kflop at 494
// Tflop/s, would allow 6 G rows/s. Nothing of this is measured yet.
//
//   variant                                                       kept in
//   f32 FMA, patches of 4 x 4 sums, any width that fits           infer.cu: the reference, and for wider networks
//   TF32 split three ways, up to 64 or up to 128 wide             here
//
// tests/kernels/infer_test.cpp: both against LibTorch. bench/kernels/infer_bench.cpp: beside LibTorch.
#include <cuda_runtime.h>

#include <algorithm>

#include "shoal/core/cuda_check.hpp"
#include "shoal/ops/infer_tf32.hpp"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

/// What the body wants of a warp; the calling thread holds its own lane's values.
struct TensorWarp {
  static constexpr int held = 1;

  template <class F>
  __device__ void each_lane(F f) const {
    f(int(threadIdx.x) % tf32::lanes, 0);
  }
  __device__ void sync() const { __syncwarp(); }

  __device__ void multiply(float (&sums)[1][4], float const (&a)[1][4], float const (&b)[1][2]) const {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
    auto const bits = [](float x) { return __float_as_uint(x); };
    float(&s)[4] = sums[0];
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(s[0]), "+f"(s[1]), "+f"(s[2]), "+f"(s[3])
        : "r"(bits(a[0][0])), "r"(bits(a[0][1])), "r"(bits(a[0][2])), "r"(bits(a[0][3])), "r"(bits(b[0][0])),
          "r"(bits(b[0][1])));
#else
    __trap();  // can_infer_tf32() keeps older devices away
#endif
  }
};

constexpr int narrow = 8, wide = tf32::widest / tf32::columns;

/// Threads of a block, one block a processor: as many as its registers hold.
template <int tiles>
constexpr int threads = tiles == narrow ? 384 : 256;

template <int tiles>
__global__ void __launch_bounds__(threads<tiles>, 1) infer_tf32_kernel(__grid_constant__ InferArgs const args) {
  extern __shared__ tf32::Weights weights[];
  tf32::load(BlockTeam{}, args, weights);
  constexpr int warps = threads<tiles> / tf32::lanes;
  int const warp = int(threadIdx.x) / tf32::lanes;
  auto const count = (args.rows + tf32::rows - 1) / tf32::rows;
  for (auto tile = std::int64_t(warp) * gridDim.x + blockIdx.x; tile < count; tile += std::int64_t(warps) * gridDim.x)
    tf32::infer<tiles>(TensorWarp{}, args, weights, tile * tf32::rows);
}

struct Limits {
  int shared_bytes, processors;  // 0 bytes: no such tensor cores
};

/// Of the device that is current in the first call; the kernels may use all of its shared memory from here on.
Limits const& limits() {
  static Limits const found = [] {
    int device = 0, major = 0;
    Limits l{};
    SHOAL_CUDA_CHECK(cudaGetDevice(&device));
    SHOAL_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    SHOAL_CUDA_CHECK(cudaDeviceGetAttribute(&l.processors, cudaDevAttrMultiProcessorCount, device));
    if (major < 8) return l;
    SHOAL_CUDA_CHECK(cudaDeviceGetAttribute(&l.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    for (auto* kernel : {infer_tf32_kernel<narrow>, infer_tf32_kernel<wide>})
      SHOAL_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, l.shared_bytes));
    return l;
  }();
  return found;
}

std::size_t memory_bytes(InferArgs const& args) { return std::size_t(tf32::memory(args)) * sizeof(tf32::Weights); }

}  // namespace

bool can_infer_tf32(InferArgs const& args) {
  return tf32::most_tiles(args) <= wide && memory_bytes(args) <= std::size_t(limits().shared_bytes);
}

void infer_tf32(InferArgs const& args, void* stream) {
  if (args.rows == 0) return;
  bool const fits_narrow = tf32::most_tiles(args) <= narrow;
  auto* const kernel = fits_narrow ? infer_tf32_kernel<narrow> : infer_tf32_kernel<wide>;
  int const block = fits_narrow ? threads<narrow> : threads<wide>;
  auto const tiles = (args.rows + tf32::rows - 1) / tf32::rows;
  auto const blocks = std::min<std::int64_t>(tiles, limits().processors);
  kernel<<<unsigned(blocks), block, memory_bytes(args), static_cast<cudaStream_t>(stream)>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::cuda
