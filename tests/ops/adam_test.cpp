#include "shoal/ops/adam.hpp"

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

struct Adam {
  at::Tensor parameters, mean, variance;
  at::Tensor step = at::zeros({}), rate = at::full({}, 0.01, at::kFloat);
  at::Tensor partials;

  explicit Adam(std::int64_t count)
      : parameters(random_normal({count}, 1)),
        mean(at::zeros({count})),
        variance(at::zeros({count})),
        partials(at::full({(count + AdamArgs::chunk - 1) / AdamArgs::chunk + 3}, 1e30, at::kDouble)) {}

  void descend(at::Tensor const& gradients, double max_norm) {
    ops::adam({.parameters = parameters.data_ptr<float>(),
               .gradients = gradients.data_ptr<float>(),
               .mean = mean.data_ptr<float>(),
               .variance = variance.data_ptr<float>(),
               .count = parameters.numel(),
               .max_norm = float(max_norm),
               .rate = rate.data_ptr<float>(),
               .step = step.data_ptr<float>(),
               .partials = partials.data_ptr<double>()},
              at::kCPU);
  }
};

// One parameter, a chunk less one, several chunks; with the norm cut (0.5 is below every norm here, 1e6 above) and
// without.
TEST(Adam, EqualsLibTorchs) {
  for (std::int64_t const count : {std::int64_t(1), AdamArgs::chunk - 1, 3 * AdamArgs::chunk + 5})
    for (double const max_norm : {0.0, 0.5, 1e6}) {
      Adam adam(count);
      auto const parameters = adam.parameters.clone(), mean = at::zeros({count}), variance = at::zeros({count});
      auto const steps = at::zeros({});
      for (int k = 0; k < 5; ++k) {
        adam.rate.fill_(0.01 / (k + 1));
        auto const gradients = random_normal({count}, 7 + std::uint64_t(k)) * (k + 1) + 1;
        adam.descend(gradients, max_norm);
        auto const norm = number(gradients.norm());
        auto const cut = max_norm > 0 && norm > max_norm ? gradients * (max_norm / norm) : gradients;
        steps.add_(1);
        at::_fused_adam_({parameters}, {cut}, {mean}, {variance}, {}, {steps}, 0.01 / (k + 1), 0.9, 0.999, 0, 1e-5,
                         false, false);
        EXPECT_LT(distance(adam.parameters, parameters), 2e-6) << count << " parameters, cut at " << max_norm;
      }
      EXPECT_EQ(number(adam.step), 5);
    }
}

}  // namespace
}  // namespace shoal
