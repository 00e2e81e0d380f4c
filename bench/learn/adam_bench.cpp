// A step of Adam on flat parameters: LibTorch's fused kernel, which the learners use, against plain operations. 11,000 parameters are
// the market's actor and critic of 64-64.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

namespace shoal {

namespace {

constexpr double rate = 3e-4, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-5;

struct Flat {
  explicit Flat(std::int64_t n)
      : parameters(at::randn({n})), gradients(at::randn({n})), mean(at::zeros({n})), variance(at::zeros({n})) {}
  at::Tensor parameters, gradients, mean, variance;
};

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

BENCHMARK(fused)->ArgName("parameters")->Arg(11000)->Arg(1 << 20)->UseRealTime();
BENCHMARK(plain)->ArgName("parameters")->Arg(11000)->Arg(1 << 20)->UseRealTime();

}  // namespace

}  // namespace shoal
