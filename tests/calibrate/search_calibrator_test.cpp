#include "shoal/calibrate/search_calibrator.hpp"

#include "src/calibrate/random_search.hpp"
#include "support/helpers.hpp"
#include "support/searching.hpp"
#include "support/uneven_spec.hpp"

namespace shoal {
namespace {

using namespace test;

/// Tries [n / 100, ...] after n points, and keeps what it was told.
struct Counting final : ProfileSearch {
  at::Tensor next(SearchHistory const& history) const override {
    told = {history.points.clone(), history.values.clone()};
    return at::full({3}, 0.01 * double(history.values.size(0)), at::kDouble);
  }
  mutable SearchHistory told;
};

struct Searched {
  Counting* search = new Counting;  // the calibrator's
  SearchCalibrator calibrator;

  explicit Searched(int period)
      : calibrator(ProfileSpace(uneven_spec(), at::kCPU), std::unique_ptr<ProfileSearch>(search), period, 4) {}

  at::Tensor unit() const { return (calibrator.profiles() - calibrator.space().low()) / calibrator.space().range(); }
  void stage(std::int64_t m, double reward) {
    calibrator.begin(m);
    calibrator.propose();
    calibrator.learn(at::zeros({4}));
    calibrator.end_stage(reward);
  }
};

TEST(SearchCalibrator, KeepsOneProfileForAllInstancesForAPeriod) {
  Searched s(5);
  auto const* const address = s.calibrator.profiles().data_ptr();
  for (int m = 0; m < 20; ++m) {
    s.stage(m, 0);
    EXPECT_LT(distance(s.unit(), at::full({4, 3}, 0.01 * (m / 5))), 1e-6) << "stage " << m;
    EXPECT_EQ(s.calibrator.profiles().data_ptr(), address) << "a CUDA graph reads it there";
  }
  EXPECT_EQ(s.calibrator.history().size(0), 4);
}

TEST(SearchCalibrator, AProfilesValueIsTheMeanRewardOfTheLastFifthOfItsPeriod) {
  Searched s(10);
  for (int m = 0; m <= 20; ++m) s.stage(m, m);
  EXPECT_LT(distance(s.search->told.values, at::tensor({8.5, 18.5})), 1e-12);
  EXPECT_LT(distance(s.search->told.points, at::tensor({0.0, 0.0, 0.0, 0.01, 0.01, 0.01}).view({2, 3})), 1e-12);
  Searched brief(2);
  for (int m = 0; m <= 4; ++m) brief.stage(m, m);
  EXPECT_LT(distance(brief.search->told.values, at::tensor({1.0, 3.0})), 1e-12);
}

TEST(SearchCalibrator, AStageThatFailedIsBegunAgainUnderTheSameProfile) {
  Searched s(2);
  for (int m = 0; m < 2; ++m) s.stage(m, 1);
  s.calibrator.begin(2);
  s.stage(2, 1);
  EXPECT_EQ(s.calibrator.history().size(0), 2);
  EXPECT_LT(distance(s.unit(), at::full({4, 3}, 0.01)), 1e-6);
}

TEST(RandomSearch, BeginsAtTheInitialProfileAndIsUniform) {
  auto const initial = at::tensor({0.9, 0.2}, at::kDouble);
  RandomSearch const search(initial, 1);
  auto const points = run_search(search, 1000, 2, [](double const*) { return 0.0; }).points;
  EXPECT_TRUE(at::equal(points[0], initial));
  auto const rest = points.narrow(0, 1, 999);
  EXPECT_LT(distance(rest.mean(0), at::full({2}, 0.5)), 0.05);
  EXPECT_LT(distance(rest.std(0), at::full({2}, std::sqrt(1 / 12.0))), 0.02);
  EXPECT_GT(distance(rest[0], RandomSearch(initial, 2).next({rest.narrow(0, 0, 1), at::zeros({1}, at::kDouble)})),
            1e-3);
}

}  // namespace
}  // namespace shoal
