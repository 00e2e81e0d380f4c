// Inference of small networks: a block keeps all weights of actor and critic in shared memory (46 kB for 21-64-64) and
// takes tiles of 64 rows in turn. Body: shoal/learn/infer.hpp, tested on the CPU. 256 threads have a patch of 4 x 4
// sums each; a step of a patch reads 32 B of shared memory for 16 FMA. f32 without tensor cores: 22 kflop a row, so 67
// Tflop/s bound it at 3 G rows/s; with tanh and the loads, instructions do at 1.2 G. Not yet measured. Here too: the
// choice between this kernel and the one for tensor cores, infer_tf32.cu.
#include <cuda_runtime.h>

#include <algorithm>

#include "shoal/core/cuda_check.hpp"
#include "shoal/ops/launch.hpp"

namespace shoal::cuda {

namespace {

constexpr int block = 256;

__global__ void __launch_bounds__(block) infer_kernel(__grid_constant__ InferArgs const args) {
  extern __shared__ float4 memory[];
  auto* const floats = reinterpret_cast<float*>(memory);
  BlockTeam const team{};
  infer_begin(team, args, floats);
  auto const tiles = (args.rows + InferArgs::rows_of_tile - 1) / InferArgs::rows_of_tile;
  for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) infer_tile(team, args, floats, tile);
}

struct Limits {
  int shared_bytes, processors;
};

/// Of the current device; the kernel may use all of its shared memory from here on.
Limits const& limits() {
  static Limits const found = [] {
    int device = 0;
    Limits l{};
    SHOAL_CUDA_CHECK(cudaGetDevice(&device));
    SHOAL_CUDA_CHECK(cudaDeviceGetAttribute(&l.shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    SHOAL_CUDA_CHECK(cudaDeviceGetAttribute(&l.processors, cudaDevAttrMultiProcessorCount, device));
    SHOAL_CUDA_CHECK(cudaFuncSetAttribute(infer_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, l.shared_bytes));
    return l;
  }();
  return found;
}

}  // namespace

bool can_infer_f32(InferArgs const& args) { return args.memory() * int(sizeof(float)) <= limits().shared_bytes; }

bool can_infer(InferArgs const& args) { return can_infer_tf32(args) || can_infer_f32(args); }

void infer(InferArgs const& args, void* stream) {
  can_infer_tf32(args) ? infer_tf32(args, stream) : infer_f32(args, stream);
}

void infer_f32(InferArgs const& args, void* stream) {
  if (args.rows == 0) return;
  auto const tiles = (args.rows + InferArgs::rows_of_tile - 1) / InferArgs::rows_of_tile;
  auto const blocks = std::min<std::int64_t>(tiles, 2 * limits().processors);
  auto const bytes = std::size_t(args.memory()) * sizeof(float);
  infer_kernel<<<unsigned(blocks), block, bytes, static_cast<cudaStream_t>(stream)>>>(args);
  SHOAL_CUDA_CHECK(cudaGetLastError());
}

}  // namespace shoal::cuda
