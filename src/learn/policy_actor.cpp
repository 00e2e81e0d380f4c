#include "shoal/learn/policy_actor.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "src/nn/network_path.hpp"

namespace shoal {

PolicyActor::PolicyActor(ActorConfig config, NetworkShape network, RolloutShape const& rollout, at::Device device)
    : StochasticActor(std::move(config), rollout, device),
      network_(std::move(network), derived_seed(this->config().seed, Purpose::initial, this->config().stream), device),
      path_(make_network_path(network_, this->config().fused, device)) {}

PolicyActor::~PolicyActor() = default;

std::unique_ptr<Actor> PolicyActor::copy(RolloutShape const& rollout, std::uint32_t seed) const {
  auto actor = std::make_unique<PolicyActor>(ActorConfig{.agents = agents(), .group = config().group, .seed = seed},
                                             network_.shape(), rollout, parameters().device());
  at::NoGradGuard const no_grad;
  actor->parameters().copy_(parameters());
  return actor;
}

void PolicyActor::act(Rollout const& rollout, int t) {
  at::NoGradGuard const no_grad;
  auto const& shape = rollout.shape;
  auto const rows = std::int64_t(shape.instances) * std::int64_t(agents().size());
  float* parameters = slot_data<float>(rollout.parameters, t);
  at::Tensor some_parameters;
  if (is_alone()) {
    path_->infer(slot_data<float>(rollout.observations, t), rows, parameters, slot_data<float>(rollout.values, t));
  } else {
    some_parameters = infer_some(rollout, t);
    parameters = some_parameters.data_ptr<float>();
  }
  sample(rollout, t, parameters, network_.log_sd());
}

at::Tensor PolicyActor::infer_some(Rollout const& rollout, int t) {
  auto const observations = own_rows(rollout.observations.select(0, t));
  auto const rows = observations.size(0);
  auto const parameters = at::empty({rows, rollout.shape.actions.parameters()}, observations.options());
  auto const values = at::empty({rows}, observations.options());
  path_->infer(observations.data_ptr<float>(), rows, parameters.data_ptr<float>(), values.data_ptr<float>());
  put_rows(rollout.values.select(0, t), values);
  return parameters;
}

/// @param observations  [rows, A, width]  @param values  [rows, A]
void PolicyActor::evaluate(at::Tensor const& observations, at::Tensor const& values) {
  auto const own = own_rows(observations);
  auto const found = at::empty({own.size(0)}, own.options());
  path_->infer(own.data_ptr<float>(), own.size(0), nullptr, found.data_ptr<float>());
  put_rows(values, found);
}

void PolicyActor::evaluate_end(Rollout const& rollout) {
  at::NoGradGuard const no_grad;
  auto const last = rollout.shape.steps;
  evaluate(rollout.observations.select(0, last), rollout.values.select(0, last));
  if (rollout.shape.truncates) evaluate(rollout.final_observations.flatten(0, 1), rollout.final_values.flatten(0, 1));
}

void PolicyActor::differentiate(PpoLossArgs const& args, Rollout const& rollout, at::Tensor const& terms) {
  path_->differentiate(args, rollout.observations, terms);
}

}  // namespace shoal
