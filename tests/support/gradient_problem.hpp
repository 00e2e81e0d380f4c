// A minibatch of some samples of a rollout, and a network that has moved on since they were drawn: what the kernel of
// gradients is tested with, on the CPU and on CUDA.
#pragma once

#include "shoal/nn/distribution.hpp"
#include "shoal/nn/network.hpp"
#include "support/helpers.hpp"

namespace shoal::test {

struct GradientCase {
  NetworkShape shape;
  bool masked = false, weighted = false;
};

inline NetworkShape gradient_shape(int inputs, std::vector<int> hidden, ActionLayout const& layout) {
  return {.inputs = inputs, .hidden = std::move(hidden), .actions = layout};
}

/// Widths that are multiples of the patches and that are not; no hidden layer; heads of both kinds, masks and weights.
inline std::vector<GradientCase> gradient_cases() {
  return {{gradient_shape(21, {64, 64}, heads(3, {}))},
          {gradient_shape(3, {8}, heads(0, {4, 2})), true},
          {gradient_shape(1, {7, 17}, heads(1, {3})), true, true},
          {gradient_shape(5, {}, heads(2, {})), false, true},
          {gradient_shape(23, {32, 64, 32}, heads(0, {5}))}};
}

struct GradientProblem {
  static constexpr double clip = 0.2, value_weight = 0.7, entropy_weight = 0.03;

  GradientCase of;
  std::int64_t rows, samples;
  ActorCritic network;
  at::Tensor index, observations, old_log_sd, old_parameters, old_log_probabilities, advantages, returns, weights;
  ActionRows actions;
  at::Tensor kl_coefficient = at::full({}, 0.4, at::kFloat), terms = at::zeros({4}, at::kFloat);

  GradientProblem(GradientCase const& c, std::int64_t count)
      : of(c), rows(count), samples(2 * count + 3), network(c.shape, 1, at::kCPU) {
    auto const& layout = c.shape.actions;
    index = at::randperm(samples, at::detail::createCPUGenerator(1), at::kLong).narrow(0, 0, rows).contiguous();
    observations = random_normal({samples, c.shape.inputs}, 2);
    network.parameters().add_(random_normal(network.parameters().sizes(), 3) * 0.2);
    old_log_sd = network.log_sd().detach() + random_normal({layout.continuous}, 4) * 0.2;
    auto const now = PlainNetwork(c.shape, network.parameters().detach()).distribution(observations);
    old_parameters = (now + random_normal(now.sizes(), 5) * 0.4).contiguous();
    advantages = random_normal({samples}, 7);
    returns = random_normal({samples}, 8);
    if (c.masked) actions.masks = random_masks(layout, samples, 9);
    if (c.weighted) weights = (random_unit({samples}, 10) * 2).to(at::kFloat);
    actions.continuous = random_normal({samples, layout.continuous}, 11);
    actions.discrete = at::zeros({samples, layout.discrete}, at::kInt);
    std::int64_t at = 0;
    for (int h = 0; h < layout.discrete; ++h) {
      auto chances = random_unit({samples, layout.choices[h]}, 12 + std::uint64_t(h)) + 0.01;
      if (c.masked) chances = chances * actions.masks.narrow(1, at, layout.choices[h]);
      actions.discrete.select(1, h).copy_(chances.argmax(1));
      at += layout.choices[h];
    }
    old_log_probabilities = log_probability(layout, old_parameters, old_log_sd, actions);
  }

  PpoLossArgs loss() const {
    auto const pointer = [](at::Tensor const& x) { return x.defined() ? x.data_ptr<float>() : nullptr; };
    return {.layout = of.shape.actions,
            .clip = float(clip),
            .value_weight = float(value_weight),
            .entropy_weight = float(entropy_weight),
            .scale = 1.0f / float(rows),
            .kl_coefficient = kl_coefficient.data_ptr<float>(),
            .log_sd = network.log_sd().data_ptr<float>(),
            .old_log_sd = old_log_sd.data_ptr<float>(),
            .index = index.data_ptr<std::int64_t>(),
            .rows = rows,
            .old_parameters = old_parameters.data_ptr<float>(),
            .old_log_probabilities = old_log_probabilities.data_ptr<float>(),
            .advantages = advantages.data_ptr<float>(),
            .returns = returns.data_ptr<float>(),
            .continuous = actions.continuous.data_ptr<float>(),
            .discrete = actions.discrete.data_ptr<std::int32_t>(),
            .masks = actions.masks.defined() ? actions.masks.data_ptr<std::uint8_t>() : nullptr,
            .outputs = {},
            .weights = pointer(weights)};
  }
  GradientArgs args() const { return gradient_args(network, loss(), observations, terms); }
};

/// By gradient.hpp, parts in the given order of visits. Leaves NaNs where nothing was written.
template <class Team = SerialTeam>
at::Tensor gradients_by_body(GradientProblem const& problem, Team team = {}, bool last_part_first = false) {
  problem.network.gradients().fill_(NAN);
  auto args = problem.args();
  std::vector<float> memory(std::size_t(args.memory()), NAN);
  std::vector<float> parts(std::size_t(args.parts_of_batch() * args.part_size()), NAN);
  std::vector<double> sums(fold_groups * fold_width, NAN);
  args.parts = parts.data();
  for (int p = 0; p < args.parts_of_batch(); ++p)
    gradient_part(team, args, memory.data(), last_part_first ? args.parts_of_batch() - 1 - p : p);
  for (std::int64_t block = 0; block * fold_width < args.part_size(); ++block)
    fold_gradients(team, args, sums.data(), block);
  return problem.network.gradients().clone();
}

}  // namespace shoal::test
