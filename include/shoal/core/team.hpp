// A team is the set of lanes that work together on one environment instance. All parallelism is fork-join: work inside
// each() may run on any lane in any order; everything outside runs on every lane and must compute the same on each.
//
//   each(n, f)                f(i) for i in [0, n), split over the lanes; all have finished when it returns
//   each(rows, columns, f)    f(row, column) for all pairs, likewise: no division on the CPU, neighbouring columns on
//                             neighbouring lanes on CUDA
//   once(f)                   f() on one lane; finished on return
//   sum(n, f)                 sum of f(i), the same value on every lane and for every team size
//
// The teams: SerialTeam (the CPU), ScrambledTeam (tests), ThreadTeam (tests, thread_team.hpp), TileTeam and BlockTeam
// (CUDA).
#pragma once

#include <type_traits>

#include "shoal/core/host_device.hpp"

#ifdef __CUDACC__
#include <cooperative_groups.h>
#endif

// What each() promises of its work, in the compiler's words: loops vectorise without checks for overlapping memory.
#if defined(__CUDACC__)
#define SHOAL_ANY_ORDER
#elif defined(__clang__)
#define SHOAL_ANY_ORDER _Pragma("clang loop vectorize(assume_safety)")
#else
#define SHOAL_ANY_ORDER _Pragma("GCC ivdep")
#endif

namespace shoal {

/// Sums associate over this many virtual lanes whatever the team's size: index i belongs to virtual lane i % 32, lanes
/// are then added pairwise (l and l + 16, l + 8, ...). So one float sum has one value on every backend.
inline constexpr int virtual_lanes = 32;

namespace detail {
/// Adds lane l + w to lane l for w = count / 2, ..., 1; the total ends in lane[0].
template <class T>
SHOAL_FN void fold(T* lane, int count) {
  for (int w = count / 2; w > 0; w /= 2)
    for (int l = 0; l < w; ++l) lane[l] += lane[l + w];
}
}  // namespace detail

/// The CPU's team: one lane, plain loops that vectorise.
struct SerialTeam {
  template <class F>
  SHOAL_FN void each(int n, F f) const {
    SHOAL_ANY_ORDER
    for (int i = 0; i < n; ++i) f(i);
  }
  template <class F>
  SHOAL_FN void each(int rows, int columns, F f) const {
    for (int row = 0; row < rows; ++row) {
      SHOAL_ANY_ORDER
      for (int column = 0; column < columns; ++column) f(row, column);
    }
  }
  template <class F>
  SHOAL_FN void once(F f) const {
    f();
  }
  template <class F>
  SHOAL_FN auto sum(int n, F f) const {
    decltype(f(0)) lane[virtual_lanes] = {};
    for (int i = 0; i < n; ++i) lane[i % virtual_lanes] += f(i);
    detail::fold(lane, virtual_lanes);
    return lane[0];
  }
};

/// Whether a loop of few iterations leaves lanes idle: then an environment may put more of its work side by side.
template <class Team>
inline constexpr bool has_lanes = !std::is_same_v<Team, SerialTeam>;

/// Visits the indices as a team of `lanes` lanes might, last lane first. A trajectory that it changes has a race.
struct ScrambledTeam : SerialTeam {
  int lanes = 1;
  explicit ScrambledTeam(int count) : lanes(count) {}

  template <class F>
  void each(int n, F f) const {
    for (int l = lanes - 1; l >= 0; --l)
      for (int i = l; i < n; i += lanes) f(i);
  }
  template <class F>
  void each(int rows, int columns, F f) const {
    each(rows * columns, [&](int i) { f(i / columns, i % columns); });
  }
};

#ifdef __CUDACC__
/// A tile of Lanes threads of one warp; Lanes is a power of two up to 32.
template <int Lanes>
struct TileTeam {
  cooperative_groups::thread_block_tile<Lanes> tile;

  template <class F>
  __device__ void each(int n, F f) const {
    for (int i = int(tile.thread_rank()); i < n; i += Lanes) f(i);
    tile.sync();
  }
  template <class F>
  __device__ void each(int rows, int columns, F f) const {
    each(rows * columns, [&](int i) { f(i / columns, i % columns); });
  }
  template <class F>
  __device__ void once(F f) const {
    if (tile.thread_rank() == 0) f();
    tile.sync();
  }
  template <class F>
  __device__ auto sum(int n, F f) const {
    constexpr int per_thread = virtual_lanes / Lanes;
    decltype(f(0)) lane[per_thread] = {};
    // Unrolled, or `lane` would lie in local memory.
#pragma unroll
    for (int v = 0; v < per_thread; ++v)
      for (int i = int(tile.thread_rank()) + v * Lanes; i < n; i += virtual_lanes) lane[v] += f(i);
#pragma unroll
    for (int w = per_thread / 2; w > 0; w /= 2)
#pragma unroll
      for (int l = 0; l < w; ++l) lane[l] += lane[l + w];
    for (int w = Lanes / 2; w > 0; w /= 2) lane[0] += tile.shfl_down(lane[0], unsigned(w));
    auto const total = tile.shfl(lane[0], 0);
    tile.sync();  // a shuffle orders no memory: what f read may be written after this
    return total;
  }
};

/// All threads of a block, a multiple of 32. The block must not run another team at the same time.
struct BlockTeam {
  template <class F>
  __device__ void each(int n, F f) const {
    for (int i = int(threadIdx.x); i < n; i += int(blockDim.x)) f(i);
    __syncthreads();
  }
  template <class F>
  __device__ void each(int rows, int columns, F f) const {
    each(rows * columns, [&](int i) { f(i / columns, i % columns); });
  }
  template <class F>
  __device__ void once(F f) const {
    if (threadIdx.x == 0) f();
    __syncthreads();
  }
  /// Every warp computes the same sum over its 32 lanes, so the association is that of the other teams.
  template <class F>
  __device__ auto sum(int n, F f) const {
    namespace cg = cooperative_groups;
    auto const total = TileTeam<32>{cg::tiled_partition<32>(cg::this_thread_block())}.sum(n, f);
    __syncthreads();
    return total;
  }
};
#endif

}  // namespace shoal
