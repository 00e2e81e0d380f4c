// The gradients of a policy-gradient minibatch with respect to all parameters of actor and critic: forward, loss and
// backward of a tile of rows without leaving fast memory. The body that CUDA runs with a block; the CPU runs it in
// tests, and has FusedNetwork (src/nn/fused_network.hpp).
//
// The minibatch is cut into parts, whose number follows from its rows alone. A team sums the gradients of a part, tile
// by tile, and the parts are folded in their order: the result depends neither on timing nor on how many teams there
// are. References: FusedNetwork and autograd in f64 (tests/ops/gradient_test.cpp).
#pragma once

#include <cmath>
#include <cstdint>

#include "shoal/ops/infer.hpp"
#include "shoal/ops/ppo_loss.hpp"

namespace shoal {

struct GradientArgs {
  static constexpr int rows_of_tile = InferArgs::rows_of_tile;
  static constexpr int most_parts = 256;
  static constexpr int terms_of_part = 4;  // those of PpoTerms

  PpoLossArgs loss;           // its outputs are not used
  MlpLayout actor, critic;    // of the same inputs
  float const* parameters;    // [count]: log sd of the continuous heads, actor, critic
  float const* observations;  // [samples, inputs]
  float* parts;               // [parts(), part_size()], scratch
  float* gradients;           // [count], overwritten
  float* terms;               // [4], gains the sums of PpoTerms times loss.scale; null: not wanted
  std::int64_t count;         // of the parameters

  SHOAL_FN std::int64_t tiles() const { return (loss.rows + rows_of_tile - 1) / rows_of_tile; }
  SHOAL_FN int parts_of_batch() const { return int(tiles() < most_parts ? tiles() : most_parts); }
  SHOAL_FN std::int64_t part_size() const { return count + terms_of_part; }

  /// Floats of a row's outputs, and what the loss makes of them.
  SHOAL_FN int loss_memory() const {
    int const outputs = loss.layout.parameters();
    return 2 * outputs + 2 + loss.layout.continuous + terms_of_part;
  }
  /// Floats of a perceptron's inputs and all its layers' outputs.
  SHOAL_FN static int values_of(MlpLayout const& mlp) {
    int total = 0;
    for (int l = 0; l <= mlp.layers; ++l) total += MlpLayout::padded(mlp.widths[l]);
    return total;
  }
  /// Floats of fast memory: both perceptrons' weights, one's values and the loss of a tile, and the heads' normals.
  SHOAL_FN int memory() const {
    int const values = values_of(actor) > values_of(critic) ? values_of(actor) : values_of(critic);
    return actor.weights() + critic.weights() + (values + loss_memory()) * rows_of_tile +
           int(sizeof(NormalHead) / sizeof(float)) * loss.layout.continuous;
  }
};

namespace detail {

inline constexpr int patch_side = 4;  // each() gives a lane a patch of 4 x 4 sums

/// All layers' outputs behind the inputs: [padded width, row] each.
template <class Team>
SHOAL_FN void forward_tile(Team team, MlpLayout const& mlp, float const* weights, float* values) {
  for (int l = 0; l < mlp.layers; ++l) {
    float* const outputs = values + MlpLayout::padded(mlp.widths[l]) * GradientArgs::rows_of_tile;
    infer_layer(team, weights, mlp.widths[l], mlp.widths[l + 1], l + 1 == mlp.layers, values, outputs);
    weights += (mlp.widths[l] + 1) * MlpLayout::padded(mlp.widths[l + 1]);
    values = outputs;
  }
}

/// Adds a layer's gradients to `to`, [out, in] and then [out]. Lanes begin at rows of their own, so that they read from
/// different banks of fast memory.
/// @param x  its inputs, [padded in, row]  @param d  the gradient with respect to its sums, [padded out, row]
template <class Team>
SHOAL_FN void add_layer_gradients(Team team, int in, int out, float const* x, float const* d, float* to) {
  constexpr int rows = GradientArgs::rows_of_tile, side = patch_side;
  int const ins = MlpLayout::padded(in) / side, outs = MlpLayout::padded(out) / side;
  team.each(ins * outs, [&](int patch) {
    int const k = patch % ins * side, o = patch / ins * side;
    float sums[side][side] = {};
    for (int r = 0; r < rows; ++r) {
      int const row = (r + patch) % rows;
      for (int i = 0; i < side; ++i)
        for (int j = 0; j < side; ++j) sums[i][j] = fmaf(d[(o + i) * rows + row], x[(k + j) * rows + row], sums[i][j]);
    }
    for (int i = 0; i < side; ++i)
      for (int j = 0; j < side; ++j)
        if (o + i < out && k + j < in) to[(o + i) * in + k + j] += sums[i][j];
  });
  team.each(out, [&](int o) {
    float sum = 0;
    for (int r = 0; r < rows; ++r) sum += d[o * rows + (r + o) % rows];
    to[out * in + o] += sum;
  });
}

/// From the gradient with respect to a layer's sums to that with respect to the sums of the layer before it, whose
/// outputs x = tanh(sums) are overwritten by it.
/// @param w  [in, padded out]  @param d  [padded out, row], 0 where padded  @param x  [padded in, row]
template <class Team>
SHOAL_FN void backward_layer(Team team, float const* w, int in, int out, float const* d, float* x) {
  constexpr int rows = GradientArgs::rows_of_tile, side = patch_side;
  int const stride = MlpLayout::padded(out);
  team.each(rows / side * (MlpLayout::padded(in) / side), [&](int patch) {
    int const row = patch % (rows / side) * side, k = patch / (rows / side) * side;
    float sums[side][side] = {};
    for (int o = 0; o < stride; o += side) {
      Four gradients[side], weights[side];
      for (int i = 0; i < side; ++i) {
        gradients[i] = load_four(d + (o + i) * rows + row);
        weights[i] = load_four(w + (k + i < in ? k + i : 0) * stride + o);
      }
      for (int i = 0; i < side; ++i)
        for (int r = 0; r < side; ++r)
          for (int j = 0; j < side; ++j) sums[i][r] = fmaf(gradients[j].v[r], weights[i].v[j], sums[i][r]);
    }
    for (int i = 0; i < side; ++i)
      for (int r = 0; r < side; ++r) {
        float& value = x[(k + i) * rows + row + r];
        value = k + i < in ? sums[i][r] * (1 - value * value) : 0.0f;
      }
  });
}

/// Adds a perceptron's gradients to `to`, as they lie among the parameters. `values` holds those of forward_tile(), but
/// the gradient with respect to the outputs in place of these; all but the inputs are overwritten.
template <class Team>
SHOAL_FN void backward_tile(Team team, MlpLayout const& mlp, float const* weights, float* values, float* to) {
  int value_at = 0, weight_at = 0;
  for (int l = 0; l < mlp.layers; ++l) {
    value_at += MlpLayout::padded(mlp.widths[l]) * GradientArgs::rows_of_tile;
    weight_at += (mlp.widths[l] + 1) * MlpLayout::padded(mlp.widths[l + 1]);
    to += (mlp.widths[l] + 1) * mlp.widths[l + 1];
  }
  for (int l = mlp.layers - 1; l >= 0; --l) {
    int const in = mlp.widths[l], out = mlp.widths[l + 1];
    float const* const d = values + value_at;
    value_at -= MlpLayout::padded(in) * GradientArgs::rows_of_tile;
    weight_at -= (in + 1) * MlpLayout::padded(out);
    to -= (in + 1) * out;
    float* const x = values + value_at;
    add_layer_gradients(team, in, out, x, d, to);
    if (l > 0) backward_layer(team, weights + weight_at, in, out, d, x);
  }
}

/// Fast memory, as GradientArgs::memory() counts it.
struct GradientMemory {
  float *actor, *critic;                                                  // weights
  float* values;                                                          // of one perceptron
  float *parameters, *d_parameters, *state_values, *d_values, *d_log_sd;  // of the loss, row by row
  PpoTerms* terms;
  NormalHead* normals;

  SHOAL_FN GradientMemory(GradientArgs const& args, float* memory) {
    constexpr int rows = GradientArgs::rows_of_tile;
    int const outputs = args.loss.layout.parameters(), heads = args.loss.layout.continuous;
    auto const take = [&](int floats) {
      float* const taken = memory;
      memory += floats;
      return taken;
    };
    actor = take(args.actor.weights());
    critic = take(args.critic.weights());
    int const of_actor = GradientArgs::values_of(args.actor), of_critic = GradientArgs::values_of(args.critic);
    values = take((of_actor > of_critic ? of_actor : of_critic) * rows);
    parameters = take(outputs * rows);
    d_parameters = take(outputs * rows);
    state_values = take(rows);
    d_values = take(rows);
    d_log_sd = take(heads * rows);
    terms = reinterpret_cast<PpoTerms*>(take(GradientArgs::terms_of_part * rows));
    normals = reinterpret_cast<NormalHead*>(memory);
  }
};

/// Where a perceptron's outputs lie among its values.
SHOAL_FN float* outputs_of(MlpLayout const& mlp, float* values) {
  return values +
         (GradientArgs::values_of(mlp) - MlpLayout::padded(mlp.widths[mlp.layers])) * GradientArgs::rows_of_tile;
}

/// The critic's part of a tile of `count` rows, which begins with row `first` of the minibatch. Keeps the values.
template <class Team>
SHOAL_FN void critic_tile(Team team, GradientArgs const& args, GradientMemory const& m, float* part, std::int64_t first,
                          int count) {
  auto const& loss = args.loss;
  forward_tile(team, args.critic, m.critic, m.values);
  float* const output = outputs_of(args.critic, m.values);
  team.each(GradientArgs::rows_of_tile, [&](int row) {
    m.state_values[row] = output[row];
    float gradient = 0;
    if (row < count) {
      auto const sample = loss.index[first + row];
      float const weight = loss.weights ? loss.weights[sample] : 1.0f;
      gradient = value_gradient(loss, weight, output[row] - loss.returns[sample]);
    }
    output[row] = gradient;
  });
  backward_tile(team, args.critic, m.critic, m.values, part + args.critic.begin);
}

/// The actor's, after the critic's.
template <class Team>
SHOAL_FN void actor_tile(Team team, GradientArgs const& args, GradientMemory const& m, float* part, std::int64_t first,
                         int count) {
  constexpr int rows = GradientArgs::rows_of_tile;
  int const outputs = args.loss.layout.parameters(), heads = args.loss.layout.continuous;
  forward_tile(team, args.actor, m.actor, m.values);
  float* const output = outputs_of(args.actor, m.values);
  team.each(outputs * rows, [&](int i) { m.parameters[i % rows * outputs + i / rows] = output[i]; });
  team.each(count, [&](int row) {
    PpoOutputs const out{.parameters = m.parameters + row * outputs,
                         .values = m.state_values + row,
                         .d_parameters = m.d_parameters + row * outputs,
                         .d_values = m.d_values + row,
                         .d_log_sd = m.d_log_sd + row * heads,
                         .terms = m.terms + row,
                         .parameter_stride = outputs,
                         .value_stride = 1};
    ppo_loss_rows<1>(args.loss, m.normals, out, first + row, 1);
  });
  team.each(outputs * rows, [&](int i) {
    int const row = i % rows;
    output[i] = row < count ? m.d_parameters[row * outputs + i / rows] : 0.0f;
  });
  team.each(heads + GradientArgs::terms_of_part, [&](int i) {
    bool const of_head = i < heads;
    float const* const from = of_head ? m.d_log_sd + i : reinterpret_cast<float const*>(m.terms) + (i - heads);
    int const stride = of_head ? heads : GradientArgs::terms_of_part;
    float sum = 0;
    for (int row = 0; row < count; ++row) sum += from[row * stride];
    part[of_head ? i : args.count + (i - heads)] += sum;
  });
  backward_tile(team, args.actor, m.actor, m.values, part + args.actor.begin);
}

}  // namespace detail

/// Sums part `number` of the minibatch. @param memory  [args.memory()], at a multiple of 16 bytes, shared by the team
template <class Team>
SHOAL_FN void gradient_part(Team team, GradientArgs const& args, float* memory, int number) {
  constexpr int rows = GradientArgs::rows_of_tile;
  detail::GradientMemory const m(args, memory);
  float* const part = args.parts + number * args.part_size();
  int const inputs = args.actor.widths[0];
  team.each(int(args.part_size()), [&](int i) { part[i] = 0; });
  team.each(args.loss.layout.continuous, [&](int h) { m.normals[h] = normal_head(args.loss, h); });
  detail::load_mlp(team, args.actor, args.parameters, m.actor);
  detail::load_mlp(team, args.critic, args.parameters, m.critic);
  auto const end = args.tiles() * (number + 1) / args.parts_of_batch();
  for (auto tile = args.tiles() * number / args.parts_of_batch(); tile < end; ++tile) {
    auto const first = tile * rows;
    int const count = int(args.loss.rows - first < rows ? args.loss.rows - first : rows);
    team.each(MlpLayout::padded(inputs) * rows, [&](int i) {
      int const row = i % rows, k = i / rows;
      bool const is_there = row < count && k < inputs;
      m.values[i] = is_there ? args.observations[args.loss.index[first + row] * inputs + k] : 0.0f;
    });
    detail::critic_tile(team, args, m, part, first, count);
    detail::actor_tile(team, args, m, part, first, count);
  }
}

/// Elements that a team folds at once, and into how many sums their parts go at first.
inline constexpr int fold_width = 32, fold_groups = 8;

/// Folds elements [fold_width block, fold_width (block + 1)) of all parts.
/// @param sums  [fold_groups * fold_width], shared by the team
template <class Team>
SHOAL_FN void fold_gradients(Team team, GradientArgs const& args, double* sums, std::int64_t block) {
  int const parts = args.parts_of_batch();
  auto const size = args.part_size(), first = block * fold_width;
  team.each(fold_groups * fold_width, [&](int i) {
    auto const element = first + i % fold_width;
    double sum = 0;
    if (element < size)
      for (int p = i / fold_width; p < parts; p += fold_groups) sum += double(args.parts[p * size + element]);
    sums[i] = sum;
  });
  team.each(fold_width, [&](int i) {
    auto const element = first + i;
    double sum = 0;
    for (int g = 0; g < fold_groups; ++g) sum += sums[g * fold_width + i];
    if (element < args.count)
      args.gradients[element] = float(sum);
    else if (element < size && args.terms)
      args.terms[element - args.count] += float(sum) * args.loss.scale;
  });
}

}  // namespace shoal
