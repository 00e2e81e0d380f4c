#include "src/nn/network_path.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "shoal/ops/ops.hpp"
#include "src/nn/fused_network.hpp"

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

/// LibTorch's operators and autograd, with our own inference on CUDA where it fits.
class TorchPath final : public NetworkPath {
 public:
  TorchPath(ActorCritic const& network, bool own_inference, at::Device device)
      : network_(network),
        own_inference_(own_inference),
        options_(at::TensorOptions().dtype(at::kFloat).device(device)) {}

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
    if (own_inference_ && ops::infer(infer_args(network_, x, p, v), options_.device())) return;
    if (parameters) network_.distribution_out(x, p);
    network_.value_out(x, v);
  }

  void differentiate(PpoLossArgs args, at::Tensor const& observations, at::Tensor const& terms) override {
    auto& batch = batch_of(args.rows);
    ops::gather({.fields = {{static_cast<std::uint8_t const*>(observations.data_ptr()),
                             static_cast<std::uint8_t*>(batch.observations.data_ptr()),
                             network_.shape().inputs * int(sizeof(float))}},
                 .count = 1,
                 .index = args.index,
                 .rows = args.rows},
                options_.device());
    auto const parameters = network_.distribution(batch.observations);
    auto const values = network_.value(batch.observations);
    args.outputs = {.parameters = parameters.data_ptr<float>(),
                    .values = values.data_ptr<float>(),
                    .d_parameters = batch.d_parameters.data_ptr<float>(),
                    .d_values = batch.d_values.data_ptr<float>(),
                    .d_log_sd = batch.d_log_sd.data_ptr<float>(),
                    .terms = static_cast<PpoTerms*>(batch.terms.data_ptr()),
                    .parameter_stride = args.layout.parameters(),
                    .value_stride = 1};
    ops::ppo_loss(args, options_.device());
    network_.gradients().zero_();
    torch::autograd::backward({parameters, values}, {batch.d_parameters, batch.d_values});
    at::NoGradGuard const no_grad;
    network_.log_sd().grad().add_(batch.d_log_sd.sum(0));
    if (terms.defined()) terms.add_(batch.terms.sum(0), args.scale);
  }

 private:
  /// Where a minibatch's observations lie, and the gradients and terms of its loss.
  struct Batch {
    at::Tensor observations, d_parameters, d_values, d_log_sd, terms;
  };

  Batch& batch_of(std::int64_t rows) {
    if (batch_.observations.defined() && batch_.observations.size(0) == rows) return batch_;
    auto const& shape = network_.shape();
    batch_ = {.observations = at::empty({rows, shape.inputs}, options_),
              .d_parameters = at::empty({rows, shape.actions.parameters()}, options_),
              .d_values = at::empty({rows}, options_),
              .d_log_sd = at::empty({rows, shape.actions.continuous}, options_),
              .terms = at::empty({rows, 4}, options_)};
    return batch_;
  }

  ActorCritic const& network_;
  bool own_inference_;
  at::TensorOptions options_;
  Batch batch_;
};

}  // namespace

std::unique_ptr<NetworkPath> make_network_path(ActorCritic const& network, bool fused, at::Device device) {
  if (fused && device.is_cpu()) return std::make_unique<FusedPath>(network);
  bool const plain = network.shape().mean_limit <= 0;
  return std::make_unique<TorchPath>(network, fused && device.is_cuda() && plain, device);
}

}  // namespace shoal
