#include "shoal/ops/nstep.hpp"

#include <rapidcheck.h>

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

struct Chunk {
  at::Tensor rewards, ended;  // [T, C] f32, [T, C] u8
  at::Tensor returns = at::full_like(rewards, 99), factors = at::full_like(rewards, 99);
  at::Tensor next = at::full_like(rewards, 99, at::kLong);

  std::int64_t steps() const { return rewards.size(0); }
  std::int64_t columns() const { return rewards.size(1); }

  Chunk& sum(int n, double discount) {
    ops::nstep(args(n, discount), at::kCPU);
    return *this;
  }
  NStepArgs args(int n, double discount) const {
    return {.steps = int(steps()),
            .columns = columns(),
            .n = n,
            .discount = float(discount),
            .rewards = rewards.data_ptr<float>(),
            .ended = ended.data_ptr<std::uint8_t>(),
            .returns = returns.data_ptr<float>(),
            .factors = factors.data_ptr<float>(),
            .next = next.data_ptr<std::int64_t>()};
  }
};

/// One column from lists; next then counts steps: t of observation t, steps + 1 + t of the final observation of step t.
Chunk column(std::vector<float> const& rewards, std::vector<int> const& ended) {
  return {at::tensor(rewards).unsqueeze(1), at::tensor(ended).to(at::kByte).unsqueeze(1)};
}

void expect_column(Chunk const& c, std::vector<double> const& returns, std::vector<double> const& factors,
                   std::vector<std::int64_t> const& next) {
  EXPECT_LT(distance(c.returns.squeeze(1), at::tensor(returns, at::kDouble)), 1e-6) << c.returns;
  EXPECT_LT(distance(c.factors.squeeze(1), at::tensor(factors, at::kDouble)), 1e-6) << c.factors;
  EXPECT_TRUE(at::equal(c.next.squeeze(1), at::tensor(next, at::kLong))) << c.next;
}

/// The definition, a row at a time and in double.
void expect_definition(Chunk const& c, int n, double discount) {
  auto const rewards = c.rewards.accessor<float, 2>(), returns = c.returns.accessor<float, 2>(),
             factors = c.factors.accessor<float, 2>();
  auto const ended = c.ended.accessor<std::uint8_t, 2>();
  auto const next = c.next.accessor<std::int64_t, 2>();
  for (std::int64_t column = 0; column < c.columns(); ++column)
    for (std::int64_t t = 0; t < c.steps(); ++t) {
      auto last = t;
      while (last + 1 < std::min(t + n, c.steps()) && ended[last][column] == 0) ++last;
      double sum = 0;
      for (auto k = t; k <= last; ++k) sum += std::pow(discount, double(k - t)) * rewards[k][column];
      bool const terminated = ended[last][column] == 1, truncated = ended[last][column] == 2;
      EXPECT_NEAR(returns[t][column], sum, 1e-5);
      EXPECT_NEAR(factors[t][column], terminated ? 0 : std::pow(discount, double(last + 1 - t)), 1e-6);
      EXPECT_EQ(next[t][column], (truncated ? c.steps() + 1 + last : last + 1) * c.columns() + column);
    }
}

// Rainbow's check: m = 1 in the last row, whose bootstrap has discount^1.
TEST(NStep, TheChunksEndShortensTheSumAndItsFactor) {
  expect_column(column({1, 2, 3}, {0, 0, 0}).sum(2, 0.9), {2.8, 4.7, 3}, {0.81, 0.81, 0.9}, {2, 3, 3});
}

// Ape-X's check: r = 1, 1, 1, a value of 10 in three steps.
TEST(NStep, TargetOfThreeSteps) {
  auto const c = column({1, 1, 1}, {0, 0, 0}).sum(3, 0.99);
  double const target = number(c.returns[0][0]) + 10 * number(c.factors[0][0]);
  EXPECT_NEAR(target, 12.67309, 1e-5);
  EXPECT_NEAR(std::abs(5 - target) + 1e-6, 7.673091, 1e-5);
}

TEST(NStep, NoBootstrapAfterATermination) {
  expect_column(column({1, 2, 4, 8}, {0, 1, 0, 0}).sum(3, 0.5), {2, 2, 8, 8}, {0, 0, 0.25, 0.5}, {2, 2, 4, 4});
}

TEST(NStep, TruncationBootstrapsFromTheFinalObservation) {
  expect_column(column({1, 2, 4, 8}, {0, 2, 0, 2}).sum(3, 0.5), {2, 2, 8, 8}, {0.25, 0.5, 0.25, 0.5}, {6, 6, 8, 8});
}

TEST(NStep, EqualsTheDefinition) {
  EXPECT_TRUE(rc::check([] {
    std::int64_t const steps = *rc::gen::inRange(1, 12), columns = *rc::gen::element(1, 3, 63, 64, 65, 130);
    int const n = *rc::gen::inRange(1, 8);
    auto const salt = *rc::gen::arbitrary<std::uint32_t>();
    double const discount = *rc::gen::element(0.0, 0.9, 0.99, 1.0);
    Chunk c{random_normal({steps, columns}, salt), (random_unit({steps, columns}, salt) * 8).to(at::kByte)};
    c.ended.masked_fill_(c.ended > 2, 0);  // ends in a quarter of the steps
    expect_definition(c.sum(n, discount), n, discount);
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

TEST(NStep, RowsAloneAndThreadsGiveTheSameBits) {
  Chunk const c{random_normal({9, 1000}, 1), (random_unit({9, 1000}, 2) < 0.1).to(at::kByte)};
  Chunk blocks{c.rewards, c.ended}, rows{c.rewards, c.ended};
  for (std::int64_t row = 0; row < c.rewards.numel(); ++row) nstep_row(rows.args(3, 0.99), row);
  auto const before = at::get_num_threads();
  for (int const threads : {1, 3}) {
    at::set_num_threads(threads);
    blocks.sum(3, 0.99);
    EXPECT_TRUE(at::equal(blocks.returns, rows.returns) && at::equal(blocks.factors, rows.factors) &&
                at::equal(blocks.next, rows.next))
        << threads << " threads";
  }
  at::set_num_threads(before);
}

}  // namespace
}  // namespace shoal
