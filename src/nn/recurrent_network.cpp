#include "shoal/nn/recurrent_network.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

namespace shoal {

namespace {

int cell_inputs(NetworkShape const& shape) { return shape.hidden.empty() ? shape.inputs : shape.hidden.back(); }

std::int64_t size_of(NetworkShape const& shape) {
  auto const outputs = std::int64_t(shape.actions.parameters()) + 1;
  return shape.actions.continuous + layers_size(shape.inputs, shape.hidden) +
         shape.memory.parameters(cell_inputs(shape)) + outputs * (shape.memory.size + 1);
}

}  // namespace

RecurrentNetwork::RecurrentNetwork(NetworkShape shape, std::uint64_t seed, at::Device device)
    : shape_(std::move(shape)), flat_(size_of(shape_), device) {
  auto const& actions = shape_.actions;
  log_sd_ = flat_.take({actions.continuous});
  at::NoGradGuard const no_grad;
  log_sd_.fill_(shape_.log_sd);
  hidden_ = make_layers(flat_, shape_.inputs, shape_.hidden, std::sqrt(2.0), seed);
  cell_ = make_cell(cell_inputs(shape_), seed + 1);
  distribution_ = make_layers(flat_, shape_.memory.size, {actions.parameters()}, 1.0, seed + 2)[0];
  value_ = make_layers(flat_, shape_.memory.size, {1}, 1.0, seed + 3)[0];
}

RecurrentNetwork::Cell RecurrentNetwork::make_cell(int inputs, std::uint64_t seed) {
  auto const size = shape_.memory.size, rows = shape_.memory.gates() * size;
  Cell cell{flat_.take({rows, inputs}), flat_.take({rows, size}), flat_.take({rows}), flat_.take({rows})};
  auto const generator = at::detail::createCPUGenerator(seed);
  double const bound = 1 / std::sqrt(double(size));
  for (auto const& weight : {cell.input_weight, cell.state_weight})
    weight.copy_(at::empty(weight.sizes(), at::TensorOptions().dtype(at::kFloat)).uniform_(-bound, bound, generator));
  if (shape_.memory.kind == MemoryKind::lstm) cell.input_bias.narrow(0, size, size).fill_(1);
  return cell;
}

at::Tensor RecurrentNetwork::hidden(at::Tensor x) const {
  for (auto const& layer : hidden_) x = tanh_layer(layer, x);
  return x;
}

at::Tensor RecurrentNetwork::next_state(at::Tensor const& x, at::Tensor const& state) const {
  auto const& c = cell_;
  if (shape_.memory.kind == MemoryKind::gru)
    return at::gru_cell(x, state, c.input_weight, c.state_weight, c.input_bias, c.state_bias);
  auto const parts = state.chunk(2, 1);
  auto const [h, kept] = at::lstm_cell(x, parts, c.input_weight, c.state_weight, c.input_bias, c.state_bias);
  return at::cat({h, kept}, 1);
}

/// @param h  [rows, memory.size]
RecurrentNetwork::Outputs RecurrentNetwork::heads(at::Tensor const& h, at::Tensor state) const {
  return {at::linear(h, distribution_.weight, distribution_.bias), at::linear(h, value_.weight, value_.bias).squeeze(1),
          std::move(state)};
}

RecurrentNetwork::Outputs RecurrentNetwork::step(at::Tensor const& observations, at::Tensor const& state) const {
  auto const next = next_state(hidden(observations), state);
  return heads(output(next), next);
}

RecurrentNetwork::Outputs RecurrentNetwork::sequence(at::Tensor const& observations, at::Tensor const& state,
                                                     at::Tensor const& resets) const {
  auto const steps = observations.size(0), rows = observations.size(1);
  auto const x = hidden(observations.flatten(0, 1)).view({steps, rows, -1});
  auto const kept = resets.eq(0).to(at::kFloat).unsqueeze(2);
  auto next = state;
  std::vector<at::Tensor> h;
  for (std::int64_t l = 0; l < steps; ++l) {
    next = next_state(x[l], next * kept[l]);
    h.push_back(output(next));
  }
  auto all = heads(at::cat(h), next);
  all.distribution = all.distribution.view({steps, rows, -1});
  all.values = all.values.view({steps, rows});
  return all;
}

}  // namespace shoal
