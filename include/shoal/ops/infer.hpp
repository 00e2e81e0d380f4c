// Actor and critic of a small network for a tile of rows, all weights in fast memory: the body that CUDA runs with a
// block; the CPU runs it in tests, and has DenseMlp (src/nn/dense.hpp). Sums run over the inputs in order, each product
// and sum rounded once. References: DenseMlp and ActorCritic (tests/ops/infer_test.cpp).
#pragma once

#include <cmath>
#include <cstdint>

#include "shoal/core/math.hpp"
#include "shoal/core/team.hpp"

namespace shoal {

/// A perceptron in a flat array of parameters: weight [out, in] and bias [out] of each layer, tanh between layers.
struct MlpLayout {
  static constexpr int max_layers = 5;

  int layers = 0;
  int widths[max_layers + 1] = {};  // inputs, hidden layers, outputs
  std::int64_t begin = 0;           // its first parameter

  SHOAL_FN static int padded(int width) { return (width + 3) / 4 * 4; }
  /// Floats of fast memory for the weights, transposed and padded, and the biases.
  SHOAL_FN int weights() const {
    int total = 0;
    for (int l = 0; l < layers; ++l) total += (widths[l] + 1) * padded(widths[l + 1]);
    return total;
  }
};

struct InferArgs {
  static constexpr int rows_of_tile = 64;

  MlpLayout actor, critic;
  float const* parameters;    // flat
  float const* observations;  // [rows, inputs]
  float* distribution;        // [rows, outputs of the actor]; null: the critic alone
  float* values;              // [rows]
  std::int64_t rows;

  SHOAL_FN int widest() const {
    int most = 0;
    for (auto const* mlp : {&actor, &critic})
      for (int l = 0; l <= mlp->layers; ++l)
        if (MlpLayout::padded(mlp->widths[l]) > most) most = MlpLayout::padded(mlp->widths[l]);
    return most;
  }
  /// Floats of fast memory: both perceptrons' weights, the observations, and two layers' activations of a tile.
  SHOAL_FN int memory() const {
    return actor.weights() + critic.weights() + (MlpLayout::padded(actor.widths[0]) + 2 * widest()) * rows_of_tile;
  }
};

namespace detail {

/// Copies the weights to `to` as [in, padded out] and the biases behind them, layer by layer.
template <class Team>
SHOAL_FN void load_mlp(Team team, MlpLayout const& mlp, float const* parameters, float* to) {
  float const* from = parameters + mlp.begin;
  for (int l = 0; l < mlp.layers; ++l) {
    int const in = mlp.widths[l], out = mlp.widths[l + 1], stride = MlpLayout::padded(out);
    team.each((in + 1) * stride, [&](int i) {
      int const k = i / stride, o = i % stride;
      to[i] = o >= out ? 0.0f : k < in ? from[o * in + k] : from[out * in + o];
    });
    to += (in + 1) * stride;
    from += (in + 1) * out;
  }
}

/// Four floats that lie at a multiple of 16 bytes: one load.
struct Four {
  float v[4];
};
SHOAL_FN Four load_four(float const* from) {
  Four four;
  __builtin_memcpy(&four, __builtin_assume_aligned(from, 16), sizeof four);
  return four;
}

/// y[o, row] = (tanh of) bias[o] + sum over k of w[k, o] x[k, row], in patches of four outputs by four rows.
template <class Team>
SHOAL_FN void infer_layer(Team team, float const* w, int in, int out, bool last, float const* x, float* y) {
  constexpr int rows = InferArgs::rows_of_tile, side = 4;
  int const stride = MlpLayout::padded(out);
  team.each(rows / side * (stride / side), [&](int patch) {
    int const row = patch % (rows / side) * side, o = patch / (rows / side) * side;
    float sums[side][side];
    for (int i = 0; i < side; ++i)
      for (int r = 0; r < side; ++r) sums[i][r] = w[in * stride + o + i];
    for (int k = 0; k < in; ++k) {
      auto const inputs = load_four(x + k * rows + row), weights = load_four(w + k * stride + o);
      for (int i = 0; i < side; ++i)
        for (int r = 0; r < side; ++r) sums[i][r] = fmaf(inputs.v[r], weights.v[i], sums[i][r]);
    }
    for (int i = 0; i < side; ++i)
      for (int r = 0; r < side; ++r) y[(o + i) * rows + row + r] = last ? sums[i][r] : shoal::tanh(sums[i][r]);
  });
}

/// The perceptron's outputs [out, row] for the tile's observations x [in, row], in one of the two scratch arrays.
template <class Team>
SHOAL_FN float const* infer_mlp(Team team, MlpLayout const& mlp, float const* weights, float const* x, float* a,
                                float* b) {
  for (int l = 0; l < mlp.layers; ++l) {
    infer_layer(team, weights, mlp.widths[l], mlp.widths[l + 1], l + 1 == mlp.layers, x, a);
    weights += (mlp.widths[l] + 1) * MlpLayout::padded(mlp.widths[l + 1]);
    x = a;
    float* const swapped = a;
    a = b;
    b = swapped;
  }
  return x;
}

}  // namespace detail

/// Loads the weights; once for all tiles of a team. @param memory  [args.memory()], shared by the team
template <class Team>
SHOAL_FN void infer_begin(Team team, InferArgs const& args, float* memory) {
  detail::load_mlp(team, args.actor, args.parameters, memory);
  detail::load_mlp(team, args.critic, args.parameters, memory + args.actor.weights());
}

/// Rows [64 tile, 64 tile + 64), as far as there are.
template <class Team>
SHOAL_FN void infer_tile(Team team, InferArgs const& args, float* memory, std::int64_t tile) {
  constexpr int rows = InferArgs::rows_of_tile;
  auto const first = tile * rows;
  int const count = int(args.rows - first < rows ? args.rows - first : rows), inputs = args.actor.widths[0];
  float const* const actor = memory;
  float const* const critic = actor + args.actor.weights();
  float* const x = memory + args.actor.weights() + args.critic.weights();
  float* const a = x + MlpLayout::padded(inputs) * rows;
  float* const b = a + args.widest() * rows;
  team.each(inputs * rows, [&](int i) {
    int const row = i / inputs, k = i % inputs;
    x[k * rows + row] = row < count ? args.observations[first * inputs + i] : 0.0f;
  });
  if (args.distribution) {
    int const outputs = args.actor.widths[args.actor.layers];
    float const* const y = detail::infer_mlp(team, args.actor, actor, x, a, b);
    team.each(count * outputs,
              [&](int i) { args.distribution[first * outputs + i] = y[i % outputs * rows + i / outputs]; });
  }
  float const* const y = detail::infer_mlp(team, args.critic, critic, x, a, b);
  team.each(count, [&](int row) { args.values[first + row] = y[row]; });
}

}  // namespace shoal
