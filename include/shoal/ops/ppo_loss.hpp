// PPO's loss of one sample and its gradient with respect to the network's outputs, in closed form: the body that the
// CPU and CUDA share. With z = (a - mean) / sd and A the standardised advantage,
//
//   loss = -min(ratio A, clip(ratio, 1 - c, 1 + c) A) + value_weight (v - R)^2 / 2 + kl_coefficient KL(old || new)
//          - entropy_weight H,                                      ratio = pi(a) / pi_old(a)
//
// (Schulman et al., arXiv 1707.06347, equations 7 to 9). Reference: autograd through distribution.hpp,
// tests/ops/ppo_loss_test.cpp.
#pragma once

#include <cstdint>

#include "shoal/ops/sample.hpp"

namespace shoal {

/// The summands of a row's loss, before their weights.
struct PpoTerms {
  float policy_loss, value_loss, kl, entropy;
};

/// A network's outputs for consecutive rows of a minibatch, and where gradients and terms go.
struct PpoOutputs {
  float const* parameters;  // [rows, layout.parameters()]
  float const* values;      // [rows]
  float*
      d_parameters;  // [rows, layout.parameters()]: the loss's gradient times PpoLossArgs::scale, as are the next two
  float* d_values;   // [rows]
  float* d_log_sd;   // [rows, layout.continuous]
  PpoTerms* terms;   // [rows]
  int parameter_stride;  // floats from row to row of parameters and d_parameters
  int value_stride;      // of values and d_values
};

/// A minibatch: rows of a rollout's samples, named by `index`.
struct PpoLossArgs {
  ActionLayout layout;
  float clip, value_weight, entropy_weight;  // clip 0: none
  float scale;                               // of the gradient: 1 / rows
  float const* kl_coefficient;               // one value
  float const* log_sd;                       // [layout.continuous]
  float const* old_log_sd;                   // [layout.continuous], when the samples were drawn
  std::int64_t const* index;                 // [rows]
  std::int64_t rows;
  float const* old_parameters;         // [samples, layout.parameters()]
  float const* old_log_probabilities;  // [samples]; null: those of the present policy, so that all ratios are 1
  float const* advantages;             // [samples]
  float const* returns;                // [samples]
  float const* continuous;             // [samples, layout.continuous]
  std::int32_t const* discrete;        // [samples, layout.discrete]
  std::uint8_t const* masks;           // [samples, layout.total_choices], 1 = legal; null: all legal
  PpoOutputs outputs;                  // of all rows
  float const* weights = nullptr;      // [samples], of their losses; null: 1
};

/// Of a row's loss with respect to its value. @param error  value - return
SHOAL_FN float value_gradient(PpoLossArgs const& args, float weight, float error) {
  return args.scale * weight * args.value_weight * error;
}

/// What the continuous heads' rows have in common.
struct NormalHead {
  float log_sd, inverse_sd;
  float log_ratio;       // log sd - log old sd
  float variance_ratio;  // old variance / variance
};

SHOAL_FN NormalHead normal_head(PpoLossArgs const& args, int head) {
  float const log_ratio = args.log_sd[head] - args.old_log_sd[head];
  return {args.log_sd[head], shoal::exp(-args.log_sd[head]), log_ratio, shoal::exp(-2 * log_ratio)};
}

/// Rows that the CPU takes together, in vectors.
inline constexpr int ppo_loss_block = 32;

namespace detail {

template <int Rows>
struct LossRows {
  int count;
  std::int64_t sample[Rows];
  float log_probability[Rows], kl[Rows], entropy[Rows];
  float weight[Rows];
  float g[Rows];  // d loss / d log pi(a)
  // Of the discrete heads: log softmax(logits) over the legal choices is logits - shift.
  float shift[max_discrete_heads][Rows], old_shift[max_discrete_heads][Rows], head_entropy[max_discrete_heads][Rows];

  template <class F>
  SHOAL_FN void each(
      F f) const {  // as SerialTeam's, of which GCC thinks, below nvcc, that it may read what it has not set
    int const n = count;
    SHOAL_ANY_ORDER
    for (int r = 0; r < n; ++r) f(r);
  }
};

/// A continuous head of every row, in units of the present standard deviation.
template <int Rows>
struct NormalRows {
  float z[Rows];     // (action - mean) / sd
  float move[Rows];  // (old mean - mean) / sd
};

template <int Rows>
SHOAL_FN void take_normals(PpoLossArgs const& args, PpoOutputs const& out, LossRows<Rows> const& rows, int h,
                           float inverse_sd, NormalRows<Rows>& head) {
  int const heads = args.layout.continuous, parameters = args.layout.parameters();
  for (int r = 0; r < rows.count; ++r) {
    float const mean = out.parameters[r * out.parameter_stride + h];
    head.z[r] = (args.continuous[rows.sample[r] * heads + h] - mean) * inverse_sd;
    head.move[r] = (args.old_parameters[rows.sample[r] * parameters + h] - mean) * inverse_sd;
  }
}

/// Choice k of a discrete head whose choices begin at `at`: present and old logits, `illegal` where a mask forbids it.
template <int Rows>
SHOAL_FN void take_logits(PpoLossArgs const& args, PpoOutputs const& out, LossRows<Rows> const& rows, int at, int k,
                          float (&now)[Rows], float (&old)[Rows]) {
  auto const& layout = args.layout;
  int const column = layout.continuous + at + k;
  for (int r = 0; r < rows.count; ++r) {
    now[r] = out.parameters[r * out.parameter_stride + column];
    old[r] = args.old_parameters[rows.sample[r] * layout.parameters() + column];
  }
  if (!args.masks) return;
  for (int r = 0; r < rows.count; ++r)
    if (!args.masks[rows.sample[r] * layout.total_choices + at + k]) now[r] = old[r] = illegal;
}

template <int Rows>
SHOAL_FN void add_normal(PpoLossArgs const& args, NormalHead const& n, PpoOutputs const& out, LossRows<Rows>& rows,
                         int h) {
  NormalRows<Rows> head;
  take_normals(args, out, rows, h, n.inverse_sd, head);
  rows.each([&](int r) {
    rows.log_probability[r] += -0.5f * head.z[r] * head.z[r] - n.log_sd - half_log_2pi;
    rows.kl[r] += 0.5f * head.move[r] * head.move[r] + (n.log_ratio + 0.5f * n.variance_ratio - 0.5f);
    rows.entropy[r] += n.log_sd + 0.5f + half_log_2pi;
  });
}

template <int Rows>
SHOAL_FN void add_choice(PpoLossArgs const& args, PpoOutputs const& out, LossRows<Rows>& rows, int h, int at) {
  int const choices = args.layout.choices[h];
  float now[Rows], old[Rows], most[Rows], old_most[Rows], total[Rows], old_total[Rows];
  auto& shift = rows.shift[h];
  auto& old_shift = rows.old_shift[h];
  auto& head_entropy = rows.head_entropy[h];
  rows.each([&](int r) {
    most[r] = old_most[r] = least_logit;
    total[r] = old_total[r] = head_entropy[r] = 0;
  });
  for (int k = 0; k < choices; ++k) {
    take_logits(args, out, rows, at, k, now, old);
    rows.each([&](int r) {
      most[r] = max(most[r], now[r]);
      old_most[r] = max(old_most[r], old[r]);
    });
  }
  for (int k = 0; k < choices; ++k) {
    take_logits(args, out, rows, at, k, now, old);
    rows.each([&](int r) {
      total[r] += softmax_weight(now[r], most[r]);
      old_total[r] += softmax_weight(old[r], old_most[r]);
    });
  }
  rows.each([&](int r) {
    shift[r] = most[r] + shoal::log(total[r]);
    old_shift[r] = old_most[r] + shoal::log(old_total[r]);
  });
  for (int k = 0; k < choices; ++k) {
    take_logits(args, out, rows, at, k, now, old);
    rows.each([&](int r) {
      float const log_p = now[r] - shift[r], old_log_p = old[r] - old_shift[r];
      rows.kl[r] += softmax_weight(old[r], old_shift[r]) * (old_log_p - log_p);
      head_entropy[r] -= softmax_weight(now[r], shift[r]) * log_p;
    });
  }
  for (int r = 0; r < rows.count; ++r) {
    int const chosen = args.discrete[rows.sample[r] * args.layout.discrete + h];
    rows.log_probability[r] +=
        out.parameters[r * out.parameter_stride + args.layout.continuous + at + chosen] - shift[r];
    rows.entropy[r] += head_entropy[r];
  }
}

/// Ratio, clip and value: the terms, the gradient of the values, and g.
template <int Rows>
SHOAL_FN void weigh(PpoLossArgs const& args, PpoOutputs const& out, LossRows<Rows>& rows) {
  float advantage[Rows], old_log_probability[Rows], error[Rows], policy_loss[Rows];
  for (int r = 0; r < rows.count; ++r) {
    advantage[r] = args.advantages[rows.sample[r]];
    old_log_probability[r] =
        args.old_log_probabilities ? args.old_log_probabilities[rows.sample[r]] : rows.log_probability[r];
    error[r] = out.values[r * out.value_stride] - args.returns[rows.sample[r]];
    out.d_values[r * out.value_stride] = value_gradient(args, rows.weight[r], error[r]);
  }
  float const least = args.clip > 0 ? 1 - args.clip : 0.0f, most = args.clip > 0 ? 1 + args.clip : 3e38f;
  rows.each([&](int r) {
    float const ratio = shoal::exp(rows.log_probability[r] - old_log_probability[r]);
    float const plain = ratio * advantage[r], clipped = clamp(ratio, least, most) * advantage[r];
    rows.g[r] = clipped < plain ? 0.0f : -args.scale * rows.weight[r] * plain;
    policy_loss[r] = -min(plain, clipped);
  });
  for (int r = 0; r < rows.count; ++r) {
    float const weight = rows.weight[r];
    out.terms[r] = {weight * policy_loss[r], weight * 0.5f * error[r] * error[r], weight * rows.kl[r],
                    weight * rows.entropy[r]};
  }
}

template <int Rows>
SHOAL_FN void normal_gradient(PpoLossArgs const& args, NormalHead const& n, PpoOutputs const& out,
                              LossRows<Rows> const& rows, int h, float b, float w) {
  NormalRows<Rows> head;
  take_normals(args, out, rows, h, n.inverse_sd, head);
  float d_mean[Rows], d_log_sd[Rows];
  rows.each([&](int r) {
    float const z = head.z[r], move = head.move[r], weight = rows.weight[r];
    d_mean[r] = (rows.g[r] * z - b * weight * move) * n.inverse_sd;
    d_log_sd[r] = rows.g[r] * (z * z - 1) + b * weight * (1 - n.variance_ratio - move * move) - w * weight;
  });
  for (int r = 0; r < rows.count; ++r) {
    out.d_parameters[r * out.parameter_stride + h] = d_mean[r];
    out.d_log_sd[r * args.layout.continuous + h] = d_log_sd[r];
  }
}

/// The gradient of g log p(chosen) + b KL - w H.
template <int Rows>
SHOAL_FN void choice_gradient(PpoLossArgs const& args, PpoOutputs const& out, LossRows<Rows> const& rows, int h, int at,
                              float b, float w) {
  float now[Rows], old[Rows], gradient[Rows];
  std::int32_t chosen[Rows];
  for (int r = 0; r < rows.count; ++r) chosen[r] = args.discrete[rows.sample[r] * args.layout.discrete + h];
  for (int k = 0; k < args.layout.choices[h]; ++k) {
    take_logits(args, out, rows, at, k, now, old);
    rows.each([&](int r) {
      float const p = softmax_weight(now[r], rows.shift[h][r]), old_p = softmax_weight(old[r], rows.old_shift[h][r]);
      float const log_p = now[r] - rows.shift[h][r], weight = rows.weight[r];
      gradient[r] = rows.g[r] * (float(k == chosen[r]) - p) + b * weight * (p - old_p) +
                    w * weight * p * (log_p + rows.head_entropy[h][r]);
    });
    for (int r = 0; r < rows.count; ++r)
      out.d_parameters[r * out.parameter_stride + args.layout.continuous + at + k] = gradient[r];
  }
}

}  // namespace detail

/// Losses and gradients of rows [first, first + count) of the minibatch, at most `Rows` at once.
/// @param normals  [layout.continuous]  @param out  begins with row `first`
template <int Rows>
SHOAL_FN void ppo_loss_rows(PpoLossArgs const& args, NormalHead const* normals, PpoOutputs const& out,
                            std::int64_t first, int count) {
  auto const& layout = args.layout;
  detail::LossRows<Rows> rows;
  rows.count = count;
  for (int r = 0; r < count; ++r) {
    rows.sample[r] = args.index[first + r];
    rows.log_probability[r] = rows.kl[r] = rows.entropy[r] = 0;
    rows.weight[r] = args.weights ? args.weights[rows.sample[r]] : 1.0f;
  }
  for (int h = 0; h < layout.continuous; ++h) detail::add_normal(args, normals[h], out, rows, h);
  for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++]) detail::add_choice(args, out, rows, h, at);
  detail::weigh(args, out, rows);
  float const b = args.scale * *args.kl_coefficient, w = args.scale * args.entropy_weight;
  for (int h = 0; h < layout.continuous; ++h) detail::normal_gradient(args, normals[h], out, rows, h, b, w);
  for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++])
    detail::choice_gradient(args, out, rows, h, at, b, w);
}

/// The same between the arrays of args.outputs.
template <int Rows>
SHOAL_FN void ppo_loss_rows(PpoLossArgs const& args, NormalHead const* normals, std::int64_t first, int count) {
  auto out = args.outputs;
  out.parameters += first * out.parameter_stride;
  out.d_parameters += first * out.parameter_stride;
  out.values += first * out.value_stride;
  out.d_values += first * out.value_stride;
  out.d_log_sd += first * args.layout.continuous;
  out.terms += first;
  ppo_loss_rows<Rows>(args, normals, out, first, count);
}

}  // namespace shoal
