// Actor and critic of a small network on tensor cores, as accurate as in f32. A factor is split into two TF32 numbers,
// x = hi + lo, and a product is hi hi' + (hi lo' + lo hi'): what is left out is below 2^-20 of it, where TF32 alone is
// off by 2^-10. Inputs are padded to 8, outputs to 16. A warp takes 16 rows through all layers in its registers: sums
// come out of the instruction as its next factors go in.
//
// Written against a warp with one operation, so that all but the instruction itself runs on the CPU
// (tests/support/emulated_warp.hpp):
//   held             lanes whose values a Warp object sees: 1 on CUDA, where each thread has its own, 32 on the CPU
//   each_lane(f)     f(lane, its place below held)
//   sync()           all lanes are here, and see each other's memory
//   multiply(sums, a, b)    sums [16, 8] += a [16, 8] b [8, 8], both of TF32 numbers: PTX's mma.m16n8k8, with its layout of fragments
// References: infer.hpp, ActorCritic and f64 (tests/ops/infer_tf32_test.cpp).
#pragma once

#include <cstdint>

#include "shoal/core/math.hpp"
#include "shoal/ops/infer.hpp"

#ifdef __CUDA_ARCH__
#define SHOAL_UNROLL _Pragma("unroll")
#else
#define SHOAL_UNROLL
#endif

namespace shoal::tf32 {

inline constexpr int rows = 16, columns = 8, lanes = 32;  // of the instruction's tile
inline constexpr int widest = 16 * columns;               // that a warp's registers hold

/// The nearest number with 10 bits of a float's 23; halves go away from zero, as with PTX's cvt.rna.tf32.f32.
SHOAL_FN float rounded(float x) {
  return shoal::detail::bit_cast<float>((shoal::detail::bit_cast<std::uint32_t>(x) + 0x1000u) & 0xffffe000u);
}

/// A lane's part of an [inputs 8, outputs 8] tile of weights: two inputs of one output, split.
struct alignas(16) Weights {
  float hi[2], lo[2];
};

SHOAL_FN int input_tiles(int width) { return (width + columns - 1) / columns; }
SHOAL_FN int output_tiles(int width) { return (width + 2 * columns - 1) / (2 * columns) * 2; }
SHOAL_FN int weights_of_layer(int in, int out) { return input_tiles(in) * output_tiles(out) * lanes; }
SHOAL_FN int biases_of_layer(int out) {
  return output_tiles(out) * columns * int(sizeof(float)) / int(sizeof(Weights));
}

/// Fast memory for a perceptron, in Weights: each layer's weights tile by tile as the lanes read them, then its biases.
SHOAL_FN int memory(MlpLayout const& mlp) {
  int total = 0;
  for (int l = 0; l < mlp.layers; ++l)
    total += weights_of_layer(mlp.widths[l], mlp.widths[l + 1]) + biases_of_layer(mlp.widths[l + 1]);
  return total;
}
SHOAL_FN int memory(InferArgs const& args) { return memory(args.actor) + memory(args.critic); }

/// The most tiles that a layer has: what infer() must hold.
SHOAL_FN int most_tiles(InferArgs const& args) {
  int most = 0;
  for (auto const* mlp : {&args.actor, &args.critic})
    for (int l = 0; l <= mlp->layers; ++l) {
      int const tiles = l == 0 ? input_tiles(mlp->widths[l]) : output_tiles(mlp->widths[l]);
      most = tiles > most ? tiles : most;
    }
  return most;
}

namespace detail {

// The instruction's fragments: lane l has rows l / 4 and l / 4 + 8; of the sums columns 2 (l % 4) and the next. Its
// left factor wants columns l % 4 and l % 4 + 4 instead. A product does not mind in which order its inner index runs,
// so sums are handed on as they lie, and the weights' inputs are taken in the same order: 2 (l % 4) where the
// instruction says l % 4, the next where + 4.
SHOAL_FN int row_of(int lane, int i) { return lane / 4 + i / 2 * 8; }
SHOAL_FN int column_of(int lane, int i) { return lane % 4 * 2 + i % 2; }

/// A [16, 8] tile of sums or activations.
template <class Warp>
struct Tile {
  float v[Warp::held][4];
};

/// The same as left factor.
template <class Warp>
struct Factor {
  float hi[Warp::held][4], lo[Warp::held][4];
};

template <class Team>
SHOAL_FN void load_mlp(Team team, MlpLayout const& mlp, float const* parameters, Weights* to) {
  float const* from = parameters + mlp.begin;
  for (int l = 0; l < mlp.layers; ++l) {
    int const in = mlp.widths[l], out = mlp.widths[l + 1], outs = output_tiles(out);
    team.each(weights_of_layer(in, out), [&](int i) {
      int const lane = i % lanes, tile = i / lanes;
      int const o = tile % outs * columns + lane / 4, k = tile / outs * columns + column_of(lane, 0);
      for (int j = 0; j < 2; ++j) {
        float const w = o < out && k + j < in ? from[o * in + k + j] : 0.0f;
        to[i].hi[j] = rounded(w);
        to[i].lo[j] = rounded(w - to[i].hi[j]);
      }
    });
    to += weights_of_layer(in, out);
    auto* const biases = reinterpret_cast<float*>(to);
    team.each(outs * columns, [&](int o) { biases[o] = o < out ? from[out * in + o] : 0.0f; });
    to += biases_of_layer(out);
    from += (in + 1) * out;
  }
}

template <class Warp>
SHOAL_FN Factor<Warp> split(Warp warp, Tile<Warp> const& x) {
  Factor<Warp> factor;
  warp.each_lane([&](int, int at) {
    SHOAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      float const value = x.v[at][i % 2 * 2 + i / 2];  // the instruction counts its four by column, the sums' by row
      factor.hi[at][i] = rounded(value);
      factor.lo[at][i] = rounded(value - factor.hi[at][i]);
    }
  });
  return factor;
}

/// Two tiles of outputs: their large and their small products with one tile of inputs.
template <class Warp>
SHOAL_FN void multiply(Warp warp, Factor<Warp> const& x, Weights const* weights, Tile<Warp>* large, Tile<Warp>* small) {
  SHOAL_UNROLL
  for (int p = 0; p < 2; ++p) {
    float hi[Warp::held][2], lo[Warp::held][2];
    warp.each_lane([&](int lane, int at) {
      Weights const w = weights[p * lanes + lane];
      for (int j = 0; j < 2; ++j) hi[at][j] = w.hi[j], lo[at][j] = w.lo[j];
    });
    warp.multiply(small[p].v, x.hi, lo);
    warp.multiply(small[p].v, x.lo, hi);
    warp.multiply(large[p].v, x.hi, hi);
  }
}

/// x = (tanh of) x weights + bias, for `most` tiles at most: loops over tiles are unrolled, so that they stay in
/// registers.
template <int most, class Warp>
SHOAL_FN void layer(Warp warp, Weights const* weights, int in, int out, bool last, Tile<Warp> (&x)[most]) {
  int const ins = input_tiles(in), outs = output_tiles(out);
  Tile<Warp> large[most] = {}, small[most] = {};
  warp.sync();
  SHOAL_UNROLL
  for (int k = 0; k < most; ++k) {
    if (k >= ins) continue;
    auto const factor = split(warp, x[k]);
    SHOAL_UNROLL
    for (int o = 0; o < most; o += 2)
      if (o < outs) multiply(warp, factor, weights + (k * outs + o) * lanes, large + o, small + o);
  }
  auto const* const biases = reinterpret_cast<float const*>(weights + ins * outs * lanes);
  SHOAL_UNROLL
  for (int o = 0; o < most; ++o) {
    if (o >= outs) continue;
    warp.each_lane([&](int lane, int at) {
      SHOAL_UNROLL
      for (int i = 0; i < 4; ++i) {
        float const sum = large[o].v[at][i] + small[o].v[at][i] + biases[o * columns + column_of(lane, i)];
        x[o].v[at][i] = last ? sum : shoal::tanh(sum);
      }
    });
  }
}

/// f(tile, place of the lane, one of its four values, row, column) for all values that lie in [count, width].
template <int most, class Warp, class F>
SHOAL_FN void each_value(Warp warp, int count, int width, F f) {
  warp.each_lane([&](int lane, int at) {
    SHOAL_UNROLL
    for (int value = 0; value < most * 4; ++value) {
      int const k = value / 4, i = value % 4, row = row_of(lane, i), column = k * columns + column_of(lane, i);
      if (row < count && column < width) f(k, at, i, row, column);
    }
  });
}

}  // namespace detail

/// Loads the weights; once for all rows of a team. @param to  [memory(args)], shared by the team
template <class Team>
SHOAL_FN void load(Team team, InferArgs const& args, Weights* to) {
  detail::load_mlp(team, args.actor, args.parameters, to);
  detail::load_mlp(team, args.critic, args.parameters, to + memory(args.actor));
}

/// Rows [first, first + 16), as far as there are. @tparam most  at least most_tiles(args)
template <int most, class Warp>
SHOAL_FN void infer(Warp warp, InferArgs const& args, Weights const* weights, std::int64_t first) {
  int const count = int(args.rows - first < rows ? args.rows - first : rows), inputs = args.actor.widths[0];
  float const* const observations = args.observations + first * inputs;
  for (int critic = args.distribution ? 0 : 1; critic < 2; ++critic) {
    auto const& mlp = critic ? args.critic : args.actor;
    auto const* w = critic ? weights + memory(args.actor) : weights;
    detail::Tile<Warp> x[most] = {};
    detail::each_value<most>(warp, count, inputs, [&](int k, int at, int i, int row, int column) {
      x[k].v[at][i] = observations[row * inputs + column];
    });
    for (int l = 0; l < mlp.layers; ++l) {
      detail::layer<most>(warp, w, mlp.widths[l], mlp.widths[l + 1], l + 1 == mlp.layers, x);
      w += weights_of_layer(mlp.widths[l], mlp.widths[l + 1]) + biases_of_layer(mlp.widths[l + 1]);
    }
    int const outputs = mlp.widths[mlp.layers];
    float* const to = (critic ? args.values : args.distribution) + first * outputs;
    detail::each_value<most>(warp, count, outputs, [&](int k, int at, int i, int row, int column) {
      to[row * outputs + column] = x[k].v[at][i];
    });
  }
}

}  // namespace shoal::tf32

#undef SHOAL_UNROLL
