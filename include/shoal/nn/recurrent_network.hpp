// A policy with a memory: hidden layers with tanh, a recurrent cell, and behind it two linear maps of the cell's output
// h, one to the distribution's parameters and one to the value. Actor and critic share all that lies before these two.
#pragma once

#include "shoal/nn/layers.hpp"
#include "shoal/nn/network.hpp"

namespace shoal {

/// parameters() is [log_sd | hidden layers | cell: input weights, state weights, input biases, state biases |
/// distribution | value]. The cell's blocks are LibTorch's (at::lstm_cell, at::gru_cell), all of whose operations are
/// differentiable.
class RecurrentNetwork {
 public:
  /// m rows of agents. The state is [h | c] of an LSTM, [h] of a GRU; an episode begins with zeros.
  struct Outputs {
    at::Tensor distribution;  // [m, actions.parameters()], or [L, m, ...]
    at::Tensor values;        // [m], or [L, m]
    at::Tensor state;         // [m, memory.state()], after the last step
  };

  /// Orthogonal hidden layers (gain sqrt 2) and maps behind the cell (gain 1: with an ActorCritic's 0.01 for the
  /// distribution the cell learns half as fast); the cell's weights uniform in +-1 / sqrt(memory.size); zero biases,
  /// but 1 for the forget gate. A function of `seed` alone.
  /// @param shape  with a memory
  RecurrentNetwork(NetworkShape shape, std::uint64_t seed, at::Device device);

  NetworkShape const& shape() const { return shape_; }

  /// With gradients. @param observations [m, inputs]  @param state [m, memory.state()]
  Outputs step(at::Tensor const& observations, at::Tensor const& state) const;

  /// L steps in turn. @param observations [L, m, inputs]  @param state  before the first of them
  /// @param resets  [L, m], 1 where a step begins an episode: the row's state is zeroed before it
  Outputs sequence(at::Tensor const& observations, at::Tensor const& state, at::Tensor const& resets) const;

  at::Tensor const& log_sd() const { return log_sd_; }               // [actions.continuous], a parameter
  at::Tensor const& parameters() const { return flat_.values(); }    // flat; every weight is a view of it
  at::Tensor const& gradients() const { return flat_.gradients(); }  // flat; backward() adds to it

 private:
  /// The cell's weights and biases, of its input and of its state.
  struct Cell {
    at::Tensor input_weight, state_weight, input_bias, state_bias;
  };
  Cell make_cell(int inputs, std::uint64_t seed);
  at::Tensor hidden(at::Tensor x) const;
  at::Tensor next_state(at::Tensor const& x, at::Tensor const& state) const;
  at::Tensor output(at::Tensor const& state) const { return state.narrow(1, 0, shape_.memory.size); }
  Outputs heads(at::Tensor const& h, at::Tensor state) const;

  NetworkShape shape_;
  FlatParameters flat_;
  at::Tensor log_sd_;
  std::vector<Layer> hidden_;
  Cell cell_;
  Layer distribution_, value_;
};

}  // namespace shoal
