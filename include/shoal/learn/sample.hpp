// Samples actions from a policy's distribution, with log-probability and entropy: the body that the CPU and CUDA share.
//
// A distribution's parameters are [means of the continuous heads | logits of the discrete heads]; continuous heads are independent
// normals with a common log standard deviation a head, discrete heads independent softmaxes over the legal choices.
// Reference: log_probability() and entropy() in distribution.hpp. Tests: tests/learn/sample_test.cpp.
#pragma once

#include <cstdint>

#include "shoal/core/random.hpp"

namespace shoal {

inline constexpr int max_discrete_heads = 16, max_continuous_heads = 256;

/// The heads of a policy.
struct ActionLayout {
  int continuous = 0;
  int discrete = 0;
  int choices[max_discrete_heads] = {};
  int total_choices = 0;

  SHOAL_FN int parameters() const { return continuous + total_choices; }
};

/// Row r is agent agents[r % members] of instance r / members. The arrays on the left belong to the policy, the others to one slot
/// of the rollout [instances, all_agents, ...].
struct SampleArgs {
  ActionLayout layout;
  Random random;               // seed and step; instance and episode are set for each row
  std::uint32_t const* stage;  // one value: the episode of the random numbers
  Purpose purpose = Purpose::action;
  int members, all_agents;
  std::int64_t rows;
  std::int32_t const* agents;  // [members]
  float const* parameters;     // [rows, layout.parameters()]
  float const* log_sd;         // [layout.continuous]
  std::uint8_t const* masks;   // [instances, all_agents, total_choices], 1 = legal; null: all legal
  float* continuous;           // [instances, all_agents, layout.continuous]
  std::int32_t* discrete;      // [instances, all_agents, layout.discrete]
  float* log_probabilities;    // [instances, all_agents]
  float* entropies;            // [instances, all_agents]
  float* kept_parameters;  // [instances, all_agents, layout.parameters()]; null where `parameters` is that slot itself
  std::int32_t const* drawn_as = nullptr;  // [instances, all_agents]: whose random numbers; null: the agent's own
};

inline constexpr float half_log_2pi = 0.918938533f;

namespace detail {

/// One discrete head by inversion of the softmax's distribution function. Adds its log-probability and entropy.
SHOAL_FN int sample_choice(float const* logits, std::uint8_t const* legal, int choices, float unit,
                           float& log_probability, float& entropy) {
  float most = -3e38f;
  for (int k = 0; k < choices; ++k)
    if (!legal || legal[k]) most = max(most, logits[k]);
  float total = 0, weighted = 0;
  for (int k = 0; k < choices; ++k) {
    if (legal && !legal[k]) continue;
    float const weight = shoal::exp(logits[k] - most);
    total += weight;
    weighted += weight * (logits[k] - most);
  }
  float const log_total = shoal::log(total);
  float left = unit * total;
  int chosen = -1;
  for (int k = 0; k < choices; ++k) {
    if (legal && !legal[k]) continue;
    float const weight = shoal::exp(logits[k] - most);
    if (weight > 0) chosen = k;  // the last one possible, should rounding leave a rest
    left -= weight;
    if (left < 0) break;
  }
  chosen = max(chosen, 0);
  log_probability += logits[chosen] - most - log_total;
  entropy += log_total - weighted / total;
  return chosen;
}

}  // namespace detail

SHOAL_FN void sample_row(SampleArgs const& args, std::int64_t row) {
  auto const& layout = args.layout;
  auto const instance = row / args.members;
  int const agent = args.agents[row % args.members];
  auto const slot = instance * args.all_agents + agent;
  int const normal_draws = (layout.continuous + 3) / 4, choice_draws = (layout.discrete + 3) / 4;  // of four words
  int const drawn_as = args.drawn_as ? args.drawn_as[slot] : agent;
  auto const first_draw = std::uint32_t(drawn_as * (normal_draws + choice_draws));
  Random random = args.random;
  random.instance = std::uint32_t(instance);
  random.episode = *args.stage;
  float const* const parameters = args.parameters + row * layout.parameters();
  if (args.kept_parameters)
    for (int k = 0; k < layout.parameters(); ++k) args.kept_parameters[slot * layout.parameters() + k] = parameters[k];
  float log_probability = 0, entropy = 0;
  Words words{};
  for (int h = 0; h < layout.continuous; h += 2) {
    if (h % 4 == 0) words = random.draw(args.purpose, first_draw + std::uint32_t(h / 4));
    float noise[2];
    words.normals(h % 4 / 2, noise[0], noise[1]);
    for (int k = 0; k < 2 && h + k < layout.continuous; ++k) {
      float const log_sd = args.log_sd[h + k];
      args.continuous[slot * layout.continuous + h + k] = parameters[h + k] + shoal::exp(log_sd) * noise[k];
      log_probability += -0.5f * noise[k] * noise[k] - log_sd - half_log_2pi;
      entropy += log_sd + 0.5f + half_log_2pi;
    }
  }
  int at = 0;
  for (int h = 0; h < layout.discrete; ++h) {
    if (h % 4 == 0) words = random.draw(args.purpose, first_draw + std::uint32_t(normal_draws + h / 4));
    float const unit = words.unit(h % 4);
    auto const* const legal = args.masks ? args.masks + slot * layout.total_choices + at : nullptr;
    args.discrete[slot * layout.discrete + h] = detail::sample_choice(
        parameters + layout.continuous + at, legal, layout.choices[h], unit, log_probability, entropy);
    at += layout.choices[h];
  }
  args.log_probabilities[slot] = log_probability;
  args.entropies[slot] = entropy;
}

}  // namespace shoal
