#include "shoal/learn/policy_gradient.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "shoal/ops/ops.hpp"
#include "shoal/ops/parallel.hpp"

namespace shoal {

double Schedule::rate(std::int64_t stage) const { return base * std::pow(1 + double(stage) / scale, -exponent); }

PolicyGradientLearner::PolicyGradientLearner(Schedule const& rate, ActorConfig actor, NetworkShape network,
                                             RolloutShape const& rollout, at::Device device)
    : schedule_(rate),
      actor_(make_stochastic_actor(std::move(actor), std::move(network), rollout, device)),
      optimizer_(actor_->parameters()) {
  auto const whole = at::TensorOptions().dtype(at::kLong).device(device);
  auto const real = at::TensorOptions().dtype(at::kFloat).device(device);
  auto const length = actor_->sequence();
  auto const all = sample_rows(rollout, actor_->agents(), device);
  starts_ = all.view({rollout.steps, -1}).slice(0, 0, rollout.steps, length).flatten();
  if (length > 1)
    offsets_ = at::arange(length, whole).unsqueeze(1) * (std::int64_t(rollout.instances) * rollout.agents);
  samples_ = samples_of(starts_);
  places_ = collective().is_alone() ? starts_ : own_places(rollout.steps / length);
  order_ = at::empty_like(places_);
  stage_ = at::zeros({}, whole.dtype(at::kInt));
  figures_ = at::zeros({4}, real);
  mean_kl_ = figures_[2];
  old_log_sd_ = at::zeros({rollout.actions.continuous}, real);
  auto const chunks = (samples_.numel() + StandardizeArgs::chunk - 1) / StandardizeArgs::chunk;
  moments_ = at::zeros({2, chunks}, real.dtype(at::kDouble));
  no_penalty_ = at::zeros({}, real);
  entropy_ = at::zeros({}, real);
  begin(0, 0);
}

void PolicyGradientLearner::begin(std::int64_t stage, std::int64_t rate_stage) {
  actor_->begin(stage);
  stage_.fill_(stage);
  optimizer_.set_rate(schedule_.rate(rate_stage));
}

void PolicyGradientLearner::explore_again() {
  at::NoGradGuard const no_grad;
  actor_->log_sd().fill_(actor_->network_shape().log_sd);
  optimizer_.reset();
}

NamedTensors PolicyGradientLearner::state() const {
  NamedTensors all{{"parameters", actor_->parameters()}};
  for (auto const& [name, tensor, axis] : optimizer_.state()) all.push_back({"adam." + name, tensor});
  if (auto const memory = actor_->memory(); memory.defined()) all.push_back({"memory", memory, 0});
  return all;
}

/// Dead agents' rows keep their places, so that a captured graph stays valid: they count with weight 0.
void PolicyGradientLearner::weigh_samples(Rollout const& rollout, Loss loss, at::Tensor const& counts) {
  if (!rollout.alive.defined() && !counts.defined()) return;
  auto own = at::ones({samples_.numel()}, entropy_.options());
  if (counts.defined()) own = own * counts.flatten().index_select(0, samples_);
  if (rollout.alive.defined()) own = own * rollout.alive.flatten().index_select(0, samples_);
  if (!weights_.defined()) weights_ = at::zeros_like(rollout.rewards);
  if (loss == Loss::mean) {
    auto const mean = own.mean();
    collective().average(mean);
    own = own / mean.clamp_min(1e-12);
  }
  weights_.view(-1).index_copy_(0, samples_, own);
}

void PolicyGradientLearner::begin_update(Rollout const& rollout, Loss loss, at::Tensor const& counts) {
  at::NoGradGuard const no_grad;
  weigh_samples(rollout, loss, counts);
  old_log_sd_.copy_(actor_->log_sd());
  figures_.zero_();
  ThreadScope const one_thread(1);  // LibTorch rounds sums differently on another number of threads
  auto const own = [&](at::Tensor const& x) { return actor_->is_alone() ? x : x.flatten().index_select(0, samples_); };
  if (weights_.defined()) {
    auto const sum = own(rollout.entropies * weights_).sum(), weight = own(weights_).sum();
    collective().sum(sum);
    collective().sum(weight);
    entropy_.copy_(sum / weight.clamp_min(1e-12));
  } else {
    entropy_.copy_(own(rollout.entropies).mean());
    collective().average(entropy_);
  }
}

PpoLossArgs PolicyGradientLearner::loss_args(Rollout const& rollout, at::Tensor const& index,
                                             std::int64_t count) const {
  auto const& shape = rollout.shape;
  return {.layout = shape.actions,
          .clip = 0,
          .value_weight = 0,
          .entropy_weight = 0,
          .scale = float(1.0 / double(count)),
          .kl_coefficient = no_penalty_.data_ptr<float>(),
          .log_sd = actor_->log_sd().data_ptr<float>(),
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
          .outputs = {},
          .weights = weights_.defined() ? weights_.data_ptr<float>() : nullptr};
}

void PolicyGradientLearner::differentiate(PpoLossArgs const& args, Rollout const& rollout, bool count) {
  actor_->differentiate(args, rollout, count ? figures_ : at::Tensor());
  collective().sum(actor_->gradients());
}

void PolicyGradientLearner::descend(double max_grad_norm) {
  optimizer_.descend(actor_->parameters(), actor_->gradients(), max_grad_norm);
}

void PolicyGradientLearner::end_update(double batches) {
  at::NoGradGuard const no_grad;
  collective().sum(figures_);
  figures_.div_(batches);
  figures_[3].copy_(entropy_);
}

at::Tensor PolicyGradientLearner::samples_of(at::Tensor const& starts) const {
  return offsets_.defined() ? (offsets_ + starts).flatten() : starts;
}

at::Tensor PolicyGradientLearner::minibatch(int epoch, int m, int minibatches) {
  if (minibatches == 1) return starts_;
  if (m == 0) shuffle(epoch);
  auto const count = all_starts() / minibatches;
  auto const part = order_.narrow(0, m * count, count);
  return collective().is_alone() ? part : part.masked_select(part.ge(0));
}

void PolicyGradientLearner::shuffle(int epoch) {
  auto const& config = actor_->config();
  ops::shuffle({.from = places_.data_ptr<std::int64_t>(),
                .to = order_.data_ptr<std::int64_t>(),
                .count = std::uint32_t(places_.numel()),
                .place = {config.seed, config.stream, 0, std::uint32_t(epoch)},
                .stage = static_cast<std::uint32_t const*>(stage_.data_ptr())},
               order_.device());
}

/// Of all processes' sequences, as one process with all instances counts them: where each begins, and -1 for those of
/// others. @param begins  steps in which sequences begin
at::Tensor PolicyGradientLearner::own_places(std::int64_t begins) const {
  auto const& all = collective();
  auto const places = at::full({begins, all.size(), starts_.numel() / begins}, -1, starts_.options());
  places.select(1, all.rank()).copy_(starts_.view({begins, -1}));
  return places.flatten();
}

/// standardize_advantages() of all processes together.
void PolicyGradientLearner::standardize_all(at::Tensor const& advantages) const {
  auto const values = advantages.flatten().index_select(0, samples_).to(at::kDouble);
  auto const weights =
      weights_.defined() ? weights_.flatten().index_select(0, samples_).to(at::kDouble) : at::ones_like(values);
  auto const moments = at::stack({(weights * values).mean(), (weights * values * values).mean()});
  collective().average(moments);
  auto const deviation = (moments[1] - moments[0] * moments[0]).clamp_min(0).sqrt();
  auto const standard = (values - moments[0]) * (1 / (deviation + 1e-8));
  advantages.view(-1).index_copy_(0, samples_, standard.to(at::kFloat));
}

void PolicyGradientLearner::standardize_advantages(Rollout const& rollout) const {
  if (!collective().is_alone()) return standardize_all(rollout.advantages);
  ops::standardize({.values = rollout.advantages.data_ptr<float>(),
                    .index = samples_.data_ptr<std::int64_t>(),
                    .count = samples_.numel(),
                    .partials = moments_.data_ptr<double>(),
                    .weights = weights_.defined() ? weights_.data_ptr<float>() : nullptr},
                   samples_.device());
}

void estimate_advantages(Rollout const& rollout, Actor const& actor, double discount, double lambda) {
  auto const& shape = rollout.shape;
  ops::gae({.steps = shape.steps,
            .columns = std::int64_t(shape.instances) * std::int64_t(actor.agents().size()),
            .discount = float(discount),
            .lambda = float(lambda),
            .rewards = rollout.rewards.data_ptr<float>(),
            .values = rollout.values.data_ptr<float>(),
            .final_values = shape.truncates ? rollout.final_values.data_ptr<float>() : nullptr,
            .ended = rollout.ended.data_ptr<std::uint8_t>(),
            .advantages = rollout.advantages.data_ptr<float>(),
            .returns = rollout.returns.data_ptr<float>(),
            .agents = actor.some_agents(),
            .members = int(actor.agents().size()),
            .all_agents = shape.agents,
            .stride = std::int64_t(shape.instances) * shape.agents},
           rollout.rewards.device());
}

}  // namespace shoal
