// How an ActorCritic computes, chosen once: one fused pass on the CPU, or LibTorch's operators and, on CUDA, our own
// inference.
#pragma once

#include <memory>

#include "shoal/nn/network.hpp"
#include "shoal/ops/ppo_loss.hpp"

namespace shoal {

class NetworkPath {
 public:
  virtual ~NetworkPath() = default;

  /// @param observations [rows, inputs]  @param parameters [rows, P], null: the values alone  @param values [rows]
  virtual void infer(float const* observations, std::int64_t rows, float* parameters, float* values) = 0;

  /// Overwrites the network's gradients with those of a minibatch.
  /// @param args  without outputs  @param observations  [samples of the rollout..., inputs]
  /// @param terms  [4], gains the rows' PpoTerms times args.scale; undefined: they are not wanted
  virtual void differentiate(PpoLossArgs args, at::Tensor const& observations, at::Tensor const& terms) = 0;
};

/// @param network  must outlive the path and stay where it is  @param fused  ActorConfig::fused
std::unique_ptr<NetworkPath> make_network_path(ActorCritic const& network, bool fused, at::Device device);

}  // namespace shoal
