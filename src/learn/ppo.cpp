#include "shoal/learn/ppo.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "shoal/learn/ops.hpp"

namespace shoal {

namespace {

constexpr double adam_beta1 = 0.9, adam_beta2 = 0.999, adam_epsilon = 1e-5;

// Without bounds the coefficient would sink to 0 while KL stays small, and could never rise again.
constexpr double least_kl_coefficient = 1e-4, most_kl_coefficient = 1e4;

at::Generator make_generator(at::Device device, std::uint64_t seed) {
  if (device.is_cpu()) return at::detail::createCPUGenerator(seed);
  auto generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

// [time, instance, agent, ...] without the slot after the last step, as rows of samples.
at::Tensor sample_rows(at::Tensor const& tensor, int steps) {
  if (!tensor.defined()) return tensor;
  return tensor.narrow(0, 0, steps).flatten(0, 2);
}

bool all_agents(std::vector<int> const& agents, int count) {
  std::vector<int> all(std::size_t(count), 0);
  std::iota(all.begin(), all.end(), 0);
  return agents == all;
}

}  // namespace

double Schedule::rate(std::int64_t stage) const { return base * std::pow(1 + double(stage) / scale, -exponent); }

PpoLearner::PpoLearner(Config config, NetworkShape network, RolloutShape const& rollout, at::Device device)
    : config_(std::move(config)),
      alone_(all_agents(config_.agents, rollout.agents)),
      network_(std::move(network), derived_seed(config_.seed, Purpose::initial, config_.stream), device) {
  auto const whole = at::TensorOptions().dtype(at::kLong).device(device);
  auto const real = at::TensorOptions().dtype(at::kFloat).device(device);
  std::vector<std::int64_t> const members(config_.agents.begin(), config_.agents.end());
  auto const own = at::tensor(members, at::TensorOptions().dtype(at::kLong)).to(device);
  agents_ = own.to(at::kInt);
  auto const rows = at::arange(std::int64_t(rollout.steps) * rollout.instances, whole);
  samples_ = (rows.unsqueeze(1) * rollout.agents + own.unsqueeze(0)).flatten();
  auto const chunks = (samples_.numel() + StandardizeArgs::chunk - 1) / StandardizeArgs::chunk;
  moments_ = at::zeros({2, chunks}, real.dtype(at::kDouble));
  mean_ = at::zeros_like(network_.parameters());
  variance_ = at::zeros_like(network_.parameters());
  adam_step_ = at::zeros({}, real);
  kl_coefficient_ = at::full({}, config_.options.kl_coefficient, real);
  auto const samples = samples_.numel();
  minibatch_ = make_minibatch(rollout, samples / config_.options.minibatches, device);
}

at::Tensor PpoLearner::own_rows(at::Tensor const& slot) const {
  return (alone_ ? slot : slot.index_select(1, agents_)).flatten(0, 1);
}

void PpoLearner::act(Rollout const& rollout, int t, std::int64_t stage) {
  at::NoGradGuard const no_grad;
  auto const& shape = rollout.shape;
  auto const& layout = shape.actions;
  auto const observations = own_rows(rollout.observations.select(0, t));
  auto const parameter_slot = rollout.parameters.select(0, t), value_slot = rollout.values.select(0, t);
  auto const rows = observations.size(0);
  auto const parameters =
      alone_ ? parameter_slot.flatten(0, 1) : at::empty({rows, layout.parameters()}, observations.options());
  network_.distribution_out(observations, parameters);
  if (alone_) {
    network_.value_out(observations, value_slot.flatten());
  } else {
    auto const values = at::empty({rows}, observations.options());
    network_.value_out(observations, values);
    value_slot.index_copy_(1, agents_.to(at::kLong), values.view({shape.instances, -1}));
  }
  SampleArgs const args{
      .layout = layout,
      .random = {config_.seed, 0, std::uint32_t(stage), std::uint32_t(t)},
      .purpose = config_.purpose,
      .members = int(config_.agents.size()),
      .all_agents = shape.agents,
      .rows = rows,
      .agents = agents_.data_ptr<std::int32_t>(),
      .parameters = parameters.data_ptr<float>(),
      .log_sd = network_.log_sd().data_ptr<float>(),
      .masks = shape.masked ? rollout.masks.select(0, t).data_ptr<std::uint8_t>() : nullptr,
      .continuous = rollout.continuous.select(0, t).data_ptr<float>(),
      .discrete = rollout.discrete.select(0, t).data_ptr<std::int32_t>(),
      .log_probabilities = rollout.log_probabilities.select(0, t).data_ptr<float>(),
      .entropies = rollout.entropies.select(0, t).data_ptr<float>(),
      .kept_parameters = alone_ ? nullptr : parameter_slot.data_ptr<float>(),
  };
  ops::sample(args, observations.device());
}

void PpoLearner::evaluate_end(Rollout const& rollout) {
  at::NoGradGuard const no_grad;
  auto const evaluate = [&](at::Tensor const& observations, at::Tensor const& slot) {  // [rows, A, width] -> [rows, A]
    auto const own = own_rows(observations);
    auto const values = at::empty({own.size(0)}, own.options());
    network_.value_out(own, values);
    if (alone_)
      slot.copy_(values.view_as(slot));
    else
      slot.index_copy_(1, agents_.to(at::kLong), values.view({slot.size(0), -1}));
  };
  evaluate(rollout.observations.select(0, rollout.shape.steps), rollout.values.select(0, rollout.shape.steps));
  if (rollout.shape.truncates) evaluate(rollout.final_observations.flatten(0, 1), rollout.final_values.flatten(0, 1));
}

PpoLearner::Minibatch PpoLearner::make_minibatch(RolloutShape const& shape, std::int64_t rows,
                                                 at::Device device) const {
  auto const real = at::TensorOptions().dtype(at::kFloat).device(device);
  auto const& layout = shape.actions;
  Minibatch batch{.observations = at::empty({rows, shape.width}, real),
                  .parameters = at::empty({rows, layout.parameters()}, real),
                  .log_probabilities = at::empty({rows}, real),
                  .advantages = at::empty({rows}, real),
                  .returns = at::empty({rows}, real),
                  .actions = {}};
  if (layout.continuous > 0) batch.actions.continuous = at::empty({rows, layout.continuous}, real);
  if (layout.discrete > 0) batch.actions.discrete = at::empty({rows, layout.discrete}, real.dtype(at::kInt));
  if (shape.masked) batch.actions.masks = at::empty({rows, layout.total_choices}, real.dtype(at::kByte));
  return batch;
}

void PpoLearner::gather(Rollout const& rollout, at::Tensor const& index, Minibatch& batch) const {
  GatherArgs args{.fields = {}, .count = 0, .index = index.data_ptr<std::int64_t>(), .rows = index.numel()};
  auto const field = [&](at::Tensor const& from, at::Tensor const& to) {
    if (!to.defined()) return;
    auto const rows = sample_rows(from, rollout.shape.steps);
    args.fields[args.count++] = {static_cast<std::uint8_t const*>(rows.data_ptr()),
                                 static_cast<std::uint8_t*>(to.data_ptr()),
                                 int(to.element_size() * to.numel() / to.size(0))};
  };
  field(rollout.observations, batch.observations);
  field(rollout.parameters, batch.parameters);
  field(rollout.log_probabilities, batch.log_probabilities);
  field(rollout.advantages, batch.advantages);
  field(rollout.returns, batch.returns);
  field(rollout.continuous, batch.actions.continuous);
  field(rollout.discrete, batch.actions.discrete);
  field(rollout.masks, batch.actions.masks);
  ops::gather(args, index.device());
}

void PpoLearner::standardize_advantages(Rollout const& rollout) const {
  StandardizeArgs const args{.values = rollout.advantages.data_ptr<float>(),
                             .index = samples_.data_ptr<std::int64_t>(),
                             .count = samples_.numel(),
                             .partials = moments_.data_ptr<double>()};
  ops::standardize(args, samples_.device());
}

at::Tensor PpoLearner::loss(Minibatch const& batch, at::Tensor const& old_log_sd, at::Tensor const& stats) const {
  auto const& o = config_.options;
  auto const& layout = network_.shape().actions;
  auto const parameters = network_.distribution(batch.observations);
  auto const log_p = log_probability(layout, parameters, network_.log_sd(), batch.actions);
  auto const ratio = at::exp(log_p - batch.log_probabilities);
  auto surrogate = ratio * batch.advantages;
  if (o.clip > 0) surrogate = at::minimum(surrogate, ratio.clamp(1 - o.clip, 1 + o.clip) * batch.advantages);
  auto const policy_loss = -surrogate.mean();
  auto const value_loss = (network_.value(batch.observations) - batch.returns).square().mean().mul(0.5);
  auto const kl =
      kl_divergence(layout, batch.parameters, old_log_sd, parameters, network_.log_sd(), batch.actions.masks).mean();
  auto loss = policy_loss + o.value_weight * value_loss + kl_coefficient_ * kl;
  auto const h = entropy(layout, parameters, network_.log_sd(), batch.actions.masks).mean();
  if (o.entropy_weight != 0) loss = loss - o.entropy_weight * h;
  if (stats.defined()) {
    at::NoGradGuard const no_grad;
    stats.add_(at::stack({policy_loss, value_loss, kl, h}));
  }
  return loss;
}

void PpoLearner::descend(std::int64_t stage) {
  at::NoGradGuard const no_grad;
  auto const& gradients = network_.gradients();
  if (double const most = config_.options.max_grad_norm; most > 0)
    gradients.mul_((most / (gradients.norm() + 1e-6)).clamp_max(1.0));
  adam_step_.add_(1);
  at::_fused_adam_({network_.parameters()}, {gradients}, {mean_}, {variance_}, {}, {adam_step_},
                   config_.options.learning_rate.rate(stage), adam_beta1, adam_beta2, /*weight_decay=*/0, adam_epsilon,
                   /*amsgrad=*/false, /*maximize=*/false);
}

UpdateStats PpoLearner::update(Rollout const& rollout, std::int64_t stage) {
  auto const& o = config_.options;
  auto const device = samples_.device();
  standardize_advantages(rollout);
  auto const old_log_sd = network_.log_sd().detach().clone();
  UpdateStats const stats{at::zeros({UpdateStats::count}, network_.parameters().options())};
  auto const generator =
      make_generator(device, derived_seed(config_.seed, Purpose::permutation, std::uint32_t(stage), config_.stream));
  auto const rows = samples_.numel() / o.minibatches;
  for (int epoch = 0; epoch < o.epochs; ++epoch) {
    auto const order = o.minibatches == 1
                           ? samples_
                           : samples_.index_select(0, at::randperm(samples_.numel(), generator, samples_.options()));
    for (int m = 0; m < o.minibatches; ++m) {
      gather(rollout, order.narrow(0, m * rows, rows), minibatch_);
      network_.gradients().zero_();
      loss(minibatch_, old_log_sd, epoch == o.epochs - 1 ? stats.values : at::Tensor()).backward();
      descend(stage);
    }
  }
  at::NoGradGuard const no_grad;
  stats.values.div_(double(o.minibatches));
  auto const kl = stats.values[UpdateStats::kl];
  if (o.kl_coefficient == 0) return stats;  // no penalty, for ever
  kl_coefficient_
      .mul_(at::where(kl > 2 * o.kl_target, at::full_like(kl, 1.5),
                      at::where(kl < 0.5 * o.kl_target, at::full_like(kl, 0.5), at::ones_like(kl))))
      .clamp_(least_kl_coefficient, most_kl_coefficient);
  return stats;
}

std::vector<at::Tensor> PpoLearner::state() const {
  return {network_.parameters(), mean_, variance_, adam_step_, kl_coefficient_};
}

void estimate_advantages(Rollout const& rollout, double discount, double lambda) {
  auto const& shape = rollout.shape;
  GaeArgs const args{.steps = shape.steps,
                     .columns = std::int64_t(shape.instances) * shape.agents,
                     .discount = float(discount),
                     .lambda = float(lambda),
                     .rewards = rollout.rewards.data_ptr<float>(),
                     .values = rollout.values.data_ptr<float>(),
                     .final_values = shape.truncates ? rollout.final_values.data_ptr<float>() : nullptr,
                     .ended = rollout.ended.data_ptr<std::uint8_t>(),
                     .advantages = rollout.advantages.data_ptr<float>(),
                     .returns = rollout.returns.data_ptr<float>()};
  ops::gae(args, rollout.rewards.device());
}

}  // namespace shoal
