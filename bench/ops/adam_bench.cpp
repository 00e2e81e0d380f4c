// A step of Adam on flat parameters: ours, which first cuts the gradient's norm, against LibTorch's fused kernel and
// plain operations, which do not. 11,000 parameters are the market's actor and critic of 64-64.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

constexpr double rate = 3e-4, beta1 = AdamArgs::beta1, beta2 = AdamArgs::beta2, epsilon = AdamArgs::epsilon;

struct Flat {
  explicit Flat(std::int64_t n)
      : parameters(at::randn({n})), gradients(at::randn({n})), mean(at::zeros({n})), variance(at::zeros({n})) {}
  at::Tensor parameters, gradients, mean, variance;
};

void ours(benchmark::State& state) {
  Flat f(state.range(0));
  auto const step = at::zeros({1}), rates = at::full({1}, rate);
  AdamArgs args{.parameters = f.parameters.data_ptr<float>(),
                .gradients = f.gradients.data_ptr<float>(),
                .mean = f.mean.data_ptr<float>(),
                .variance = f.variance.data_ptr<float>(),
                .count = state.range(0),
                .max_norm = 0.5f,
                .rate = rates.data_ptr<float>(),
                .step = step.data_ptr<float>(),
                .partials = nullptr};
  auto const partials = at::zeros({args.chunks() + 3}, at::kDouble);
  args.partials = partials.data_ptr<double>();
  for (auto _ : state) ops::adam(args, at::kCPU);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void fused(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Flat f(state.range(0));
  auto const step = at::zeros({});
  for (auto _ : state) {
    step.add_(1);
    at::_fused_adam_({f.parameters}, {f.gradients}, {f.mean}, {f.variance}, {}, {step}, rate, beta1, beta2,
                     /*weight_decay=*/0, epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void plain(benchmark::State& state) {
  at::NoGradGuard const no_grad;
  Flat f(state.range(0));
  double power1 = 1, power2 = 1;
  for (auto _ : state) {
    power1 *= beta1;
    power2 *= beta2;
    f.mean.mul_(beta1).add_(f.gradients, 1 - beta1);
    f.variance.mul_(beta2).addcmul_(f.gradients, f.gradients, 1 - beta2);
    auto const scale = f.variance.sqrt().div_(std::sqrt(1 - power2)).add_(epsilon);
    f.parameters.addcdiv_(f.mean, scale, -rate / (1 - power1));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(ours)->ArgName("parameters")->Arg(11000)->Arg(1 << 20)->UseRealTime();
BENCHMARK(fused)->ArgName("parameters")->Arg(11000)->Arg(1 << 20)->UseRealTime();
BENCHMARK(plain)->ArgName("parameters")->Arg(11000)->Arg(1 << 20)->UseRealTime();

}  // namespace

}  // namespace shoal
