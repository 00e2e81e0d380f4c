#include "shoal/calibrate/rl_calibrator.hpp"

#include <torch/csrc/autograd/autograd.h>

#include "shoal/nn/distribution.hpp"
#include "support/helpers.hpp"
#include "support/uneven_spec.hpp"

namespace shoal {
namespace {

using namespace test;

// ---- Proposals ------------------------------------------------------------------------------------------------------

/// Profiles in units of their bounds.
at::Tensor unit(RlCalibrator const& calibrator) {
  return (calibrator.profiles() - calibrator.space().low()) / calibrator.space().range();
}

/// A policy that at first has no preference.
ProfileSpace uneven_space() { return {uneven_spec(), at::kCPU}; }

CalibratorOptions indifferent() {
  CalibratorOptions options;
  options.restoring = 0;
  return options;
}

TEST(RlCalibrator, IncrementsHaveTheirScaleAndParticlesStaySeparate) {
  constexpr int particles = 20000;
  RlCalibrator calibrator(indifferent(), uneven_space(), particles, 1);
  auto const first = unit(calibrator);
  calibrator.begin(0);
  calibrator.propose();
  auto const second = unit(calibrator);
  calibrator.begin(1);
  calibrator.propose();
  auto const third = unit(calibrator);
  for (int c : {0, 2}) {  // these two stay clear of their bounds
    auto const step = [c](at::Tensor const& from, at::Tensor const& to) {
      return (to - from).select(1, c).to(at::kDouble);
    };
    auto const a = step(first, second), b = step(second, third);
    EXPECT_NEAR(number(a.std()), 0.05, 0.002);
    EXPECT_NEAR(number(a.mean()), 0, 0.005);
    EXPECT_NEAR(number(step(first, third).std()), 0.05 * std::sqrt(2.0), 0.003)
        << "particles go on from where they were";
    EXPECT_NEAR(number(((a - a.mean()) * (b - b.mean())).mean()) / 0.0025, 0, 5 / std::sqrt(particles));
  }
  EXPECT_NEAR(number(second.select(1, 1).max()), 1, 1e-6) << "0.9 + 0.05 normal reaches the bound";
}

TEST(RlCalibrator, TheMeanProfileOfAnIndifferentCalibratorStays) {
  auto const moved = [](int particles) {
    RlCalibrator calibrator(indifferent(), uneven_space(), particles, 1);
    auto const first = unit(calibrator).mean(0);
    calibrator.begin(0);
    calibrator.propose();
    return (unit(calibrator).mean(0) - first).slice(0, 0, 3, 2).norm();  // those clear of their bounds
  };
  EXPECT_LT(number(moved(8)), 1e-3) << "means are almost 0 at first";
  for (int odd : {1, 9}) EXPECT_GT(number(moved(odd)), 1e-3) << "the last one has no partner";
}

TEST(RlCalibrator, AtFirstParticlesAreHeldNearTheInitialProfile) {
  auto const spread = [](double restoring) {
    CalibratorOptions options;
    options.restoring = restoring;
    RlCalibrator calibrator(options, uneven_space(), 1000, 1);
    for (int m = 0; m < 100; ++m) {
      calibrator.begin(m);
      calibrator.propose();
    }
    EXPECT_LT(number(unit(calibrator).max()), 1 + 1e-6);
    EXPECT_GT(number(unit(calibrator).min()), -1e-6);
    return number(unit(calibrator).select(1, 2).std());
  };
  // an autoregression with coefficient 1 - 0.14 * 1.4 and noise 0.05 has deviation 0.084; without, the bounds alone
  // hold them
  EXPECT_NEAR(spread(1.4), 0.084, 0.007);
  EXPECT_GT(spread(0), 0.2);
}

// The increments are drawn once more from their key; the first update's gradient shows which of them the learner
// scored.
TEST(RlCalibrator, ProfilesAreClippedAndTheLogProbabilityIsOfTheUnclippedIncrement) {
  constexpr int particles = 300, stage = 0;
  auto options = indifferent();
  options.increment_sd = 0.4;  // many increments leave the bounds
  auto& ppo = options.ppo;
  ppo.learning_rate.base = ppo.clip = ppo.value_weight = ppo.max_grad_norm = 0;
  ppo.epochs = 1;
  RlCalibrator calibrator(options, uneven_space(), particles, 5);
  auto const& network = calibrator.learner().actor();
  auto const before = unit(calibrator);
  calibrator.begin(stage);
  calibrator.propose();

  auto const parameters = network.parameters().to(at::kDouble).clone().set_requires_grad(true);
  PlainNetwork const plain(network.network_shape(), parameters);
  auto const means = plain.distribution(at::zeros({particles, 3}, at::kDouble));  // distances from the initial profile
  auto noise = at::empty({particles, 3}, at::kDouble);
  for (std::uint32_t b = 0; b < particles; ++b)
    for (std::uint32_t d = 0; d < 3; ++d) {
      float pair[2];  // four normals a draw
      Random{5, b, stage, 0}.draw(Purpose::increment, d / 4).normals(int(d % 4 / 2), pair[0], pair[1]);
      noise[b][d] = double(pair[d % 2]);
      if (b % 2 == 1) noise[b][d] = -noise[b - 1][d];  // particles in pairs draw opposite increments
    }
  auto const increments = means.detach() + plain.log_sd.detach().exp() * noise;
  auto const clipped = (before.to(at::kDouble) + increments).clamp(0, 1);
  EXPECT_LT(distance(unit(calibrator), clipped), 1e-5);
  EXPECT_GT(number((clipped != before + increments).to(at::kDouble).mean()), 0.2);

  auto const rewards = random_normal({particles}, 1);
  calibrator.learn(rewards);
  auto advantages = rewards.to(at::kDouble);
  advantages = (advantages - advantages.mean()) / advantages.std(0, false);
  auto const expected = [&](at::Tensor const& scored) {
    auto const log_p = log_probability(network.network_shape().actions, means, plain.log_sd, {scored, {}, {}});
    return torch::autograd::grad({-(log_p * advantages).mean()}, {parameters}, {}, true)[0];
  };
  double const largest = number(expected(increments).abs().max());
  EXPECT_LT(distance(network.gradients(), expected(increments)), 1e-4 * largest);
  EXPECT_GT(distance(network.gradients(), expected(clipped - before)), 0.1 * largest);
}

TEST(RlCalibrator, LearnsFromEachParticlesRewardAboveItsBaseline) {
  auto const trained = [](at::Tensor const& first, at::Tensor const& second) {
    RlCalibrator calibrator({}, uneven_space(), 8, 1);
    for (int m = 0; m < 2; ++m) {
      calibrator.begin(m);
      calibrator.propose();
      calibrator.learn(m == 0 ? first : second);
    }
    return calibrator.learner().actor().parameters().clone();
  };
  auto const noise = random_normal({8}, 1), change = random_normal({8}, 2);
  auto const base = trained(noise, noise + change);
  double const other = distance(base, trained(noise, noise - change));
  EXPECT_GT(other, 1e-2);
  // a level common to all particles and stages changes nothing but roundings
  EXPECT_LT(distance(base, trained(noise + 0.5, noise + change + 0.5)), 0.1 * other);
}

TEST(RlCalibrator, StateIsAllThatItsFutureDependsOn) {
  RlCalibrator a({}, uneven_space(), 8, 1), b({}, uneven_space(), 8, 1);
  auto const stage = [](RlCalibrator& c, int m) {
    c.begin(m);
    c.propose();
    c.learn(-c.profiles().square().sum(1));
  };
  for (int m = 0; m < 3; ++m) stage(a, m);
  for (std::size_t i = 0; i < a.state().size(); ++i) {
    at::NoGradGuard const no_grad;
    b.state()[i].tensor.copy_(a.state()[i].tensor);
  }
  for (int m = 3; m < 5; ++m) stage(a, m), stage(b, m);
  EXPECT_TRUE(at::equal(a.profiles(), b.profiles()));
  EXPECT_TRUE(at::equal(a.learner().actor().parameters(), b.learner().actor().parameters()));
}

// ---- The calibrator alone -------------------------------------------------------------------------------------------

struct Alone {
  char const* name;
  double identity, random;  // A = identity * I + random * N(0, 1 / coordinates)
  std::uint32_t seed;
  int coordinates = 23, stages = 500;
  double reach = 0.95;

  friend void PrintTo(Alone const& which, std::ostream* out) { *out << which.name; }
};

class RlCalibratorAloneSlow : public ::testing::TestWithParam<Alone> {};

// calibration.md, section 6: metrics f(L) = A L + noise, target A L*. 500 stages of 64 particles take seconds. In 119
// dimensions, those of ten merchants with a supertype each, the rate for 23 would end at 0.90.
TEST_P(RlCalibratorAloneSlow, FitsLinearMetrics) {
  auto const [name, identity, random, seed, coordinates, stages, reach] = GetParam();
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
  auto const targets = resolve_targets({entry}, names);

  at::set_num_threads(1);
  RlCalibrator calibrator({}, ProfileSpace(spec, at::kCPU), 64, seed);
  double last = 0;
  for (int m = 0; m < stages; ++m) {
    calibrator.begin(m);
    calibrator.propose();
    auto const metrics =
        at::matmul(calibrator.profiles(), a.t()) + 0.01 * random_normal({64, coordinates}, 1000 + std::uint64_t(m));
    auto const rewards = calibration_reward(make_goal(targets, at::kCPU), metrics);
    calibrator.learn(rewards);
    if (m >= stages - 50) last += number(rewards.mean()) / 50;
  }
  EXPECT_GT(last, reach);
  RecordProperty("r_cal", std::to_string(last));
}

INSTANTIATE_TEST_SUITE_P(All, RlCalibratorAloneSlow,
                         ::testing::Values(Alone{"identity_1", 1, 0, 1}, Alone{"identity_2", 1, 0, 2},
                                           Alone{"identity_3", 1, 0, 3}, Alone{"random_1", 0, 1, 1},
                                           Alone{"random_2", 0, 1, 2}, Alone{"random_3", 0, 1, 3},
                                           Alone{"both_1", 1, 1, 1}, Alone{"both_2", 1, 1, 2}, Alone{"both_3", 1, 1, 3},
                                           Alone{"identity_119", 1, 0, 1, 119, 1500, 0.92}),
                         [](auto const& which) { return std::string(which.param.name); });

}  // namespace
}  // namespace shoal
