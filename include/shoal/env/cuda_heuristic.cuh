// An environment's heuristic on CUDA: one thread a row. Body: heuristic_row of shoal/env/heuristic.hpp, tested on the
// CPU.
#pragma once

#include <algorithm>

#include "shoal/core/cuda_check.hpp"
#include "shoal/env/heuristic.hpp"

namespace shoal {

namespace cuda {

inline constexpr int heuristic_block = 128;

template <class Env>
__global__ void __launch_bounds__(heuristic_block)
    run_heuristic(typename Env::Params const __grid_constant__ params, HeuristicArgs const __grid_constant__ args,
                  std::int64_t begin, std::int64_t end) {
  auto const stride = std::int64_t(gridDim.x) * blockDim.x;
  for (auto i = begin + std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < end; i += stride)
    heuristic_row<Env>(params, args, i);
}

}  // namespace cuda

template <class Env>
class CudaHeuristic final : public Heuristic {
 public:
  explicit CudaHeuristic(typename Env::Params const& params) : params_(params) {
    // Kernels are loaded at their first use, which must not fall into the capture of a graph.
    cudaFuncAttributes attributes;
    SHOAL_CUDA_CHECK(cudaFuncGetAttributes(&attributes, cuda::run_heuristic<Env>));
  }

  void act(HeuristicArgs const& args, std::int64_t begin, std::int64_t end, void* stream) const override {
    constexpr int block = cuda::heuristic_block;
    constexpr std::int64_t most_blocks = 1 << 16;
    if (begin == end) return;
    auto const blocks = unsigned(std::min((end - begin + block - 1) / block, most_blocks));
    cuda::run_heuristic<Env><<<blocks, block, 0, static_cast<cudaStream_t>(stream)>>>(params_, args, begin, end);
    cuda::check(cudaGetLastError(), Env::name, __FILE__, __LINE__);
  }

 private:
  typename Env::Params params_;
};

template <class Env>
std::unique_ptr<Heuristic> make_cuda_heuristic([[maybe_unused]] typename Env::Params const& params) {
  if constexpr (HasHeuristic<Env>)
    return std::make_unique<CudaHeuristic<Env>>(params);
  else
    return nullptr;
}

}  // namespace shoal
