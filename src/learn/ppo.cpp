#include "shoal/learn/ppo.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <numeric>

#include "shoal/learn/ops.hpp"
#include "src/learn/fused_network.hpp"

namespace shoal {

namespace {

// Without bounds the coefficient would sink to 0 while KL stays small, and could never rise again.
constexpr double least_kl_coefficient = 1e-4, most_kl_coefficient = 1e4;

/// Slot t of a tensor of the rollout.
template <class T>
T* slot(at::Tensor const& tensor, int t) {
  return tensor.data_ptr<T>() + t * tensor.stride(0);
}

std::uint32_t const* value_of(at::Tensor const& whole) { return static_cast<std::uint32_t const*>(whole.data_ptr()); }

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
  order_ = at::empty_like(samples_);
  stage_ = at::zeros({}, whole.dtype(at::kInt));
  rate_ = at::zeros({}, real);
  stats_ = at::zeros({UpdateStats::count}, real);
  old_log_sd_ = at::zeros({rollout.actions.continuous}, real);
  norms_ = at::zeros({(network_.parameters().numel() + AdamArgs::chunk - 1) / AdamArgs::chunk + 3}, moments_.options());
  mean_ = at::zeros_like(network_.parameters());
  variance_ = at::zeros_like(network_.parameters());
  adam_step_ = at::zeros({}, real);
  kl_coefficient_ = at::full({}, config_.options.kl_coefficient, real);
  begin(0);
  if (config_.fused && device.is_cpu()) {
    fused_ = std::make_unique<FusedNetwork>(network_.shape());
    return;
  }
  auto const minibatch = samples_.numel() / config_.options.minibatches;
  minibatch_ = {.observations = at::empty({minibatch, rollout.width}, real),
                .d_parameters = at::empty({minibatch, rollout.actions.parameters()}, real),
                .d_values = at::empty({minibatch}, real),
                .d_log_sd = at::empty({minibatch, rollout.actions.continuous}, real),
                .terms = at::empty({minibatch, UpdateStats::count}, real)};
}

PpoLearner::PpoLearner(PpoLearner&&) noexcept = default;
PpoLearner::~PpoLearner() = default;

/// @param parameters  undefined: the values alone
void PpoLearner::infer(at::Tensor const& observations, at::Tensor const& parameters, at::Tensor const& values) {
  if (fused_) {
    fused_->use(network_.parameters());
    fused_->forward(observations.data_ptr<float>(), observations.size(0),
                    parameters.defined() ? parameters.data_ptr<float>() : nullptr, values.data_ptr<float>());
    return;
  }
  bool const plain = network_.shape().mean_limit <= 0;
  if (config_.fused && observations.is_cuda() && plain &&
      ops::infer(infer_args(network_, observations, parameters, values), observations.device()))
    return;
  if (parameters.defined()) network_.distribution_out(observations, parameters);
  network_.value_out(observations, values);
}

at::Tensor PpoLearner::own_rows(at::Tensor const& slot) const {
  return (alone_ ? slot : slot.index_select(1, agents_)).flatten(0, 1);
}

void PpoLearner::begin(std::int64_t stage, std::int64_t rate_stage) {
  stage_.fill_(stage);
  rate_.fill_(config_.options.learning_rate.rate(rate_stage));
}

void PpoLearner::explore_again() {
  at::NoGradGuard const no_grad;
  network_.log_sd().fill_(network_.shape().log_sd);
  for (auto const& tensor : {mean_, variance_, adam_step_}) tensor.zero_();
  kl_coefficient_.fill_(config_.options.kl_coefficient);
}

void PpoLearner::take(at::Tensor const& parameters) {
  explore_again();
  at::NoGradGuard const no_grad;
  network_.parameters().copy_(parameters);
}

void PpoLearner::act(Rollout const& rollout, int t) {
  at::NoGradGuard const no_grad;
  auto const& shape = rollout.shape;
  auto const rows = std::int64_t(shape.instances) * std::int64_t(config_.agents.size());
  auto const device = rollout.observations.device();
  float* parameters = slot<float>(rollout.parameters, t);
  at::Tensor own_parameters;  // of some of the agents
  if (fused_ && alone_) {
    fused_->use(network_.parameters());
    fused_->forward(slot<float>(rollout.observations, t), rows, parameters, slot<float>(rollout.values, t));
  } else {
    own_parameters = infer_slot(rollout, t);
    parameters = own_parameters.data_ptr<float>();
  }
  SampleArgs const args{
      .layout = shape.actions,
      .random = {.seed = config_.seed, .instance = 0, .episode = 0, .step = std::uint32_t(t)},
      .stage = value_of(stage_),
      .purpose = config_.purpose,
      .members = int(config_.agents.size()),
      .all_agents = shape.agents,
      .rows = rows,
      .agents = agents_.data_ptr<std::int32_t>(),
      .parameters = parameters,
      .log_sd = network_.log_sd().data_ptr<float>(),
      .masks = shape.masked ? slot<std::uint8_t>(rollout.masks, t) : nullptr,
      .continuous = slot<float>(rollout.continuous, t),
      .discrete = slot<std::int32_t>(rollout.discrete, t),
      .log_probabilities = slot<float>(rollout.log_probabilities, t),
      .entropies = slot<float>(rollout.entropies, t),
      .kept_parameters = alone_ ? nullptr : slot<float>(rollout.parameters, t),
      .common = config_.common,
      .drawn_as = rollout.drawn_as.defined() ? rollout.drawn_as.data_ptr<std::int32_t>() : nullptr,
  };
  ops::sample(args, device);
}

/// Values into slot t, and the distributions' parameters [rows, P]: in that slot too if all agents are this learner's.
at::Tensor PpoLearner::infer_slot(Rollout const& rollout, int t) {
  auto const observations = own_rows(rollout.observations.select(0, t));
  auto const parameter_slot = rollout.parameters.select(0, t), value_slot = rollout.values.select(0, t);
  auto const rows = observations.size(0);
  auto const parameters = alone_ ? parameter_slot.flatten(0, 1)
                                 : at::empty({rows, rollout.shape.actions.parameters()}, observations.options());
  auto const values = alone_ ? value_slot.flatten() : at::empty({rows}, observations.options());
  infer(observations, parameters, values);
  if (!alone_) value_slot.index_copy_(1, agents_.to(at::kLong), values.view({rollout.shape.instances, -1}));
  return parameters;
}

void PpoLearner::evaluate_end(Rollout const& rollout) {
  at::NoGradGuard const no_grad;
  auto const evaluate = [&](at::Tensor const& observations, at::Tensor const& slot) {  // [rows, A, width] -> [rows, A]
    auto const own = own_rows(observations);
    auto const values = at::empty({own.size(0)}, own.options());
    infer(own, {}, values);
    if (alone_)
      slot.copy_(values.view_as(slot));
    else
      slot.index_copy_(1, agents_.to(at::kLong), values.view({slot.size(0), -1}));
  };
  evaluate(rollout.observations.select(0, rollout.shape.steps), rollout.values.select(0, rollout.shape.steps));
  if (rollout.shape.truncates) evaluate(rollout.final_observations.flatten(0, 1), rollout.final_values.flatten(0, 1));
}

void PpoLearner::standardize_advantages(Rollout const& rollout) const {
  StandardizeArgs const args{.values = rollout.advantages.data_ptr<float>(),
                             .index = samples_.data_ptr<std::int64_t>(),
                             .count = samples_.numel(),
                             .partials = moments_.data_ptr<double>()};
  ops::standardize(args, samples_.device());
}

PpoLossArgs PpoLearner::loss_args(Rollout const& rollout, at::Tensor const& index) const {
  auto const& o = config_.options;
  auto const& shape = rollout.shape;
  return {.layout = shape.actions,
          .clip = float(o.clip),
          .value_weight = float(o.value_weight),
          .entropy_weight = float(o.entropy_weight),
          .scale = float(1.0 / double(index.numel())),
          .kl_coefficient = kl_coefficient_.data_ptr<float>(),
          .log_sd = network_.log_sd().data_ptr<float>(),
          .old_log_sd = old_log_sd_.data_ptr<float>(),
          .index = index.data_ptr<std::int64_t>(),
          .rows = index.numel(),
          .old_parameters = rollout.parameters.data_ptr<float>(),
          .old_log_probabilities = rollout.log_probabilities.data_ptr<float>(),
          .advantages = rollout.advantages.data_ptr<float>(),
          .returns = rollout.returns.data_ptr<float>(),
          .continuous = rollout.continuous.data_ptr<float>(),
          .discrete = rollout.discrete.data_ptr<std::int32_t>(),
          .masks = shape.masked ? rollout.masks.data_ptr<std::uint8_t>() : nullptr,
          .outputs = {}};
}

/// Sets the network's gradients. @param count  add the mean terms to the statistics
void PpoLearner::differentiate(PpoLossArgs args, Rollout const& rollout, bool count) {
  if (!fused_) return differentiate_with_autograd(args, rollout, count);
  fused_->use(network_.parameters());
  auto const terms = fused_->gradients(args, rollout.observations, network_.gradients());
  if (!count) return;
  float* const to = stats_.data_ptr<float>();
  to[UpdateStats::policy_loss] += args.scale * terms.policy_loss;
  to[UpdateStats::value_loss] += args.scale * terms.value_loss;
  to[UpdateStats::kl] += args.scale * terms.kl;
  to[UpdateStats::entropy] += args.scale * terms.entropy;
}

void PpoLearner::differentiate_with_autograd(PpoLossArgs args, Rollout const& rollout, bool count) {
  auto const device = samples_.device();
  auto& batch = minibatch_;
  int const row_bytes = rollout.shape.width * int(sizeof(float));
  ops::gather({.fields = {{static_cast<std::uint8_t const*>(rollout.observations.data_ptr()),
                           static_cast<std::uint8_t*>(batch.observations.data_ptr()), row_bytes}},
               .count = 1,
               .index = args.index,
               .rows = args.rows},
              device);
  auto const parameters = network_.distribution(batch.observations);
  auto const values = network_.value(batch.observations);
  args.outputs = {.parameters = parameters.data_ptr<float>(),
                  .values = values.data_ptr<float>(),
                  .d_parameters = batch.d_parameters.data_ptr<float>(),
                  .d_values = batch.d_values.data_ptr<float>(),
                  .d_log_sd = batch.d_log_sd.data_ptr<float>(),
                  .terms = static_cast<PpoTerms*>(batch.terms.data_ptr()),
                  .parameter_stride = args.layout.parameters(),
                  .value_stride = 1};
  ops::ppo_loss(args, device);
  network_.gradients().zero_();
  torch::autograd::backward({parameters, values}, {batch.d_parameters, batch.d_values});
  at::NoGradGuard const no_grad;
  network_.log_sd().grad().add_(batch.d_log_sd.sum(0));
  if (count) stats_.add_(batch.terms.mean(0));
}

void PpoLearner::descend() {
  auto const& parameters = network_.parameters();
  ops::adam({.parameters = parameters.data_ptr<float>(),
             .gradients = network_.gradients().data_ptr<float>(),
             .mean = mean_.data_ptr<float>(),
             .variance = variance_.data_ptr<float>(),
             .count = parameters.numel(),
             .max_norm = float(config_.options.max_grad_norm),
             .rate = rate_.data_ptr<float>(),
             .step = adam_step_.data_ptr<float>(),
             .partials = norms_.data_ptr<double>()},
            parameters.device());
  parameters.unsafeGetTensorImpl()->bump_version();
}

/// The samples in the order in which the epoch takes them.
at::Tensor const& PpoLearner::order_of(int epoch) {
  if (config_.options.minibatches == 1) return samples_;
  ops::shuffle({.from = samples_.data_ptr<std::int64_t>(),
                .to = order_.data_ptr<std::int64_t>(),
                .count = std::uint32_t(samples_.numel()),
                .place = {config_.seed, config_.stream, 0, std::uint32_t(epoch)},
                .stage = value_of(stage_)},
               order_.device());
  return order_;
}

UpdateStats PpoLearner::update(Rollout const& rollout) {
  auto const& o = config_.options;
  standardize_advantages(rollout);
  {
    at::NoGradGuard const no_grad;
    old_log_sd_.copy_(network_.log_sd());
    stats_.zero_();
  }
  auto const rows = samples_.numel() / o.minibatches;
  for (int epoch = 0; epoch < o.epochs; ++epoch) {
    auto const& order = order_of(epoch);
    for (int m = 0; m < o.minibatches; ++m) {
      differentiate(loss_args(rollout, order.narrow(0, m * rows, rows)), rollout, epoch == o.epochs - 1);
      descend();
    }
  }
  stats_.div_(double(o.minibatches));
  adapt_kl_coefficient();
  return {stats_};
}

void PpoLearner::adapt_kl_coefficient() {
  auto const& o = config_.options;
  if (o.kl_coefficient == 0) return;  // no penalty, for ever
  auto const kl = stats_[UpdateStats::kl];
  kl_coefficient_
      .mul_(at::where(kl > 2 * o.kl_target, at::full_like(kl, 1.5),
                      at::where(kl < 0.5 * o.kl_target, at::full_like(kl, 0.5), at::ones_like(kl))))
      .clamp_(least_kl_coefficient, most_kl_coefficient);
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
