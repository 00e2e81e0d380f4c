// Actor and critic: two multi-layer perceptrons whose parameters lie in one flat tensor, so that Adam, clipping and
// checkpoints each handle one array.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "shoal/nn/layers.hpp"
#include "shoal/nn/memory.hpp"
#include "shoal/ops/gradient.hpp"
#include "shoal/ops/infer.hpp"
#include "shoal/ops/sample.hpp"

namespace shoal {

struct NetworkShape {
  int inputs = 0;
  int critic_only = 0;  // the last so many inputs, which the actor does not see
  std::vector<int> hidden = {};
  ActionLayout actions = {};
  double log_sd = -0.5;   // initial, of every continuous head
  double mean_limit = 0;  // > 0: the means are mean_limit * tanh(output)
  double restoring =
      0;  // > 0: adds a linear map from inputs to means, -restoring times the identity at first; needs as many
          // inputs as continuous heads
  MemoryShape memory = {};  // of a RecurrentNetwork, which has no mean_limit, nothing restoring and no critic_only

  int actor_inputs() const { return inputs - critic_only; }
};

/// Where the perceptrons lie in ActorCritic::parameters().
struct MlpLayouts {
  MlpLayout actor, critic;
};
MlpLayouts mlp_layouts(NetworkShape const& shape);

/// parameters() is [log_sd | actor | critic | restoring].
class ActorCritic {
 public:
  /// Orthogonal weights (gain sqrt 2; the actor's last layer 0.01, the critic's 1), zero biases; a function of `seed`
  /// alone.
  ActorCritic(NetworkShape shape, std::uint64_t seed, at::Device device);

  NetworkShape const& shape() const { return shape_; }

  /// With gradients. @param observations [m, inputs]
  at::Tensor distribution(at::Tensor const& observations) const;  // [m, actions.parameters()]
  at::Tensor value(at::Tensor const& observations) const;         // [m]

  /// Without gradients, into contiguous memory of the caller's.
  void distribution_out(at::Tensor const& observations, at::Tensor const& out) const;
  void value_out(at::Tensor const& observations, at::Tensor const& out) const;

  at::Tensor const& log_sd() const { return log_sd_; }               // [actions.continuous], a parameter
  at::Tensor const& parameters() const { return flat_.values(); }    // flat; every weight is a view of it
  at::Tensor const& gradients() const { return flat_.gradients(); }  // flat; backward() adds to it

 private:
  static at::Tensor forward(std::vector<Layer> const& layers, at::Tensor x);
  static void forward_out(std::vector<Layer> const& layers, at::Tensor x, at::Tensor out);
  at::Tensor limited_means(at::Tensor const& means, at::Tensor const& observations) const;
  at::Tensor seen_by_actor(at::Tensor const& observations) const;

  NetworkShape shape_;
  FlatParameters flat_;
  at::Tensor log_sd_;
  std::vector<Layer> actor_, critic_;
  at::Tensor restoring_;  // [continuous, inputs], a parameter; undefined without
};

/// Of a network for the kernels of inference, into contiguous memory. @param distribution  undefined: the values alone
InferArgs infer_args(ActorCritic const& network, at::Tensor const& observations, at::Tensor const& distribution,
                     at::Tensor const& values);

/// Of a network without mean_limit and critic_only for the kernel of gradients, without memory for its parts.
/// @param observations  [samples..., inputs]  @param terms  [4]; undefined: they are not wanted
GradientArgs gradient_args(ActorCritic const& network, PpoLossArgs const& loss, at::Tensor const& observations,
                           at::Tensor const& terms);

}  // namespace shoal
