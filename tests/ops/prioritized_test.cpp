#include "shoal/ops/prioritized.hpp"

#include <rapidcheck.h>

#include <limits>

#include "shoal/core/thread_team.hpp"
#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

/// Priorities, and what draws from them need.
struct Buffer {
  at::Tensor priorities;
  std::int64_t blocks = DrawRowsArgs::blocks(priorities.numel());
  at::Tensor group_sums = at::full({blocks, DrawRowsArgs::groups}, 1e30, at::kDouble);
  at::Tensor block_sums = at::full({blocks}, 1e30, at::kDouble);
  at::Tensor least = at::full({blocks, DrawRowsArgs::groups + 1}, -1e30);
  at::Tensor drawn = {}, weights = {};

  DrawRowsArgs args(std::int64_t draws, float beta = 1, bool stratified = false, Random const& random = {1, 2, 3, 4}) {
    drawn = at::full({draws}, -1, at::kLong);
    weights = at::full({draws}, -1, at::kFloat);
    return {.priorities = priorities.data_ptr<float>(),
            .rows = priorities.numel(),
            .group_sums = group_sums.data_ptr<double>(),
            .block_sums = block_sums.data_ptr<double>(),
            .least = least.data_ptr<float>(),
            .random = random,
            .stratified = stratified,
            .beta = beta,
            .draws = draws,
            .drawn = drawn.data_ptr<std::int64_t>(),
            .weights = weights.data_ptr<float>()};
  }
  DrawRowsArgs summed() {
    auto const a = args(1);
    for (std::int64_t b = 0; b < a.blocks(); ++b) sum_block<2>(SerialTeam{}, a, b);
    fold_blocks(a);
    return a;
  }
};

/// The sums in the documented association, written out: [rows], and [rows + 1] is the last one.
std::vector<double> documented_sums(at::Tensor const& priorities) {
  auto const p = priorities.accessor<float, 1>();
  std::vector<double> sums;
  double block = 0, group = 0, sum = 0;
  for (std::int64_t row = 0; row < p.size(0); ++row) {
    sum += double(p[row]);
    sums.push_back(block + (group + sum));
    if ((row + 1) % DrawRowsArgs::group == 0) group += sum, sum = 0;
    if ((row + 1) % DrawRowsArgs::block == 0) block += group, group = 0;
  }
  return sums;
}

at::Tensor some_priorities(std::int64_t rows, std::uint64_t seed) {
  return at::exp(3 * random_normal({rows}, seed)).contiguous();
}

/// A ring's priorities and updates of them.
struct Ring {
  at::Tensor priorities, largest = at::ones({1});
  float alpha = 1;

  PriorityRing ring() const {
    return {priorities.data_ptr<float>(), priorities.numel(), alpha, largest.data_ptr<float>()};
  }
  void insert(std::int64_t first, std::int64_t count, at::Tensor const& errors = {}) const {
    ops::new_priorities({.ring = ring(),
                         .first = first,
                         .count = count,
                         .errors = errors.defined() ? errors.data_ptr<float>() : nullptr},
                        at::kCPU);
  }
  void update(std::vector<std::int64_t> const& rows, std::vector<float> const& errors,
              std::int64_t overwritten_first = 0, std::int64_t overwritten = 0) const {
    ops::update_priorities({.ring = ring(),
                            .overwritten_first = overwritten_first,
                            .overwritten = overwritten,
                            .rows = rows.data(),
                            .errors = errors.data(),
                            .count = std::int64_t(rows.size())},
                           at::kCPU);
  }
};

void expect_near(at::Tensor const& x, std::vector<double> const& expected, double error = 2e-6) {
  EXPECT_LT(distance(x, at::tensor(expected, at::kDouble)), error) << x;
}

// The specification's numbers: |error| = 1, 2, 4. The 1e-6 that it leaves out is below the tolerance.
TEST(Prioritized, ProbabilitiesAndWeightsByHand) {
  Ring const ring{at::zeros({3}), at::ones({1}), 0.6f};
  ring.update({0, 1, 2}, {1, -2, 4});
  Buffer buffer{ring.priorities};
  auto const args = buffer.summed();
  double const sum = args.block_sums[0];
  EXPECT_NEAR(0.5 * sum, 2.406556638, 5e-6);
  expect_near(ring.priorities / sum, {0.207765731, 0.314913961, 0.477320308});
  EXPECT_EQ(row_beyond(args, 0.5 * sum), 1);
  auto const weights_by_row = [&](float beta) {
    ops::draw_rows(buffer.args(1000, beta), at::kCPU);
    auto by_row = at::zeros({3});
    by_row.index_copy_(0, buffer.drawn, buffer.weights);
    return by_row;
  };
  expect_near(weights_by_row(0.4f), {1, 0.846745312, 0.716977624});
  expect_near(weights_by_row(0), {1, 1, 1});
  Ring const half{ring.priorities, at::ones({1}), 0.5f};
  half.update({0, 1, 2}, {1, 2, 4});
  expect_near(weights_by_row(1), {1, 0.707106781, 0.5});
}

TEST(Prioritized, FindsTheFirstPrefixSumBeyondTheTarget) {
  EXPECT_TRUE(rc::check([] {
    std::int64_t const rows = *rc::gen::element(1, 2, 31, 32, 33, 1023, 1024, 1025, 5000);
    Buffer buffer{some_priorities(rows, *rc::gen::arbitrary<std::uint32_t>())};
    if (*rc::gen::arbitrary<bool>()) buffer.priorities.narrow(0, 0, rows / 2).fill_(0);
    auto const args = buffer.summed();
    auto const sums = documented_sums(buffer.priorities);
    RC_ASSERT(args.block_sums[args.blocks() - 1] == sums.back());
    RC_ASSERT(args.block_least()[0] == buffer.priorities.min().item<float>());
    auto const row = std::size_t(*rc::gen::inRange<std::int64_t>(0, rows));
    double const u = double(*rc::gen::inRange(0, 1 << 20)) * 0x1p-20;
    for (double const target : {sums[row], std::nextafter(sums[row], 0.0), u * sums.back(), 0.0}) {
      auto const first = std::upper_bound(sums.begin(), sums.end(), target) - sums.begin();
      RC_ASSERT(row_beyond(args, target) == std::min(first, rows - 1));
    }
  }));
}

TEST(Prioritized, AgreesWithCumsumAndSearchsorted) {
  Buffer buffer{some_priorities(20000, 1)};
  auto const args = buffer.summed();
  auto const sums = buffer.priorities.to(at::kDouble).cumsum(0);
  EXPECT_LT(std::abs(args.block_sums[args.blocks() - 1] / number(sums[19999]) - 1), 1e-13);
  auto const targets = random_unit({1000}, 2) * sums[19999];
  auto const expected = at::searchsorted(sums, targets, /*out_int32=*/false, /*right=*/true);
  for (std::int64_t i = 0; i < 1000; ++i)
    EXPECT_EQ(row_beyond(args, number(targets[i])), expected[i].item<std::int64_t>());
}

// Chi-square of 8 rows in 100,000 draws against 7 + 5 standard deviations.
TEST(Prioritized, DrawsInProportion) {
  Buffer buffer{at::tensor({1.0f, 0.5f, 3.0f, 0.25f, 2.0f, 2.0f, 0.125f, 4.0f})};
  for (bool const stratified : {false, true}) {
    ops::draw_rows(buffer.args(100000, 1, stratified), at::kCPU);
    auto const counts = at::bincount(buffer.drawn, {}, 8).to(at::kDouble);
    auto const expected = buffer.priorities.to(at::kDouble) / 12.875 * 100000;
    EXPECT_LT(number(((counts - expected).square() / expected).sum()), 7 + 5 * std::sqrt(14.0));
    EXPECT_LT(distance(buffer.weights, 0.125 / buffer.priorities.index_select(0, buffer.drawn)), 1e-6);
  }
}

TEST(Prioritized, StrataOfEqualRowsDrawEachOnce) {
  Buffer buffer{at::full({3000}, 0.25)};
  ops::draw_rows(buffer.args(3000, 1, true), at::kCPU);
  EXPECT_TRUE(at::equal(buffer.drawn, at::arange(3000)));
}

TEST(Prioritized, WithoutPrioritiesAllRowsAreEquallyLikely) {
  Buffer buffer{at::ones({5})};
  for (bool const stratified : {false, true}) {
    auto args = buffer.args(100000, 1, stratified);
    args.priorities = nullptr;
    ops::draw_rows(args, at::kCPU);
    auto const counts = at::bincount(buffer.drawn, {}, 5).to(at::kDouble);
    EXPECT_EQ(counts.numel(), 5);
    EXPECT_LT(number(((counts - 20000).square() / 20000).sum()), 4 + 5 * std::sqrt(8.0));
    EXPECT_TRUE(at::equal(buffer.weights, at::ones({100000})));
  }
}

TEST(Prioritized, EachPlaceOfABatchDrawsAfresh) {
  Buffer buffer{some_priorities(5000, 3)};
  auto const drawn = [&](Random const& random) {
    ops::draw_rows(buffer.args(100, 1, false, random), at::kCPU);
    return buffer.drawn;
  };
  auto const base = drawn({1, 2, 3, 4});
  EXPECT_TRUE(at::equal(base, drawn({1, 2, 3, 4})));
  for (Random const& other : {Random{9, 2, 3, 4}, {1, 9, 3, 4}, {1, 2, 9, 4}, {1, 2, 3, 9}})
    EXPECT_FALSE(at::equal(base, drawn(other)));
}

TEST(Prioritized, ThreadsAndTeamsGiveTheSameBits) {
  auto const priorities = some_priorities(50001, 4);
  Buffer alone{priorities}, other{priorities};
  ops::draw_rows(alone.args(2000), at::kCPU);
  auto const expect_equal = [&](std::string const& who) {
    EXPECT_TRUE(at::equal(alone.group_sums, other.group_sums) && at::equal(alone.block_sums, other.block_sums) &&
                at::equal(alone.least, other.least))
        << who;
  };
  auto const before = at::get_num_threads();
  for (int const threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    ops::draw_rows(other.args(2000), at::kCPU);
    expect_equal(std::to_string(threads) + " threads");
    EXPECT_TRUE(at::equal(alone.drawn, other.drawn) && at::equal(alone.weights, other.weights));
  }
  at::set_num_threads(before);
  auto const sum_with = [&](auto run) {
    auto const args = other.args(1);
    run([&](auto team) {
      for (std::int64_t b = 0; b < args.blocks(); ++b) sum_block<1>(team, args, b);
    });
    fold_blocks(args);
  };
  sum_with([](auto f) { f(ScrambledTeam(7)); });
  expect_equal("scrambled");
  sum_with([](auto f) { run_threads(3, f); });
  expect_equal("a team of threads");
}

TEST(Prioritized, NewRowsGetTheLargestErrorSeenOrTheirOwn) {
  Ring const ring{at::zeros({5})};
  ring.insert(3, 4);  // around the end
  expect_near(ring.priorities, {1, 1, 0, 1, 1});
  ring.update({0, 1}, {-7, 0.5f});
  ring.insert(2, 1);
  expect_near(ring.priorities, {7, 0.5, 7, 1, 1});
  ring.update({0}, {0.25f});  // what was once the largest stays it
  ring.insert(1, 1);
  expect_near(ring.priorities, {0.25, 7, 7, 1, 1});
  ring.insert(4, 2, at::tensor({-3.0f, std::numeric_limits<float>::quiet_NaN()}));
  expect_near(ring.priorities, {7, 7, 7, 1, 3});
}

TEST(Prioritized, AlphaAndTheFloorOfPriorities) {
  Ring const ring{at::zeros({3}), at::ones({1}), 0.5f};
  ring.update({0, 1, 2}, {0, 9, std::numeric_limits<float>::max()});
  expect_near(ring.priorities.narrow(0, 0, 2), {1e-3, 3});
  EXPECT_TRUE(std::isfinite(number(ring.priorities[2])));
}

TEST(Prioritized, OfOneRowsErrorsTheLargestCounts) {
  for (auto const& errors : {std::vector<float>{5, -6, 2}, {2, 5, -6}, {-6, 2, 5}}) {
    Ring const ring{at::full({2}, 100.0)};
    ring.update({1, 1, 1}, errors);
    expect_near(ring.priorities, {100, 6});
    EXPECT_EQ(number(ring.largest), 6);
  }
}

TEST(Prioritized, ErrorsThatAreNotFiniteChangeNothing) {
  Ring const ring{at::full({3}, 2.0)};
  ring.update({0, 1, 2}, {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), 4});
  expect_near(ring.priorities, {2, 2, 4});
  EXPECT_EQ(number(ring.largest), 4);
}

TEST(Prioritized, OverwrittenRowsKeepTheirPriority) {
  Ring const ring{at::full({6}, 2.0)};
  ring.update({0, 1, 2, 3, 4, 5}, {9, 8, 7, 6, 5, 4}, 5, 2);  // 5 and 0 have been overwritten
  expect_near(ring.priorities, {2, 8, 7, 6, 5, 2});
  EXPECT_EQ(number(ring.largest), 8);
  ring.update({0, 1, 2, 3, 4, 5}, {1, 1, 1, 1, 1, 1}, 3, 6);
  expect_near(ring.priorities, {2, 8, 7, 6, 5, 2});
}

}  // namespace
}  // namespace shoal
