#include "shoal/nn/network.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "shoal/core/error.hpp"
#include "shoal/nn/activation.hpp"

namespace shoal {

namespace {

/// Widths of all layers, the last of which has `outputs`.
std::vector<int> widths_of(NetworkShape const& shape, int outputs) {
  auto widths = shape.hidden;
  widths.push_back(outputs);
  return widths;
}

std::int64_t actor_size(NetworkShape const& shape) {
  return layers_size(shape.actor_inputs(), widths_of(shape, shape.actions.parameters()));
}

std::int64_t critic_size(NetworkShape const& shape) { return layers_size(shape.inputs, widths_of(shape, 1)); }

std::int64_t restoring_size(NetworkShape const& shape) {
  return shape.restoring > 0 ? std::int64_t(shape.actions.continuous) * shape.inputs : 0;
}

MlpLayout layout(NetworkShape const& shape, int inputs, int outputs, std::int64_t begin) {
  if (shape.hidden.size() >= std::size_t(MlpLayout::max_layers))
    throw InputError("a network with " + std::to_string(shape.hidden.size()) + " hidden layers: expected at most " +
                     std::to_string(MlpLayout::max_layers - 1));
  MlpLayout mlp{.layers = int(shape.hidden.size()) + 1, .widths = {inputs}, .begin = begin};
  for (int l = 1; l < mlp.layers; ++l) mlp.widths[l] = shape.hidden[std::size_t(l - 1)];
  mlp.widths[mlp.layers] = outputs;
  return mlp;
}

}  // namespace

MlpLayouts mlp_layouts(NetworkShape const& shape) {
  auto const actor = std::int64_t(shape.actions.continuous);
  auto const critic = actor + actor_size(shape);
  return {layout(shape, shape.actor_inputs(), shape.actions.parameters(), actor),
          layout(shape, shape.inputs, 1, critic)};
}

InferArgs infer_args(ActorCritic const& network, at::Tensor const& observations, at::Tensor const& distribution,
                     at::Tensor const& values) {
  auto const [actor, critic] = mlp_layouts(network.shape());
  return {.actor = actor,
          .critic = critic,
          .parameters = network.parameters().data_ptr<float>(),
          .observations = observations.data_ptr<float>(),
          .distribution = distribution.defined() ? distribution.data_ptr<float>() : nullptr,
          .values = values.data_ptr<float>(),
          .rows = observations.size(0)};
}

GradientArgs gradient_args(ActorCritic const& network, PpoLossArgs const& loss, at::Tensor const& observations,
                           at::Tensor const& terms) {
  auto const [actor, critic] = mlp_layouts(network.shape());
  return {.loss = loss,
          .actor = actor,
          .critic = critic,
          .parameters = network.parameters().data_ptr<float>(),
          .observations = observations.data_ptr<float>(),
          .parts = nullptr,
          .gradients = network.gradients().data_ptr<float>(),
          .terms = terms.defined() ? terms.data_ptr<float>() : nullptr,
          .count = network.parameters().numel()};
}

ActorCritic::ActorCritic(NetworkShape shape, std::uint64_t seed, at::Device device)
    : shape_(std::move(shape)),
      flat_(shape_.actions.continuous + actor_size(shape_) + critic_size(shape_) + restoring_size(shape_), device) {
  auto const& actions = shape_.actions;
  log_sd_ = flat_.take({actions.continuous});
  at::NoGradGuard const no_grad;
  log_sd_.fill_(shape_.log_sd);
  actor_ = make_layers(flat_, shape_.actor_inputs(), widths_of(shape_, actions.parameters()), 0.01, seed);
  critic_ = make_layers(flat_, shape_.inputs, widths_of(shape_, 1), 1.0, seed + 1);
  if (shape_.restoring > 0) {
    restoring_ = flat_.take({actions.continuous, shape_.inputs});
    restoring_.copy_(at::eye(shape_.inputs, restoring_.options()).mul(-shape_.restoring));
  }
}

at::Tensor ActorCritic::forward(std::vector<Layer> const& layers, at::Tensor x) {
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) x = tanh_layer(layers[i], x);
  return at::linear(x, layers.back().weight, layers.back().bias);
}

void ActorCritic::forward_out(std::vector<Layer> const& layers, at::Tensor x, at::Tensor out) {
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    x = at::addmm(layers[i].bias, x, layers[i].weight.t());
    tanh_in_place(x);
  }
  at::addmm_out(out, layers.back().bias, x, layers.back().weight.t());
}

at::Tensor ActorCritic::limited_means(at::Tensor const& means, at::Tensor const& observations) const {
  auto const sum = restoring_.defined() ? means + at::linear(observations, restoring_) : means;
  return shape_.mean_limit * at::tanh(sum);
}

at::Tensor ActorCritic::seen_by_actor(at::Tensor const& observations) const {
  return shape_.critic_only > 0 ? observations.narrow(1, 0, shape_.actor_inputs()) : observations;
}

at::Tensor ActorCritic::distribution(at::Tensor const& observations) const {
  auto const output = forward(actor_, seen_by_actor(observations));
  if (shape_.mean_limit <= 0) return output;
  auto const& actions = shape_.actions;
  return at::cat({limited_means(output.narrow(1, 0, actions.continuous), observations),
                  output.narrow(1, actions.continuous, actions.total_choices)},
                 1);
}

at::Tensor ActorCritic::value(at::Tensor const& observations) const {
  return forward(critic_, observations).squeeze(1);
}

void ActorCritic::distribution_out(at::Tensor const& observations, at::Tensor const& out) const {
  at::NoGradGuard const no_grad;
  forward_out(actor_, seen_by_actor(observations), out);
  if (shape_.mean_limit <= 0) return;
  auto const means = out.narrow(1, 0, shape_.actions.continuous);
  means.copy_(limited_means(means, observations));
}

void ActorCritic::value_out(at::Tensor const& observations, at::Tensor const& out) const {
  at::NoGradGuard const no_grad;
  forward_out(critic_, observations, out.unsqueeze(1));
}

}  // namespace shoal
