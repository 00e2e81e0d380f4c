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

/// @param counts  1 for the returns that count, [T, N, A]  @return [T, N or 1, 1]
at::Tensor ReinforceLearner::baseline(at::Tensor const& returns, at::Tensor const& counts) const {
  auto const sums = [](at::Tensor const& x, at::Tensor const& of, at::IntArrayRef over) {
    return std::pair{(x * of).sum(over, true), of.sum(over, true)};
  };
  switch (options_.baseline) {
    case ReinforceBaseline::batch: {
      auto const [sum, count] = sums(returns.index_select(2, agents_), counts.index_select(2, agents_), {1, 2});
      collective().sum(sum);
      collective().sum(count);
      return sum / count.clamp_min(1);
    }
    case ReinforceBaseline::agents: {
      auto const [sum, count] = sums(returns, counts, {2});
      return sum / count.clamp_min(1);
    }
    case ReinforceBaseline::none: break;
  }
  return at::zeros({1, 1, 1}, returns.options());
}

/// Fills this learner's advantages. @return [T, N, A], 1 for the steps whose episode ends within the rollout
at::Tensor ReinforceLearner::subtract_baseline(Rollout const& rollout) const {
  at::NoGradGuard const no_grad;
  auto const ends = rollout.ended.ne(0).to(at::kFloat);
  auto const whole = ends.flip(0).cumsum(0).flip(0).gt(0).to(at::kFloat);
  auto const counts = rollout.alive.defined() ? whole * rollout.alive.narrow(0, 0, rollout.shape.steps) : whole;
  auto const advantages = rollout.returns - baseline(rollout.returns, counts);
  rollout.advantages.index_copy_(2, agents_, advantages.index_select(2, agents_));
  return whole;
}

/// Returns are those of all agents: a baseline may be the mean over them.
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
  begin_update(rollout, options_.loss, whole);
  auto const steps = samples_of_steps();
  for (auto const& index : steps) take_step(rollout, index);
  auto const samples_of_all = samples().numel() * collective().size();
  end_update(options_.loss == Loss::sum ? double(samples_of_all) : double(steps.size()));
}

/// The samples of each step of the optimizer: all, or those of an agent at a time.
std::vector<at::Tensor> ReinforceLearner::samples_of_steps() const {
  if (options_.update == ReinforceUpdate::joint) return {samples()};
  std::vector<at::Tensor> all;
  for (auto const& agent : starts().view({-1, agents_.numel()}).unbind(1))
    all.push_back(samples_of(agent).contiguous());
  return all;
}

/// The log-probabilities are those of the present policy: a step before this one, for another agent, makes no ratio.
void ReinforceLearner::take_step(Rollout const& rollout, at::Tensor const& index) {
  auto args = loss_args(rollout, index, options_.loss == Loss::sum ? 1 : index.numel() * collective().size());
  args.old_log_probabilities = nullptr;
  args.entropy_weight = float(options_.entropy_weight);
  differentiate(args, rollout, true);
  descend(options_.max_grad_norm);
}

at::Tensor ReinforceLearner::figures() const {
  auto const all = PolicyGradientLearner::figures();
  return at::cat({all.narrow(0, 0, 1), all.narrow(0, 3, 1)});
}

}  // namespace shoal
