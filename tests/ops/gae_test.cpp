#include "shoal/ops/gae.hpp"

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr float poison = std::numeric_limits<float>::quiet_NaN();

struct Columns {
  at::Tensor rewards, values, final_values, ended;  // [T, C], [T + 1, C], [T, C], [T, C] u8
  at::Tensor advantages = at::empty_like(rewards), returns = at::empty_like(rewards);

  Columns& estimate(double discount, double lambda) {
    ops::gae({.steps = int(rewards.size(0)),
              .columns = rewards.size(1),
              .discount = float(discount),
              .lambda = float(lambda),
              .rewards = rewards.data_ptr<float>(),
              .values = values.data_ptr<float>(),
              .final_values = final_values.defined() ? final_values.data_ptr<float>() : nullptr,
              .ended = ended.data_ptr<std::uint8_t>(),
              .advantages = advantages.data_ptr<float>(),
              .returns = returns.data_ptr<float>()},
             at::kCPU);
    return *this;
  }
};

/// One column from lists.
Columns column(std::vector<float> const& rewards, std::vector<float> const& values,
               std::vector<float> const& final_values, std::vector<int> const& ended) {
  auto const tall = [](at::Tensor const& x) { return x.unsqueeze(1); };
  return {tall(at::tensor(rewards)), tall(at::tensor(values)), tall(at::tensor(final_values)),
          tall(at::tensor(ended).to(at::kByte))};
}

void expect_column(at::Tensor const& x, std::vector<double> const& expected) {
  EXPECT_LT(distance(x.squeeze(1), at::tensor(expected, at::kDouble)), 1e-6) << x.squeeze(1);
}

/// The definition: each step's sum of the deltas until its episode's end, in double.
at::Tensor by_definition(Columns const& c, double discount, double lambda) {
  auto const r = c.rewards.to(at::kDouble), v = c.values.to(at::kDouble);
  auto const steps = r.size(0);
  auto const ends = c.ended != 0;
  auto next = at::where(c.ended == 2, c.final_values.to(at::kDouble), v.narrow(0, 1, steps));
  next = at::where(c.ended == 1, at::zeros_like(next), next);
  auto const delta = r + discount * next - v.narrow(0, 0, steps);
  auto const sums = at::zeros_like(r);
  for (std::int64_t t = 0; t < steps; ++t) {
    auto going = at::ones_like(r[t]);
    for (auto k = t; k < steps; ++k) {
      sums[t] += going * std::pow(discount * lambda, double(k - t)) * delta[k];
      going = going * ends[k].logical_not();
    }
  }
  return sums;
}

TEST(Gae, EqualsTheDefinitionForRandomEnds) {
  constexpr int steps = 23, columns = 1100;
  Columns c{random_normal({steps, columns}, 1), random_normal({steps + 1, columns}, 2),
            random_normal({steps, columns}, 3), (random_unit({steps, columns}, 4) * 8).to(at::kByte)};
  c.ended.masked_fill_(c.ended > 2, 0);  // ends in a quarter of the steps
  for (auto const& [discount, lambda] : {std::pair{0.99, 0.95}, {1.0, 1.0}, {0.9, 0.0}, {0.0, 1.0}}) {
    c.estimate(discount, lambda);
    EXPECT_LT(distance(c.advantages, by_definition(c, discount, lambda)), 2e-5);
    EXPECT_LT(distance(c.returns, c.advantages + c.values.narrow(0, 0, steps)), 1e-6);
  }
}

TEST(Gae, ByHandAndTheLastRowBootstraps) {
  auto const c = column({1, 2, 3}, {1, 2, 4, 8}, {poison, poison, poison}, {0, 0, 0}).estimate(0.5, 0.5);
  expect_column(c.advantages, {1.6875, 2.75, 3});  // deltas 1, 2, 3
  expect_column(c.returns, {2.6875, 4.75, 7});
}

TEST(Gae, NoBootstrapThroughTermination) {
  auto const c = column({1, 2, 3}, {1, 2, 4, poison}, {poison, poison, poison}, {0, 1, 1}).estimate(0.5, 0.5);
  expect_column(c.advantages, {1, 0, -1});  // deltas 1, 0, -1; the first sum ends with the second step
}

TEST(Gae, TruncationBootstrapsFromTheFinalObservation) {
  auto const c = column({1, 2, 3}, {1, 2, 4, poison}, {poison, 10, 6}, {0, 2, 2}).estimate(0.5, 0.5);
  expect_column(c.advantages, {2.25, 5, 2});  // deltas 1, 5, 2
}

TEST(Gae, NeedsNoFinalValuesWhereNothingIsTruncated) {
  auto c = column({1, 2}, {0, 0, 4}, {0, 0}, {1, 0});
  c.final_values.reset();
  expect_column(c.estimate(1, 1).advantages, {1, 6});
}

}  // namespace
}  // namespace shoal
