#include "shoal/nn/network.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "shoal/core/error.hpp"
#include "shoal/nn/activation.hpp"

namespace shoal {

namespace {

at::Tensor orthogonal(std::int64_t out, std::int64_t in, double gain, at::Generator generator) {
  auto const options = at::TensorOptions().dtype(at::kDouble);
  auto const [q, r] = at::linalg_qr(at::randn({std::max(out, in), std::min(out, in)}, generator, options));
  auto const rows = q * at::sign(at::diagonal(r));  // makes the distribution uniform
  return (out >= in ? rows : rows.t()).mul(gain).to(at::kFloat);
}

std::int64_t mlp_size(int inputs, std::vector<int> const& hidden, int outputs) {
  std::int64_t size = 0, in = inputs;
  for (int const width : hidden) size += width * (in + 1), in = width;
  return size + outputs * (in + 1);
}

MlpLayout layout(NetworkShape const& shape, int outputs, std::int64_t begin) {
  if (shape.hidden.size() >= std::size_t(MlpLayout::max_layers))
    throw InputError("a network with " + std::to_string(shape.hidden.size()) + " hidden layers: expected at most " +
                     std::to_string(MlpLayout::max_layers - 1));
  MlpLayout mlp{.layers = int(shape.hidden.size()) + 1, .widths = {shape.inputs}, .begin = begin};
  for (int l = 1; l < mlp.layers; ++l) mlp.widths[l] = shape.hidden[std::size_t(l - 1)];
  mlp.widths[mlp.layers] = outputs;
  return mlp;
}

}  // namespace

MlpLayouts mlp_layouts(NetworkShape const& shape) {
  auto const actor = std::int64_t(shape.actions.continuous);
  auto const critic = actor + mlp_size(shape.inputs, shape.hidden, shape.actions.parameters());
  return {layout(shape, shape.actions.parameters(), actor), layout(shape, 1, critic)};
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

ActorCritic::ActorCritic(NetworkShape shape, std::uint64_t seed, at::Device device) : shape_(std::move(shape)) {
  auto const& actions = shape_.actions;
  auto const restoring_size = shape_.restoring > 0 ? std::int64_t(actions.continuous) * shape_.inputs : 0;
  auto const size = actions.continuous + restoring_size + mlp_size(shape_.inputs, shape_.hidden, actions.parameters()) +
                    mlp_size(shape_.inputs, shape_.hidden, 1);
  auto const options = at::TensorOptions().dtype(at::kFloat).device(device);
  parameters_ = at::zeros({size}, options);
  gradients_ = at::zeros({size}, options);
  std::int64_t offset = 0;
  log_sd_ = parameter(offset, {actions.continuous});
  at::NoGradGuard const no_grad;
  log_sd_.fill_(shape_.log_sd);
  actor_ = make_layers(actions.parameters(), 0.01, offset, seed);
  critic_ = make_layers(1, 1.0, offset, seed + 1);
  if (shape_.restoring > 0) {
    restoring_ = parameter(offset, {actions.continuous, shape_.inputs});
    restoring_.copy_(at::eye(shape_.inputs, options).mul(-shape_.restoring));
  }
}

at::Tensor ActorCritic::parameter(std::int64_t& offset, at::IntArrayRef sizes) {
  auto const count = c10::multiply_integers(sizes);
  auto tensor = parameters_.narrow(0, offset, count).view(sizes).detach();
  tensor.set_requires_grad(true);
  tensor.mutable_grad() = gradients_.narrow(0, offset, count).view(sizes);
  offset += count;
  return tensor;
}

std::vector<ActorCritic::Layer> ActorCritic::make_layers(int outputs, double last_gain, std::int64_t& offset,
                                                         std::uint64_t seed) {
  auto const generator = at::detail::createCPUGenerator(seed);
  std::vector<Layer> layers;
  int in = shape_.inputs;
  for (std::size_t i = 0; i <= shape_.hidden.size(); ++i) {
    bool const last = i == shape_.hidden.size();
    int const out = last ? outputs : shape_.hidden[i];
    Layer layer{parameter(offset, {out, in}), parameter(offset, {out})};
    layer.weight.copy_(orthogonal(out, in, last ? last_gain : std::sqrt(2.0), generator));
    layers.push_back(layer);
    in = out;
  }
  return layers;
}

at::Tensor ActorCritic::forward(std::vector<Layer> const& layers, at::Tensor x) {
  for (std::size_t i = 0; i + 1 < layers.size(); ++i)
    x = tanh_activation(at::linear(x, layers[i].weight, layers[i].bias));
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

at::Tensor ActorCritic::distribution(at::Tensor const& observations) const {
  auto const output = forward(actor_, observations);
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
  forward_out(actor_, observations, out);
  if (shape_.mean_limit <= 0) return;
  auto const means = out.narrow(1, 0, shape_.actions.continuous);
  means.copy_(limited_means(means, observations));
}

void ActorCritic::value_out(at::Tensor const& observations, at::Tensor const& out) const {
  at::NoGradGuard const no_grad;
  forward_out(critic_, observations, out.unsqueeze(1));
}

}  // namespace shoal
