#include "src/nn/loss_gradient.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

LossGradient::LossGradient(ActionLayout const& layout, at::Device device)
    : layout_(layout), options_(at::TensorOptions().dtype(at::kFloat).device(device)) {}

void LossGradient::resize(std::int64_t rows) {
  if (terms_.defined() && terms_.size(0) == rows) return;
  d_parameters_ = at::empty({rows, layout_.parameters()}, options_);
  d_values_ = at::empty({rows}, options_);
  d_log_sd_ = at::empty({rows, layout_.continuous}, options_);
  terms_ = at::empty({rows, 4}, options_);
}

void LossGradient::differentiate(PpoLossArgs args, at::Tensor const& parameters, at::Tensor const& values,
                                 at::Tensor const& log_sd, at::Tensor const& gradients, at::Tensor const& terms) {
  resize(args.rows);
  args.outputs = {.parameters = parameters.data_ptr<float>(),
                  .values = values.data_ptr<float>(),
                  .d_parameters = d_parameters_.data_ptr<float>(),
                  .d_values = d_values_.data_ptr<float>(),
                  .d_log_sd = d_log_sd_.data_ptr<float>(),
                  .terms = static_cast<PpoTerms*>(terms_.data_ptr()),
                  .parameter_stride = layout_.parameters(),
                  .value_stride = 1};
  ops::ppo_loss(args, options_.device());
  gradients.zero_();
  torch::autograd::backward({parameters, values}, {d_parameters_, d_values_});
  at::NoGradGuard const no_grad;
  log_sd.grad().add_(d_log_sd_.sum(0));
  if (terms.defined()) terms.add_(terms_.sum(0), args.scale);
}

}  // namespace shoal
