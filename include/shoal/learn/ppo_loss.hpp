// PPO's loss of one sample and its gradient with respect to the network's outputs, in closed form: the body that the CPU and
// CUDA share. With z = (a - mean) / sd and A the standardised advantage,
//
//   loss = -min(ratio A, clip(ratio, 1 - c, 1 + c) A) + value_weight (v - R)^2 / 2 + kl_coefficient KL(old || new)
//          - entropy_weight H,                                      ratio = pi(a) / pi_old(a)
//
// (Schulman et al., arXiv 1707.06347, equations 7 to 9). Reference: autograd through distribution.hpp, tests/learn/ppo_loss_test.cpp.
#pragma once

#include <cstdint>

#include "shoal/learn/sample.hpp"

namespace shoal {

/// The summands of a row's loss, before their weights.
struct PpoTerms {
  float policy_loss, value_loss, kl, entropy;
};

/// A network's outputs for the rows of a minibatch, and where gradients and terms go.
struct PpoOutputs {
  float const* parameters;  // [rows, layout.parameters()]
  float const* values;      // [rows]
  float* d_parameters;      // [rows, layout.parameters()]
  float* d_values;          // [rows]
  float* d_log_sd;          // [rows, layout.continuous]
  PpoTerms* terms;          // [rows]
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
  float const* old_log_probabilities;  // [samples]
  float const* advantages;             // [samples], standardised
  float const* returns;                // [samples]
  float const* continuous;             // [samples, layout.continuous]
  std::int32_t const* discrete;        // [samples, layout.discrete]
  std::uint8_t const* masks;           // [samples, layout.total_choices], 1 = legal; null: all legal
  PpoOutputs outputs;                  // null where a caller handles row by row
};

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

namespace detail {

/// log softmax(logits) over the legal choices is logits - shift.
SHOAL_FN float softmax_shift(float const* logits, std::uint8_t const* legal, int choices) {
  float most = -3e38f, total = 0;
  for (int k = 0; k < choices; ++k)
    if (!legal || legal[k]) most = max(most, logits[k]);
  for (int k = 0; k < choices; ++k)
    if (!legal || legal[k]) total += shoal::exp(logits[k] - most);
  return most + shoal::log(total);
}

/// One discrete head of a sample.
struct ChoiceHead {
  float const *logits, *old_logits;
  std::uint8_t const* legal;  // null: all
  int choices;
  float shift, old_shift;

  SHOAL_FN bool is_legal(int k) const { return !legal || legal[k]; }
  SHOAL_FN float log_p(int k) const { return logits[k] - shift; }
  SHOAL_FN float old_log_p(int k) const { return old_logits[k] - old_shift; }
};

SHOAL_FN ChoiceHead choice_head(PpoLossArgs const& args, std::int64_t sample, float const* parameters, int head,
                                int at) {
  int const first = args.layout.continuous + at, choices = args.layout.choices[head];
  auto const* const legal = args.masks ? args.masks + sample * args.layout.total_choices + at : nullptr;
  auto const* const logits = parameters + first;
  auto const* const old_logits = args.old_parameters + sample * args.layout.parameters() + first;
  return {logits,
          old_logits,
          legal,
          choices,
          softmax_shift(logits, legal, choices),
          softmax_shift(old_logits, legal, choices)};
}

/// Adds the head's KL and entropy.
SHOAL_FN void add_divergence(ChoiceHead const& head, float& kl, float& entropy) {
  for (int k = 0; k < head.choices; ++k) {
    if (!head.is_legal(k)) continue;
    kl += shoal::exp(head.old_log_p(k)) * (head.old_log_p(k) - head.log_p(k));
    entropy -= shoal::exp(head.log_p(k)) * head.log_p(k);
  }
}

/// The gradient of g log p(chosen) + b KL - w H with respect to the head's logits.
SHOAL_FN void choice_gradient(ChoiceHead const& head, int chosen, float g, float b, float w, float* gradient) {
  float kl = 0, entropy = 0;
  add_divergence(head, kl, entropy);
  for (int k = 0; k < head.choices; ++k) {
    gradient[k] = 0;
    if (!head.is_legal(k)) continue;
    float const p = shoal::exp(head.log_p(k));
    gradient[k] = g * ((k == chosen ? 1.0f : 0.0f) - p) + b * (p - shoal::exp(head.old_log_p(k))) +
                  w * p * (head.log_p(k) + entropy);
  }
}

/// Log-probability of the sample's action, KL and entropy, under new parameters.
struct Likelihood {
  float log_probability = 0, kl = 0, entropy = 0;
};

SHOAL_FN Likelihood likelihood(PpoLossArgs const& args, NormalHead const* normals, std::int64_t sample,
                               float const* parameters) {
  auto const& layout = args.layout;
  auto const* const old = args.old_parameters + sample * layout.parameters();
  Likelihood all;
  for (int h = 0; h < layout.continuous; ++h) {
    auto const& n = normals[h];
    float const z = (args.continuous[sample * layout.continuous + h] - parameters[h]) * n.inverse_sd;
    float const move = (old[h] - parameters[h]) * n.inverse_sd;
    all.log_probability += -0.5f * z * z - n.log_sd - half_log_2pi;
    all.kl += 0.5f * move * move + (n.log_ratio + 0.5f * n.variance_ratio - 0.5f);
    all.entropy += n.log_sd + 0.5f + half_log_2pi;
  }
  for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++]) {
    auto const head = choice_head(args, sample, parameters, h, at);
    all.log_probability += head.log_p(args.discrete[sample * layout.discrete + h]);
    add_divergence(head, all.kl, all.entropy);
  }
  return all;
}

}  // namespace detail

/// The loss of one row and its gradients.
/// @param normals  [layout.continuous]  @param parameters  [layout.parameters()] and `value`: the network's outputs
/// @param d_parameters  [layout.parameters()], d_value, d_log_sd [layout.continuous]: overwritten with args.scale * gradient
SHOAL_FN PpoTerms ppo_loss_row(PpoLossArgs const& args, NormalHead const* normals, std::int64_t row,
                               float const* parameters, float value, float* d_parameters, float& d_value,
                               float* d_log_sd) {
  auto const& layout = args.layout;
  auto const sample = args.index[row];
  auto const now = detail::likelihood(args, normals, sample, parameters);
  float const advantage = args.advantages[sample];
  float const ratio = shoal::exp(now.log_probability - args.old_log_probabilities[sample]);
  float const plain = ratio * advantage;
  float const clipped = args.clip > 0 ? clamp(ratio, 1 - args.clip, 1 + args.clip) * advantage : plain;
  float const error = value - args.returns[sample];

  bool const cut = clipped < plain;
  float const g = cut ? 0.0f : -args.scale * plain;  // d loss / d log pi(a)
  float const b = args.scale * *args.kl_coefficient, w = args.scale * args.entropy_weight;
  d_value = args.scale * args.value_weight * error;
  auto const* const old = args.old_parameters + sample * layout.parameters();
  for (int h = 0; h < layout.continuous; ++h) {
    auto const& n = normals[h];
    float const z = (args.continuous[sample * layout.continuous + h] - parameters[h]) * n.inverse_sd;
    float const move = (old[h] - parameters[h]) * n.inverse_sd;
    d_parameters[h] = (g * z - b * move) * n.inverse_sd;
    d_log_sd[h] = g * (z * z - 1) + b * (1 - n.variance_ratio - move * move) - w;
  }
  for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++])
    detail::choice_gradient(detail::choice_head(args, sample, parameters, h, at),
                            args.discrete[sample * layout.discrete + h], g, b, w,
                            d_parameters + layout.continuous + at);
  return {-(cut ? clipped : plain), 0.5f * error * error, now.kl, now.entropy};
}

/// The row's loss and gradients, between the arrays of args.outputs.
SHOAL_FN void ppo_loss_row(PpoLossArgs const& args, NormalHead const* normals, std::int64_t row) {
  auto const& out = args.outputs;
  int const p = args.layout.parameters();
  out.terms[row] =
      ppo_loss_row(args, normals, row, out.parameters + row * p, out.values[row], out.d_parameters + row * p,
                   out.d_values[row], out.d_log_sd + row * args.layout.continuous);
}

}  // namespace shoal
