#include "src/nn/network_path.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "shoal/ops/ops.hpp"
#include "src/nn/fused_network.hpp"
#include "src/nn/loss_gradient.hpp"

namespace shoal {

namespace {

class FusedPath final : public NetworkPath {
 public:
  explicit FusedPath(ActorCritic const& network) : network_(network), fused_(network.shape()) {}

  void infer(float const* observations, std::int64_t rows, float* parameters, float* values) override {
    fused_.use(network_.parameters());
    fused_.forward(observations, rows, parameters, values);
  }

  void differentiate(PpoLossArgs args, at::Tensor const& observations, at::Tensor const& terms) override {
    fused_.use(network_.parameters());
    auto const sums = fused_.gradients(args, observations, network_.gradients());
    if (!terms.defined()) return;
    float* const to = terms.data_ptr<float>();
    to[0] += args.scale * sums.policy_loss;
    to[1] += args.scale * sums.value_loss;
    to[2] += args.scale * sums.kl;
    to[3] += args.scale * sums.entropy;
  }

 private:
  ActorCritic const& network_;
  FusedNetwork fused_;
};

/// LibTorch's operators and autograd, with our own inference and gradients on CUDA where they fit.
class TorchPath final : public NetworkPath {
 public:
  TorchPath(ActorCritic const& network, bool own_kernels, at::Device device)
      : network_(network),
        own_kernels_(own_kernels),
        options_(at::TensorOptions().dtype(at::kFloat).device(device)),
        loss_(network.shape().actions, device) {}

  void infer(float const* observations, std::int64_t rows, float* parameters, float* values) override {
    auto const memory = [&](float const* data, at::IntArrayRef sizes) {
      return at::for_blob(const_cast<float*>(data), sizes)
          .options(options_)
          .target_device(options_.device())
          .make_tensor();
    };
    auto const& shape = network_.shape();
    auto const x = memory(observations, {rows, shape.inputs}), v = memory(values, {rows});
    auto const p = parameters ? memory(parameters, {rows, shape.actions.parameters()}) : at::Tensor();
    if (own_kernels_ && ops::infer(infer_args(network_, x, p, v), options_.device())) return;
    if (parameters) network_.distribution_out(x, p);
    network_.value_out(x, v);
  }

  void differentiate(PpoLossArgs args, at::Tensor const& observations, at::Tensor const& terms) override {
    if (own_kernels_ && differentiate_at_once(args, observations, terms)) return;
    if (!batch_.defined() || batch_.size(0) != args.rows)
      batch_ = at::empty({args.rows, network_.shape().inputs}, options_);
    ops::gather(
        {.fields = {{static_cast<std::uint8_t const*>(observations.data_ptr()),
                     static_cast<std::uint8_t*>(batch_.data_ptr()), network_.shape().inputs * int(sizeof(float))}},
         .count = 1,
         .index = args.index,
         .rows = args.rows},
        options_.device());
    loss_.differentiate(args, network_.distribution(batch_), network_.value(batch_), network_.log_sd(),
                        network_.gradients(), terms);
  }

 private:
  bool differentiate_at_once(PpoLossArgs const& args, at::Tensor const& observations, at::Tensor const& terms) {
    auto gradient = gradient_args(network_, args, observations, terms);
    if (!ops::can_differentiate(gradient, options_.device())) return false;  // before memory is taken for its parts
    auto const size = gradient.parts_of_batch() * gradient.part_size();
    if (!parts_.defined() || parts_.numel() < size) parts_ = at::empty({size}, options_);
    gradient.parts = parts_.data_ptr<float>();
    ops::differentiate(gradient, options_.device());
    return true;
  }

  ActorCritic const& network_;
  bool own_kernels_;
  at::TensorOptions options_;
  LossGradient loss_;
  at::Tensor batch_;  // observations of a minibatch
  at::Tensor parts_;  // of our own gradients
};

}  // namespace

std::unique_ptr<NetworkPath> make_network_path(ActorCritic const& network, bool fused, at::Device device) {
  if (fused && device.is_cpu()) return std::make_unique<FusedPath>(network);
  bool const plain = network.shape().mean_limit <= 0 && network.shape().critic_only == 0;
  return std::make_unique<TorchPath>(network, fused && device.is_cuda() && plain, device);
}

}  // namespace shoal
