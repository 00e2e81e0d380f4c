#include "shoal/ops/gradient.hpp"

#include "support/gradient_problem.hpp"

namespace shoal {
namespace {

using namespace test;

struct Reference {
  at::Tensor gradients, terms;
};

/// Autograd through the loss as its definition has it, in f64.
Reference by_autograd(GradientProblem const& p) {
  auto const parameters = p.network.parameters().detach().to(at::kDouble).clone().set_requires_grad(true);
  PlainNetwork const network(p.of.shape, parameters);
  auto const pick = [&](at::Tensor const& x) { return x.index_select(0, p.index); };
  auto const wide = [&](at::Tensor const& x) { return pick(x).to(at::kDouble); };
  ActionRows const actions{wide(p.actions.continuous), pick(p.actions.discrete),
                           p.actions.masks.defined() ? pick(p.actions.masks) : at::Tensor()};
  auto const x = wide(p.observations);
  auto const distribution = network.distribution(x), values = network.value(x);
  auto const& layout = p.of.shape.actions;
  auto const weights = p.weights.defined() ? wide(p.weights) : at::ones({p.rows}, at::kDouble);
  auto const mean = [&](at::Tensor const& rows) { return (weights * rows).mean(); };
  auto const advantages = wide(p.advantages);
  auto const ratio =
      at::exp(log_probability(layout, distribution, network.log_sd, actions) - wide(p.old_log_probabilities));
  auto const clipped = ratio.clamp(1 - p.clip, 1 + p.clip) * advantages;
  auto const policy_loss = mean(-at::minimum(ratio * advantages, clipped));
  auto const value_loss = mean((values - wide(p.returns)).square() * 0.5);
  auto const kl = mean(kl_divergence(layout, wide(p.old_parameters), p.old_log_sd.to(at::kDouble), distribution,
                                     network.log_sd, actions.masks));
  auto const h = mean(entropy(layout, distribution, network.log_sd, actions.masks));
  (policy_loss + p.value_weight * value_loss + p.kl_coefficient.item<double>() * kl - p.entropy_weight * h).backward();
  return {parameters.grad(), at::stack({policy_loss, value_loss, kl, h}).detach()};
}

TEST(Gradient, EqualsAutograd) {
  for (auto const& of : gradient_cases())
    for (std::int64_t const rows : {1, 63, 64, 65, 300}) {
      SCOPED_TRACE(testing::PrintToString(of.shape.hidden) + ", rows " + std::to_string(rows));
      GradientProblem const problem(of, rows);
      auto const expected = by_autograd(problem);
      auto const found = gradients_by_body(problem);
      EXPECT_LT(distance(found, expected.gradients), 1e-5 * number(expected.gradients.abs().max()));
      EXPECT_LT(distance(problem.terms, expected.terms), 1e-5 * (1 + number(expected.terms.abs().max())));
    }
}

// Each part has several tiles then.
TEST(Gradient, OfMoreTilesThanParts) {
  GradientProblem const problem({gradient_shape(2, {4}, heads(1, {}))}, 64 * (2 * GradientArgs::most_parts + 5) + 7);
  EXPECT_EQ(problem.args().parts_of_batch(), GradientArgs::most_parts);
  auto const expected = by_autograd(problem);
  EXPECT_LT(distance(gradients_by_body(problem), expected.gradients), 1e-5 * number(expected.gradients.abs().max()));
}

TEST(Gradient, HasTheSameBitsForAnyTeamAndOrderOfParts) {
  for (auto const& of : gradient_cases()) {
    GradientProblem const problem(of, 200);
    auto const serial = gradients_by_body(problem);
    EXPECT_TRUE(at::equal(gradients_by_body(problem, ScrambledTeam(256)), serial));
    EXPECT_TRUE(at::equal(gradients_by_body(problem, ScrambledTeam(7), true), serial));
  }
}

TEST(Gradient, OfNoRowsIsZero) {
  auto const problem = GradientProblem(gradient_cases()[0], 0);
  EXPECT_TRUE(at::equal(gradients_by_body(problem), at::zeros_like(problem.network.parameters())));
}

TEST(Gradient, FitsTwiceIntoAProcessorsMemory) {
  GradientProblem const problem(gradient_cases()[0], 1);
  EXPECT_EQ(problem.args().memory() * int(sizeof(float)), 90448);
}

}  // namespace
}  // namespace shoal
