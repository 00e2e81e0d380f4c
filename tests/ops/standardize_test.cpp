#include "shoal/ops/standardize.hpp"

#include "shoal/core/thread_team.hpp"
#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

void standardize(at::Tensor const& values, at::Tensor const& index) {
  auto const chunks = (index.numel() + StandardizeArgs::chunk - 1) / StandardizeArgs::chunk;
  auto const partials = at::full({2, chunks}, 1e30, at::kDouble);
  ops::standardize({.values = values.data_ptr<float>(),
                    .index = index.data_ptr<std::int64_t>(),
                    .count = index.numel(),
                    .partials = partials.data_ptr<double>()},
                   at::kCPU);
}

at::Tensor shuffled(std::int64_t from, std::int64_t count) {
  return at::randperm(from, at::detail::createCPUGenerator(9), at::TensorOptions().dtype(at::kLong))
      .narrow(0, 0, count)
      .contiguous();
}

// One element up to more chunks than a sum has virtual lanes; the last chunk full, and with one element.
TEST(Standardize, ASubsetGetsMeanZeroAndDeviationOneAndTheRestStays) {
  auto const chunk = StandardizeArgs::chunk;
  for (auto const count : {std::int64_t(2), std::int64_t(77), chunk - 1, chunk, chunk + 1, 3 * chunk, 70 * chunk + 1}) {
    auto const before = random_normal({count + 100}, 1) * 3 + 1000;
    auto const values = before.clone();
    auto const index = shuffled(count + 100, count);
    standardize(values, index);
    auto const x = before.index_select(0, index).to(at::kDouble);
    auto const expected = before.to(at::kDouble).index_copy(0, index, (x - x.mean()) / x.std(0, /*unbiased=*/false));
    EXPECT_LT(distance(values, expected), 1e-5) << count;
  }
}

TEST(Standardize, ConstantsBecomeZero) {
  for (std::int64_t const count : {std::int64_t(1), std::int64_t(4096), std::int64_t(5000)})
    for (double const constant : {0.0, 0.1, -1e6}) {
      auto const values = at::full({count}, constant, at::kFloat);
      standardize(values, at::arange(count));
      EXPECT_LT(distance(values, at::zeros({count})), 1e-3) << count << " times " << constant;
    }
}

TEST(Standardize, AnEmptySubsetIsLeftAlone) {
  auto const values = at::ones({3});
  standardize(values, at::empty({0}, at::kLong));
  EXPECT_TRUE(at::equal(values, at::ones({3})));
}

TEST(Standardize, TeamsOfThreadsGiveTheSameBits) {
  auto const values = random_normal({10000}, 2);
  auto const index = shuffled(10000, 9000);
  auto const moments = [&](auto run) {
    auto const partials = at::zeros({2, 3}, at::kDouble);
    StandardizeArgs const args{values.data_ptr<float>(), index.data_ptr<std::int64_t>(), 9000,
                               partials.data_ptr<double>()};
    run([&](auto team) {
      for (int c = 2; c >= 0; --c) chunk_moments(team, args, c);
      fold_moments(team, args);
    });
    return partials;
  };
  EXPECT_TRUE(at::equal(moments([](auto f) { f(SerialTeam{}); }), moments([](auto f) { run_threads(3, f); })));
}

}  // namespace
}  // namespace shoal
