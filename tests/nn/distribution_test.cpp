#include "shoal/nn/distribution.hpp"

#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

at::Tensor row(std::vector<double> const& x) { return at::tensor(x, at::kDouble).unsqueeze(0); }
at::Tensor reals(std::vector<double> const& x) { return at::tensor(x, at::kDouble); }

TEST(Distribution, NormalByHand) {
  auto const layout = heads(1, {});
  auto const log_sd = reals({std::log(2.0)});
  EXPECT_NEAR(number(log_probability(layout, row({0}), log_sd, {row({1}), {}, {}})), -1.7370857137646, 1e-7);
  EXPECT_NEAR(number(entropy(layout, row({0}), log_sd, {})), 2.1120857137646, 1e-7);
  // N(0, 1) from N(1, 2): log 2 + (1 + 1) / 8 - 1/2
  EXPECT_NEAR(number(kl_divergence(layout, row({0}), reals({0}), row({1}), log_sd, {})), 0.4431471805599, 1e-12);
}

TEST(Distribution, ChoicesByHand) {
  auto const layout = heads(0, {3});
  auto const logits = row({0, std::log(2.0), 0}), none = reals({});  // 1/4, 1/2, 1/4
  ActionRows actions{{}, at::ones({1, 1}, at::kInt), {}};
  EXPECT_NEAR(number(log_probability(layout, logits, none, actions)), std::log(0.5), 1e-12);
  EXPECT_NEAR(number(entropy(layout, logits, none, {})), 1.5 * std::log(2.0), 1e-12);
  EXPECT_NEAR(number(kl_divergence(layout, logits, none, row({0, 0, 0}), none, {})),
              std::log(3.0) - 1.5 * std::log(2.0), 1e-12);

  actions.masks = at::tensor({1, 1, 0}, at::kByte).unsqueeze(0);  // 1/3, 2/3
  EXPECT_NEAR(number(log_probability(layout, logits, none, actions)), std::log(2.0 / 3), 1e-12);
  EXPECT_NEAR(number(entropy(layout, logits, none, actions.masks)), std::log(3.0) - 2.0 / 3 * std::log(2.0), 1e-12);
  EXPECT_NEAR(number(kl_divergence(layout, logits, none, row({0, 0, 5}), none, actions.masks)),
              std::log(2.0) - (std::log(3.0) - 2.0 / 3 * std::log(2.0)), 1e-12);
}

/// Two distributions of one layout, and legal choices, in double.
struct Pair {
  ActionLayout layout;
  std::int64_t rows;
  at::Tensor old_parameters = random_normal({rows, layout.parameters()}, 1, at::kDouble);
  at::Tensor parameters = old_parameters + 0.5 * random_normal({rows, layout.parameters()}, 2, at::kDouble);
  at::Tensor old_log_sd = 0.3 * random_normal({layout.continuous}, 3, at::kDouble);
  at::Tensor log_sd = old_log_sd + 0.2 * random_normal({layout.continuous}, 4, at::kDouble);
  at::Tensor masks = random_masks(layout, rows, 5);

  ActionRows actions() const {
    ActionRows a{random_normal({rows, layout.continuous}, 6, at::kDouble), {}, masks};
    std::vector<at::Tensor> chosen;
    for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++])
      chosen.push_back(masks.narrow(1, at, layout.choices[h]).argmax(1).to(at::kInt));
    if (layout.discrete > 0) a.discrete = at::stack(chosen, 1);
    return a;
  }
};

TEST(Distribution, DivergenceIsZeroAtEqualityAndElsewherePositive) {
  for (auto const& layout : some_layouts()) {
    Pair const p{layout, 20};
    auto const kl = [&](at::Tensor const& parameters, at::Tensor const& log_sd) {
      return kl_divergence(layout, p.old_parameters, p.old_log_sd, parameters, log_sd, p.masks);
    };
    EXPECT_LT(distance(kl(p.old_parameters, p.old_log_sd), at::zeros({20}, at::kDouble)), 1e-12);
    EXPECT_GE(number(kl(p.parameters, p.log_sd).min()), 0);
    EXPECT_GT(number(kl(p.parameters, p.log_sd).mean()), 0.01);
  }
}

// 50,000 actions of the old distribution, drawn by LibTorch; the bound is 5 standard errors of their mean.
TEST(Distribution, DivergenceAndEntropyEqualMonteCarlo) {
  constexpr int draws = 50000;
  for (auto const& layout : some_layouts()) {
    Pair const p{layout, 1};
    auto const generator = at::detail::createCPUGenerator(7);
    auto const many = [&](at::Tensor const& x) { return x.expand({draws, -1}); };
    ActionRows actions{{}, {}, many(p.masks)};
    actions.continuous = p.old_parameters.narrow(1, 0, layout.continuous) +
                         p.old_log_sd.exp() * at::randn({draws, layout.continuous}, generator, p.log_sd.options());
    std::vector<at::Tensor> chosen;
    for (int h = 0, at = 0; h < layout.discrete; at += layout.choices[h++]) {
      auto const weights = p.old_parameters.narrow(1, layout.continuous + at, layout.choices[h]).exp() *
                           p.masks.narrow(1, at, layout.choices[h]);
      chosen.push_back(at::multinomial(weights.squeeze(0), draws, true, generator).to(at::kInt));
    }
    if (layout.discrete > 0) actions.discrete = at::stack(chosen, 1);
    auto const old_log_p = log_probability(layout, many(p.old_parameters), p.old_log_sd, actions);
    auto const gain = old_log_p - log_probability(layout, many(p.parameters), p.log_sd, actions);
    double const root = std::sqrt(draws);
    EXPECT_NEAR(number(gain.mean()),
                number(kl_divergence(layout, p.old_parameters, p.old_log_sd, p.parameters, p.log_sd, p.masks)),
                5 * number(gain.std()) / root);
    EXPECT_NEAR(number(-old_log_p.mean()), number(entropy(layout, p.old_parameters, p.old_log_sd, p.masks)),
                5 * number(old_log_p.std()) / root + 1e-6);
  }
}

TEST(Distribution, GradientsEqualFiniteDifferences) {
  for (auto const& layout : some_layouts()) {
    Pair const p{layout, 4};
    auto const actions = p.actions();
    auto const weights = at::arange(1, 5, at::kDouble);
    // x = [parameters | log_sd], flat
    auto const all = [&](at::Tensor const& x) {
      auto const parameters = x.narrow(0, 0, p.parameters.numel()).view_as(p.parameters);
      auto const log_sd = x.narrow(0, p.parameters.numel(), layout.continuous);
      return ((log_probability(layout, parameters, log_sd, actions) + 2 * entropy(layout, parameters, log_sd, p.masks) +
               3 * kl_divergence(layout, p.old_parameters, p.old_log_sd, parameters, log_sd, p.masks)) *
              weights)
          .sum();
    };
    auto const x = at::cat({p.parameters.flatten(), p.log_sd}).set_requires_grad(true);
    all(x).backward();
    EXPECT_LT(distance(x.grad(), numeric_gradient([&](at::Tensor const& y) { return number(all(y)); }, x)), 1e-6);
    auto const logits = x.grad()
                            .narrow(0, 0, p.parameters.numel())
                            .view_as(p.parameters)
                            .narrow(1, layout.continuous, layout.total_choices);
    EXPECT_TRUE((logits.masked_select(p.masks == 0) == 0).all().item<bool>()) << "illegal choices have no gradient";
  }
}

}  // namespace
}  // namespace shoal
