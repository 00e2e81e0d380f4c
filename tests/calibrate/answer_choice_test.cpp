#include "shoal/calibrate/answer_choice.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace shoal {
namespace {

Fit fit_of(double r_cal) { return {.episodes = 1, .r_cal = {r_cal, r_cal, r_cal}, .targets = {}}; }

/// Validations of candidates 0, 1, ..., which have these fits and keep them.
AnswerChoice after(std::vector<double> const& fits, int patience = 0) {
  AnswerChoice choice(patience);
  for (std::size_t i = 0; i < fits.size(); ++i)
    choice.consider(at::full({1}, double(i), at::kDouble),
                    [&](at::Tensor const& profile) { return fit_of(fits[std::size_t(profile.item<double>())]); });
  return choice;
}

TEST(AnswerChoice, TheBetterOneStays) {
  auto const choice = after({0.5, 0.7, 0.6});
  EXPECT_EQ(choice.profile().item<double>(), 1);
  EXPECT_EQ(choice.validations(), (std::vector<double>{0.5, 0.7, 0.7}));
  EXPECT_EQ(after({0.5, 0.5}).profile().item<double>(), 1) << "of equals the present one";
}

TEST(AnswerChoice, TheIncumbentIsValuedUnderPresentPolicies) {
  AnswerChoice choice(0);
  choice.consider(at::zeros({1}), [](at::Tensor const&) { return fit_of(0.9); });
  auto const fit = choice.consider(at::ones({1}), [](at::Tensor const& profile) {
    return fit_of(profile.item<float>() == 0 ? 0.4 : 0.6);  // policies have moved on
  });
  EXPECT_EQ(fit.r_cal.mean, 0.6);
  EXPECT_EQ(choice.profile().item<float>(), 1);
}

TEST(AnswerChoice, MayImproveAsLongAsValidationsGetBetterOnAverage) {
  EXPECT_TRUE(after({0.5, 0.5, 0.5}, 2).may_improve()) << "too few to tell";
  EXPECT_FALSE(after({0.5, 0.5, 0.5, 0.5}, 2).may_improve());
  EXPECT_TRUE(after({0.5, 0.5, 0.5, 0.6}, 2).may_improve());
  EXPECT_TRUE(after({0.5, 0.5, 0.5, 0.5}, 0).may_improve()) << "0: for ever";
  // a high one long ago, of policies that are gone, does not count
  AnswerChoice choice(1);
  choice.restore(at::zeros({1}), {0.9, 0.6, 0.7});
  EXPECT_TRUE(choice.may_improve());
  choice.restore(at::zeros({1}), {0.9, 0.6});
  EXPECT_FALSE(choice.may_improve());
  choice.forget_validations();
  EXPECT_TRUE(choice.may_improve());
}

}  // namespace
}  // namespace shoal
