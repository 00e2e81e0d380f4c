// A RecurrentNetwork written out from its flat tensor of parameters, in that tensor's precision.
#pragma once

#include "shoal/nn/recurrent_network.hpp"
#include "support/helpers.hpp"

namespace shoal::test {

struct PlainRecurrent {
  struct Layer {
    at::Tensor weight, bias;

    at::Tensor operator()(at::Tensor const& x) const { return at::matmul(x, weight.t()) + bias; }
  };
  NetworkShape shape;
  at::Tensor log_sd;
  std::vector<Layer> hidden;
  Layer input, state, distribution, value;

  PlainRecurrent(NetworkShape const& s, at::Tensor const& parameters) : shape(s) {
    std::int64_t at = 0, in = s.inputs;
    auto const take = [&](at::IntArrayRef sizes) {
      auto const count = c10::multiply_integers(sizes);
      at += count;
      return parameters.narrow(0, at - count, count).view(sizes);
    };
    auto const layer = [&](std::int64_t out, std::int64_t inputs) {
      auto const weight = take({out, inputs});
      return Layer{weight, take({out})};
    };
    log_sd = take({s.actions.continuous});
    for (int const width : s.hidden) hidden.push_back(layer(width, in)), in = width;
    std::int64_t const size = s.memory.size, rows = s.memory.gates() * size;
    input.weight = take({rows, in}), state.weight = take({rows, size});
    input.bias = take({rows}), state.bias = take({rows});
    distribution = layer(s.actions.parameters(), size), value = layer(1, size);
    EXPECT_EQ(at, parameters.numel());
  }

  at::Tensor next_state(at::Tensor x, at::Tensor const& before) const {
    for (auto const& layer : hidden) x = at::tanh(layer(x));
    auto const h = before.narrow(1, 0, shape.memory.size);
    auto const a = input(x), b = state(h);
    if (shape.memory.kind == MemoryKind::lstm) {
      auto const gates = (a + b).chunk(4, 1);
      auto const c = at::sigmoid(gates[1]) * before.narrow(1, shape.memory.size, shape.memory.size) +
                     at::sigmoid(gates[0]) * at::tanh(gates[2]);
      return at::cat({at::sigmoid(gates[3]) * at::tanh(c), c}, 1);
    }
    auto const from_input = a.chunk(3, 1), from_state = b.chunk(3, 1);
    auto const reset = at::sigmoid(from_input[0] + from_state[0]), keep = at::sigmoid(from_input[1] + from_state[1]);
    return (1 - keep) * at::tanh(from_input[2] + reset * from_state[2]) + keep * h;
  }

  RecurrentNetwork::Outputs step(at::Tensor const& x, at::Tensor const& before) const {
    auto const next = next_state(x, before);
    auto const h = next.narrow(1, 0, shape.memory.size);
    return {distribution(h), value(h).squeeze(1), next};
  }

  /// A step at a time. @param resets  [L, m], 1: the row's state is zeroed before the step
  RecurrentNetwork::Outputs sequence(at::Tensor const& x, at::Tensor now, at::Tensor const& resets) const {
    std::vector<at::Tensor> distributions, values;
    for (std::int64_t l = 0; l < x.size(0); ++l) {
      auto const out = step(x[l], now * (1 - resets[l].to(x.scalar_type())).unsqueeze(1));
      distributions.push_back(out.distribution), values.push_back(out.values), now = out.state;
    }
    return {at::stack(distributions), at::stack(values), now};
  }
};

}  // namespace shoal::test
