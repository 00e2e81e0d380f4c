#include "shoal/ops/ppo_loss.hpp"

#include "shoal/nn/distribution.hpp"
#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr int samples = 40, rows = 25;
constexpr double clip = 0.2, value_weight = 0.7, entropy_weight = 0.03, kl_coefficient = 0.4;

/// A rollout's samples and the outputs of a network that has moved on since, for a minibatch of some of them.
struct Case {
  ActionLayout layout;
  at::Tensor index = at::randperm(samples, at::detail::createCPUGenerator(1), at::kLong).narrow(0, 0, rows);
  at::Tensor old_log_sd, log_sd, old_parameters, parameters, values, advantages, returns, old_log_probabilities;
  ActionRows actions;

  Case(ActionLayout const& heads, bool masked) : layout(heads) {
    old_log_sd = random_normal({layout.continuous}, 2) * 0.3;
    log_sd = old_log_sd + random_normal({layout.continuous}, 3) * 0.2;
    old_parameters = random_normal({samples, layout.parameters()}, 4);
    parameters = old_parameters.index_select(0, index) + random_normal({rows, layout.parameters()}, 5) * 0.4;
    values = random_normal({rows}, 6);
    advantages = random_normal({samples}, 7);
    returns = random_normal({samples}, 8);
    if (masked) actions.masks = random_masks(layout, samples, 9);
    actions.continuous = random_normal({samples, layout.continuous}, 10);
    actions.discrete = at::zeros({samples, layout.discrete}, at::kInt);
    std::int64_t at = 0;
    for (int h = 0; h < layout.discrete; ++h) {
      auto weights = random_unit({samples, layout.choices[h]}, 11 + std::uint64_t(h)) + 0.01;
      if (masked) weights = weights * actions.masks.narrow(1, at, layout.choices[h]);
      actions.discrete.select(1, h).copy_(weights.argmax(1));
      at += layout.choices[h];
    }
    old_log_probabilities = log_probability(layout, old_parameters, old_log_sd, actions);
  }

  ActionRows chosen() const {
    return {actions.continuous.index_select(0, index).to(at::kDouble), actions.discrete.index_select(0, index),
            actions.masks.defined() ? actions.masks.index_select(0, index) : at::Tensor()};
  }
};

struct Result {
  at::Tensor d_parameters, d_values, d_log_sd, terms;  // terms: means [4]
};

Result by_autograd(Case const& c) {
  auto const wide = [](at::Tensor const& x) { return x.to(at::kDouble).clone().set_requires_grad(true); };
  auto const parameters = wide(c.parameters), values = wide(c.values), log_sd = wide(c.log_sd);
  auto const pick = [&](at::Tensor const& x) { return x.index_select(0, c.index).to(at::kDouble); };
  auto const actions = c.chosen();
  auto const ratio = at::exp(log_probability(c.layout, parameters, log_sd, actions) - pick(c.old_log_probabilities));
  auto const advantages = pick(c.advantages);
  auto const policy_loss = -at::minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean();
  auto const value_loss = (values - pick(c.returns)).square().mean() * 0.5;
  auto const kl =
      kl_divergence(c.layout, pick(c.old_parameters), c.old_log_sd.to(at::kDouble), parameters, log_sd, actions.masks)
          .mean();
  auto const h = entropy(c.layout, parameters, log_sd, actions.masks).mean();
  (policy_loss + value_weight * value_loss + kl_coefficient * kl - entropy_weight * h).backward();
  auto const d_log_sd = log_sd.grad().defined() ? log_sd.grad() : at::zeros_like(log_sd);
  return {parameters.grad(), values.grad(), d_log_sd, at::stack({policy_loss, value_loss, kl, h})};
}

Result in_closed_form(Case const& c) {
  auto const real = at::TensorOptions().dtype(at::kFloat);
  Result r{at::full({rows, c.layout.parameters()}, 99, real), at::full({rows}, 99, real),
           at::full({rows, c.layout.continuous}, 99, real), at::full({rows, 4}, 99, real)};
  auto const coefficient = at::full({}, kl_coefficient, real);
  ops::ppo_loss({.layout = c.layout,
                 .clip = float(clip),
                 .value_weight = float(value_weight),
                 .entropy_weight = float(entropy_weight),
                 .scale = 1.0f / rows,
                 .kl_coefficient = coefficient.data_ptr<float>(),
                 .log_sd = c.log_sd.data_ptr<float>(),
                 .old_log_sd = c.old_log_sd.data_ptr<float>(),
                 .index = c.index.data_ptr<std::int64_t>(),
                 .rows = rows,
                 .old_parameters = c.old_parameters.data_ptr<float>(),
                 .old_log_probabilities = c.old_log_probabilities.data_ptr<float>(),
                 .advantages = c.advantages.data_ptr<float>(),
                 .returns = c.returns.data_ptr<float>(),
                 .continuous = c.actions.continuous.data_ptr<float>(),
                 .discrete = c.actions.discrete.data_ptr<std::int32_t>(),
                 .masks = c.actions.masks.defined() ? c.actions.masks.data_ptr<std::uint8_t>() : nullptr,
                 .outputs = {.parameters = c.parameters.data_ptr<float>(),
                             .values = c.values.data_ptr<float>(),
                             .d_parameters = r.d_parameters.data_ptr<float>(),
                             .d_values = r.d_values.data_ptr<float>(),
                             .d_log_sd = r.d_log_sd.data_ptr<float>(),
                             .terms = static_cast<PpoTerms*>(r.terms.data_ptr()),
                             .parameter_stride = c.layout.parameters(),
                             .value_stride = 1}},
                at::kCPU);
  r.d_log_sd = r.d_log_sd.sum(0);
  r.terms = r.terms.mean(0);
  return r;
}

TEST(PpoLoss, GradientsAndTermsEqualAutograd) {
  for (auto const& layout : some_layouts())
    for (bool const masked : {false, true}) {
      if (masked && layout.discrete == 0) continue;
      Case const c(layout, masked);
      auto const expected = by_autograd(c), found = in_closed_form(c);
      SCOPED_TRACE(::testing::Message() << layout.continuous << " reals, " << layout.discrete << " choices, "
                                        << (masked ? "masked" : "all legal"));
      EXPECT_LT(distance(found.d_parameters, expected.d_parameters), 1e-6);
      EXPECT_LT(distance(found.d_values, expected.d_values), 1e-7);
      EXPECT_LT(distance(found.d_log_sd, expected.d_log_sd), 2e-6);
      EXPECT_LT(distance(found.terms, expected.terms), 1e-5);
      EXPECT_GT(expected.d_parameters.abs().max().item<double>(), 1e-3);
    }
}

TEST(PpoLoss, ANumberThatIsNotFiniteShows) {
  Case c(heads(2, {3}), false);
  c.parameters[3][1] = std::numeric_limits<float>::quiet_NaN();
  c.parameters[4][3] = std::numeric_limits<float>::infinity();
  auto const found = in_closed_form(c);
  EXPECT_FALSE(at::isfinite(found.terms[2]).item<bool>());  // KL
  EXPECT_FALSE(at::isfinite(found.d_parameters[3]).all().item<bool>());
}

}  // namespace
}  // namespace shoal
