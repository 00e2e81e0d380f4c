#include "shoal/learn/recurrent_actor.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "shoal/core/error.hpp"
#include "src/nn/loss_gradient.hpp"

namespace shoal {

namespace {

int sequence_of(ActorConfig const& config, RolloutShape const& rollout) {
  int const sequence = config.sequence > 0 ? config.sequence : rollout.steps;
  if (rollout.steps % sequence != 0)
    throw InputError("sequences of " + std::to_string(sequence) + " steps do not divide a rollout of " +
                     std::to_string(rollout.steps));
  return sequence;
}

}  // namespace

RecurrentActor::RecurrentActor(ActorConfig config, NetworkShape network, RolloutShape const& rollout, at::Device device)
    : StochasticActor(std::move(config), rollout, device),
      network_(std::move(network), derived_seed(this->config().seed, Purpose::initial, this->config().stream), device),
      loss_(std::make_unique<LossGradient>(rollout.actions, device)),
      sequence_(sequence_of(this->config(), rollout)) {
  auto const rows = std::int64_t(rollout.instances) * std::int64_t(agents().size());
  auto const size = network_.shape().memory.state();
  state_ = at::zeros({rows, size}, parameters().options().requires_grad(false));
  starts_ = at::zeros({rollout.steps / sequence_, rows, size}, state_.options());
  auto const whole = state_.options().dtype(at::kLong);
  auto const own = at::tensor(agents(), at::kLong).to(device);
  row_of_ = at::full({rollout.instances, rollout.agents}, -1, whole);
  row_of_.index_copy_(1, own, at::arange(rows, whole).view({rollout.instances, -1}));
  row_of_ = row_of_.flatten();
}

RecurrentActor::~RecurrentActor() = default;

std::unique_ptr<Actor> RecurrentActor::copy(RolloutShape const& rollout, std::uint32_t seed) const {
  auto actor = std::make_unique<RecurrentActor>(ActorConfig{.agents = agents(), .group = config().group, .seed = seed},
                                                network_.shape(), rollout, parameters().device());
  at::NoGradGuard const no_grad;
  actor->parameters().copy_(parameters());
  return actor;
}

void RecurrentActor::forget() { state_.zero_(); }

/// @param observations  [instances, A, width]  @param values  [instances, A]
void RecurrentActor::evaluate(at::Tensor const& observations, at::Tensor const& values) const {
  put_rows(values, network_.step(own_rows(observations), state_).values);
}

/// What the step of slot t makes of the states. @param evaluates  final observations, where the rollout keeps them
void RecurrentActor::end_slot(Rollout const& rollout, int t, bool evaluates) {
  if (evaluates && rollout.shape.truncates)
    evaluate(rollout.final_observations.select(0, t), rollout.final_values.select(0, t));
  state_.mul_(own_rows(rollout.ended.select(0, t)).eq(0).to(at::kFloat).unsqueeze(1));
}

void RecurrentActor::act(Rollout const& rollout, int t) {
  at::NoGradGuard const no_grad;
  auto const steps = rollout.shape.steps;
  end_slot(rollout, (t + steps - 1) % steps, t > 0);
  if (t % sequence_ == 0) starts_.select(0, t / sequence_).copy_(state_);
  auto const next = network_.step(own_rows(rollout.observations.select(0, t)), state_);
  state_.copy_(next.state);
  put_rows(rollout.values.select(0, t), next.values);
  sample(rollout, t, next.distribution.data_ptr<float>(), network_.log_sd());
}

void RecurrentActor::evaluate_end(Rollout const& rollout) {
  at::NoGradGuard const no_grad;
  auto const last = rollout.shape.steps;
  end_slot(rollout, last - 1, true);
  evaluate(rollout.observations.select(0, last), rollout.values.select(0, last));
}

/// The states before sequences. @param samples  the first of each, [m]
at::Tensor RecurrentActor::starts_of(at::Tensor const& samples, RolloutShape const& shape) const {
  auto const columns = std::int64_t(shape.instances) * shape.agents;
  auto const sequences = samples.div(columns * sequence_, "floor");
  auto const rows = row_of_.index_select(0, samples.remainder(columns));
  return starts_.flatten(0, 1).index_select(0, sequences * state_.size(0) + rows);
}

void RecurrentActor::differentiate(PpoLossArgs const& args, Rollout const& rollout, at::Tensor const& terms) {
  auto const index = at::for_blob(const_cast<std::int64_t*>(args.index), {sequence_, args.rows / sequence_})
                         .options(row_of_.options())
                         .target_device(row_of_.device())
                         .make_tensor();
  auto const of_samples = [&](at::Tensor const& field, at::Tensor const& samples) {
    return field.flatten(0, 2).index_select(0, samples.flatten()).unflatten(0, samples.sizes());
  };
  auto const columns = std::int64_t(rollout.shape.instances) * rollout.shape.agents;
  auto const before = of_samples(rollout.ended, (index - columns).clamp_min(0));  // `ended` of the step before
  before.select(0, 0).zero_();                                                    // the kept states know of it
  auto const outputs =
      network_.sequence(of_samples(rollout.observations, index), starts_of(index.select(0, 0), rollout.shape), before);
  loss_->differentiate(args, outputs.distribution.flatten(0, 1), outputs.values.flatten(), network_.log_sd(),
                       network_.gradients(), terms);
}

}  // namespace shoal
