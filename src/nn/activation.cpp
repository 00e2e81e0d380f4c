#include "shoal/nn/activation.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "shoal/core/math.hpp"
#include "shoal/ops/parallel.hpp"

namespace shoal {

namespace {

struct TanhFunction : torch::autograd::Function<TanhFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, at::Tensor const& x) {
    auto y = x.clone();
    tanh_in_place(y);
    context->save_for_backward({y});
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {at::tanh_backward(gradients[0], context->get_saved_variables()[0])};
  }
};

}  // namespace

at::Tensor tanh_activation(at::Tensor const& x) { return x.is_cpu() ? TanhFunction::apply(x) : at::tanh(x); }

void tanh_in_place(at::Tensor& x) {
  if (!x.is_cpu()) {
    x.tanh_();
    return;
  }
  float* const values = x.data_ptr<float>();
  parallel_for(x.numel(), 1 << 14, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) values[i] = shoal::tanh(values[i]);
  });
}

}  // namespace shoal
