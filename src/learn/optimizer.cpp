#include "shoal/learn/optimizer.hpp"

#include <ATen/ATen.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

Optimizer::Optimizer(at::Tensor const& parameters)
    : mean_(at::zeros_like(parameters)),
      variance_(at::zeros_like(parameters)),
      step_(at::zeros({}, parameters.options())),
      rate_(at::zeros({}, parameters.options())),
      partials_(at::zeros({(parameters.numel() + AdamArgs::chunk - 1) / AdamArgs::chunk + 3},
                          parameters.options().dtype(at::kDouble))) {}

void Optimizer::set_rate(double rate) { rate_.fill_(rate); }

void Optimizer::descend(at::Tensor const& parameters, at::Tensor const& gradients, double max_norm) {
  ops::adam({.parameters = parameters.data_ptr<float>(),
             .gradients = gradients.data_ptr<float>(),
             .mean = mean_.data_ptr<float>(),
             .variance = variance_.data_ptr<float>(),
             .count = parameters.numel(),
             .max_norm = float(max_norm),
             .rate = rate_.data_ptr<float>(),
             .step = step_.data_ptr<float>(),
             .partials = partials_.data_ptr<double>()},
            parameters.device());
  parameters.unsafeGetTensorImpl()->bump_version();
}

void Optimizer::reset() {
  for (auto const& tensor : {mean_, variance_, step_}) tensor.zero_();
}

}  // namespace shoal
