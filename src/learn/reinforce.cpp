#include "shoal/learn/reinforce.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

ReinforceLearner::ReinforceLearner(ReinforceOptions const& options, ActorConfig actor, NetworkShape network,
                                   RolloutShape const& rollout, at::Device device)
    : PolicyGradientLearner(options.learning_rate, std::move(actor), std::move(network), rollout, device),
      options_(options),
      zeros_(at::zeros({rollout.steps + 1, rollout.instances, rollout.agents},
                       at::TensorOptions().dtype(at::kFloat).device(device))),
      agents_(at::tensor(this->actor().agents(), at::TensorOptions().dtype(at::kLong)).to(device)) {}

/// @param counts  1 for the returns that count, like `returns` [T, N, members]  @return [T, N or 1, 1]
at::Tensor ReinforceLearner::baseline(at::Tensor const& returns, at::Tensor const& counts) const {
  if (options_.baseline == ReinforceBaseline::none) return at::zeros({1, 1, 1}, returns.options());
  auto const over =
      options_.baseline == ReinforceBaseline::batch ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{2};
  return (returns * counts).sum(over, true) / counts.sum(over, true).clamp_min(1);
}

/// Fills this learner's advantages. @return [T, N, A], 1 for the steps whose episode ends within the rollout
at::Tensor ReinforceLearner::subtract_baseline(Rollout const& rollout) const {
  at::NoGradGuard const no_grad;
  auto const ends = rollout.ended.ne(0).to(at::kFloat);
  auto const whole = ends.flip(0).cumsum(0).flip(0).gt(0).to(at::kFloat);
  auto counts = whole.index_select(2, agents_);
  if (rollout.alive.defined())
    counts = counts * rollout.alive.narrow(0, 0, rollout.shape.steps).index_select(2, agents_);
  auto const returns = rollout.returns.index_select(2, agents_);
  rollout.advantages.index_copy_(2, agents_, returns - baseline(returns, counts));
  return whole;
}

void ReinforceLearner::update(Rollout const& rollout) {
  auto const no_critic = zeros_.data_ptr<float>();
  ops::gae({.steps = rollout.shape.steps,
            .columns = std::int64_t(rollout.shape.instances) * rollout.shape.agents,
            .discount = float(options_.discount),
            .lambda = 1,
            .rewards = rollout.rewards.data_ptr<float>(),
            .values = no_critic,
            .final_values = no_critic,
            .ended = rollout.ended.data_ptr<std::uint8_t>(),
            .advantages = rollout.advantages.data_ptr<float>(),
            .returns = rollout.returns.data_ptr<float>()},
           rollout.rewards.device());
  auto const whole = subtract_baseline(rollout);
  begin_update(rollout, whole);
  auto args = loss_args(rollout, samples());
  args.entropy_weight = float(options_.entropy_weight);
  differentiate(args, rollout, true);
  descend(options_.max_grad_norm);
  end_update(1);
}

}  // namespace shoal
