#include "shoal/calibrate/evolution_calibrator.hpp"

#include "support/helpers.hpp"
#include "support/uneven_spec.hpp"

namespace shoal {
namespace {

using namespace test;

// ---- Proposals ------------------------------------------------------------------------------------------------------

/// Profiles in units of their bounds.
at::Tensor unit(Calibrator const& calibrator, at::Tensor const& profiles) {
  return (profiles - calibrator.space().low()) / calibrator.space().range();
}
at::Tensor unit(Calibrator const& calibrator) { return unit(calibrator, calibrator.profiles()); }

/// In units of its bounds the initial profile is 0.25, 0.9, 0.5.
EvolutionCalibrator make(int particles, EvolutionOptions const& options = {}, std::uint32_t seed = 1) {
  return {options, ProfileSpace(uneven_spec(), at::kCPU), particles, seed};
}

at::Tensor proposed(EvolutionCalibrator& calibrator, std::int64_t stage) {
  calibrator.begin(stage);
  calibrator.propose();
  return unit(calibrator).clone();
}

at::Tensor side(at::Tensor const& rows, int which) { return rows.unflatten(0, {-1, 2}).select(1, which); }

TEST(EvolutionCalibrator, OpposedParticlesMirrorAboutTheMean) {
  auto calibrator = make(4000);
  auto const points = proposed(calibrator, 0);
  auto const middle = (side(points, 0) + side(points, 1)) / 2;
  for (auto const& [c, mean] : {std::pair{0, 0.25}, {2, 0.5}}) {  // these two stay clear of their bounds
    EXPECT_LT(distance(middle.select(1, c), at::full({2000}, mean)), 1e-5);
    auto const one = side(points, 0).select(1, c).to(at::kDouble);
    EXPECT_NEAR(number(one.mean()), mean, 0.007);
    EXPECT_NEAR(number(one.std()), 0.07, 0.004);
  }
  // 0.9 + 0.07 normal reaches the bound: one of the two is clipped, the other one is not
  auto const reached = side(points, 0).select(1, 1) >= 1 - 1e-6;
  EXPECT_GT(number(reached.to(at::kDouble).sum()), 10);
  EXPECT_LT(number(side(points, 1).select(1, 1).index({reached}).max()), 0.8 + 1e-5);
  EXPECT_LE(number(points.select(1, 1).max()), 1 + 1e-6);
}

TEST(EvolutionCalibrator, CooledParticlesAreCloser) {
  auto calibrator = make(4000);
  for (auto const& [heat, spread] : {std::pair{1.0, 0.07}, {0.5, 0.035}, {0.01, 0.007}, {0.0, 0.007}}) {
    calibrator.begin(0);
    calibrator.cool(heat);
    calibrator.propose();
    auto const points = unit(calibrator);
    EXPECT_NEAR(number(side(points, 0).select(1, 2).to(at::kDouble).std()), spread, spread / 15) << heat;
  }
  calibrator.begin(1);
  calibrator.cool(0);
  calibrator.propose();
  auto const before = calibrator.parameters().clone();
  calibrator.learn(at::arange(4000, at::kFloat));
  EXPECT_TRUE(at::equal(calibrator.parameters(), before)) << "cold, it rests";
}

TEST(EvolutionCalibrator, PairsAndStagesDiffer) {
  auto calibrator = make(8), other = make(8, {}, 2);
  auto const first = proposed(calibrator, 0), second = proposed(calibrator, 1);
  EXPECT_GT(distance(first, second), 1e-3);
  EXPECT_GT(distance(first, proposed(other, 0)), 1e-3) << "another seed";
  EXPECT_TRUE(at::equal(first, proposed(calibrator, 0))) << "a stage is drawn the same every time";
  for (int i = 0; i < 8; i += 2)
    for (int j = 0; j < i; j += 2) EXPECT_GT(distance(first[i], first[j]), 1e-3);
}

TEST(EvolutionCalibrator, AnOddParticleStaysAtTheMean) {
  auto calibrator = make(5);
  for (int m = 0; m < 3; ++m) {
    auto const points = proposed(calibrator, m);
    EXPECT_LT(distance(points[4], calibrator.parameters()), 1e-6);
    EXPECT_GT(distance(points[3], calibrator.parameters()), 1e-3);
    calibrator.learn(points.sum(1));
  }
  EXPECT_GT(distance(calibrator.parameters(), calibrator.space().initial()), 1e-3) << "it has learned meanwhile";
}

TEST(EvolutionCalibrator, OneParticleStaysWhereItIs) {
  auto calibrator = make(1);
  for (int m = 0; m < 3; ++m) {
    EXPECT_LT(distance(proposed(calibrator, m)[0], calibrator.space().initial()), 1e-6);
    calibrator.learn(at::tensor({0.5f}));
  }
  EXPECT_TRUE(at::equal(calibrator.parameters(), calibrator.space().initial()));
}

TEST(EvolutionCalibrator, ParticlesAndMeanStayWithinTheBounds) {
  auto calibrator = make(64, {.spread = 0.7, .learning_rate = {0.2, 0, 1}});
  for (int m = 0; m < 20; ++m) {
    auto const points = proposed(calibrator, m);
    EXPECT_GE(number(points.min()), -1e-6);
    EXPECT_LE(number(points.max()), 1 + 1e-6);
    calibrator.learn(points.select(1, 0) - points.select(1, 1) - points.select(1, 2));
  }
  EXPECT_LT(distance(calibrator.parameters(), at::tensor({1.0, 0.0, 0.0})), 1e-6) << "as far as it can go";
}

// ---- Steps ----------------------------------------------------------------------------------------------------------

/// Moves of a calibrator whose mean moves by about 0.001 a stage where all stages agree.
struct Walk {
  EvolutionCalibrator calibrator = make(64, {.learning_rate = {1e-3, 0, 1}});
  at::Tensor first = calibrator.parameters().clone();
  double step = 0;  // mean size of a coordinate's move over the last 50 stages

  template <class Reward>
  explicit Walk(Reward reward) {
    for (int m = 0; m < 100; ++m) {
      auto const points = proposed(calibrator, m);
      auto const before = calibrator.parameters().clone();
      calibrator.learn(reward(m, points));
      auto const move = (calibrator.parameters() - before).abs();
      EXPECT_LE(number(move.max()), 2.3e-3);  // root 5 times the rate, were the last stages all that ever moved
      if (m >= 50) step += number(move.mean()) / 50;
    }
  }
  static at::Tensor slope(int, at::Tensor const& points) {
    return points.select(1, 0) - points.select(1, 1) + points.select(1, 2);
  }
  static at::Tensor noise(int m, at::Tensor const& points) {
    return random_normal({points.size(0)}, 100 + std::uint64_t(m));
  }
};

TEST(EvolutionCalibrator, AStepShrinksWhereStagesDisagree) {
  Walk const signal(Walk::slope), noise(Walk::noise);
  EXPECT_GT(signal.step, 0.8e-3);
  EXPECT_LT(noise.step, 0.3e-3);
  EXPECT_GT(noise.step, 0);
}

TEST(EvolutionCalibrator, AStepDoesNotDependOnTheRewardsLevelAndScale) {
  Walk const plain(Walk::slope);
  Walk const other([](int m, at::Tensor const& points) { return 7 + 1e-3f * Walk::slope(m, points); });
  EXPECT_LT(distance(plain.calibrator.parameters(), other.calibrator.parameters()), 4e-3);
  EXPECT_GT(distance(plain.calibrator.parameters(), plain.first), 0.07);
}

TEST(EvolutionCalibrator, EqualRewardsMoveNothing) {
  Walk const walk([](int, at::Tensor const& points) { return at::full({points.size(0)}, 0.5f); });
  EXPECT_TRUE(at::equal(walk.calibrator.parameters(), walk.first));
}

TEST(EvolutionCalibrator, RatesFallWithTheStage) {
  auto const first_step = [](std::int64_t stage) {
    auto calibrator = make(8, {.learning_rate = {0.01, 1, 10}});
    auto const points = proposed(calibrator, stage);
    calibrator.learn(points.sum(1));
    return number((calibrator.parameters() - calibrator.space().initial()).abs().max());
  };
  EXPECT_NEAR(first_step(0), 0.01, 1e-4);
  EXPECT_NEAR(first_step(10), 0.005, 1e-4);
}

// The average of a mean that moves at a constant speed lags 20 stages behind; that of a mean that trembles hardly
// moves.
TEST(EvolutionCalibrator, TheAnswerIsTheMeanWithoutItsLastNoise) {
  Walk const signal(Walk::slope);
  auto const of = [](Walk const& walk) { return unit(walk.calibrator, walk.calibrator.answer()); };
  auto const behind = (signal.calibrator.parameters() - of(signal)).abs();
  EXPECT_LT(number(behind.max()), 20e-3);
  EXPECT_GT(number(behind.max()), 10e-3);
  EXPECT_GT(distance(of(signal), signal.first), 0.05);
  Walk const noise(Walk::noise);
  EXPECT_LT(distance(of(noise), noise.calibrator.parameters()), 8e-3);
}

TEST(EvolutionCalibrator, StateIsAllThatItsFutureDependsOn) {
  auto a = make(7), b = make(7);
  auto const stage = [](EvolutionCalibrator& c, int m) {
    auto const points = proposed(c, m);
    c.learn(-points.square().sum(1));
  };
  for (int m = 0; m < 3; ++m) stage(a, m);
  stage(b, 0);
  EXPECT_FALSE(at::equal(a.parameters(), b.parameters()));
  for (std::size_t i = 0; i < a.state().size(); ++i) {
    at::NoGradGuard const no_grad;
    b.state()[i].tensor.copy_(a.state()[i].tensor);
  }
  EXPECT_TRUE(at::equal(a.profiles(), b.profiles()));
  for (int m = 3; m < 6; ++m) stage(a, m), stage(b, m);
  EXPECT_TRUE(at::equal(a.profiles(), b.profiles()));
  EXPECT_TRUE(at::equal(a.parameters(), b.parameters()));
  EXPECT_TRUE(at::equal(a.answer(), b.answer()));
}

// ---- The calibrator alone -------------------------------------------------------------------------------------------

struct Alone {
  char const* name;
  double identity, random;  // A = identity * I + random * N(0, 1 / coordinates)
  std::uint32_t seed;

  friend void PrintTo(Alone const& which, std::ostream* out) { *out << which.name; }
};

class EvolutionCalibratorAlone : public ::testing::TestWithParam<Alone> {};

// As RlCalibratorAloneSlow: metrics f(L) = A L + noise, target A L*, in 23 dimensions; the two of a pair share their
// noise.
TEST_P(EvolutionCalibratorAlone, FitsLinearMetrics) {
  constexpr int coordinates = 23, particles = 64, stages = 300;
  auto const [name, identity, random, seed] = GetParam();
  auto const a = identity * at::eye(coordinates) +
                 random / std::sqrt(coordinates) * random_normal({coordinates, coordinates}, 100 + seed);
  auto const solution = (0.1 + 0.8 * random_unit({coordinates}, 200 + seed)).to(at::kFloat);
  auto const wanted = at::matmul(a, solution);

  Spec spec{.groups = {{.agents = 1}}};
  spec.supertypes = {{"all", {}}};
  std::vector<std::string> names;
  TargetOptions entry;
  for (int c = 0; c < coordinates; ++c) {
    spec.supertypes[0].coordinates.push_back({std::to_string(c), 0, 1, 0.5f});
    names.push_back("f" + std::to_string(c));
    entry.metrics.push_back(names.back());
    entry.values.push_back(number(wanted[c]));
  }
  auto const goal = make_goal(resolve_targets({entry}, names), at::kCPU);
  auto const r_cal = [&](at::Tensor const& profiles, at::Tensor const& noise) {
    return calibration_reward(goal, at::matmul(profiles, a.t()) + noise);
  };

  at::set_num_threads(1);
  EvolutionCalibrator calibrator({}, ProfileSpace(spec, at::kCPU), particles, seed);
  auto const fit = [&] { return number(r_cal(calibrator.answer().unsqueeze(0), at::zeros({1, coordinates}))); };
  double const before = fit();
  for (int m = 0; m < stages; ++m) {
    calibrator.begin(m);
    calibrator.propose();
    auto const noise = 0.01 * random_normal({particles / 2, coordinates}, 1000 + std::uint64_t(m));
    calibrator.learn(r_cal(calibrator.profiles(), noise.repeat_interleave(2, 0)));
  }
  EXPECT_GT(fit(), 0.95);
  EXPECT_GT(fit(), before + 0.03);
  RecordProperty("r_cal", std::to_string(fit()));
}

INSTANTIATE_TEST_SUITE_P(All, EvolutionCalibratorAlone,
                         ::testing::Values(Alone{"identity_1", 1, 0, 1}, Alone{"random_1", 0, 1, 1},
                                           Alone{"random_2", 0, 1, 2}, Alone{"both_1", 1, 1, 1},
                                           Alone{"both_2", 1, 1, 2}),
                         [](auto const& which) { return std::string(which.param.name); });

}  // namespace
}  // namespace shoal
