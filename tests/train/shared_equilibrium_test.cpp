// Small games with exact answers: what shared equilibria promise (calibration.md, section 6; Vadori et al., 2020).
#include "shoal/learn/options.hpp"
#include "shoal/nn/distribution.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

// ---- Proposition 1: the pooled policy gradient is that of Vhat in its first argument --------------------------------

/// Two agents with two actions. Agent i's type is 1 with probability `chance[i]`, else 0; a policy is a softmax for
/// each type.
struct TypedGame {
  ActionLayout const layout = heads(0, {2});
  double const chance[2] = {0.3, 0.8};

  static double payoff(int agent, int type, int own, int others) {
    return std::sin(1.0 + 3 * agent + 2.3 * type + 5.1 * own + 1.7 * others);
  }

  /// log pi(action | type) of logits [type, action].
  at::Tensor log_pi(at::Tensor const& logits, int type, int action) const {
    return log_probability(layout, logits.narrow(0, type, 1), {}, {{}, at::full({1, 1}, action, at::kInt), {}})
        .squeeze(0);
  }
  /// Calls f(agent, type, action, weight, payoff) for every case; the agent acts with `own`, the other with `others`.
  template <class F>
  void each_case(at::Tensor const& own, at::Tensor const& others, F f) const {
    for (int i = 0; i < 2; ++i)
      for (int cell = 0; cell < 16; ++cell) {
        int const type = cell & 1, other_type = cell >> 1 & 1, action = cell >> 2 & 1, other_action = cell >> 3 & 1;
        double const types = (type ? chance[i] : 1 - chance[i]) * (other_type ? chance[1 - i] : 1 - chance[1 - i]);
        double const actions =
            std::exp(number(log_pi(own, type, action)) + number(log_pi(others, other_type, other_action)));
        f(i, type, action, types * actions, payoff(i, type, action, other_action));
      }
  }
  double vhat(at::Tensor const& own, at::Tensor const& others) const {
    double total = 0;
    each_case(own, others, [&](int, int, int, double weight, double value) { total += weight * value / 2; });
    return total;
  }
};

TEST(SharedEquilibrium, PooledScoreGradientIsThatOfTheFirstArgument) {
  TypedGame const game;
  auto const logits = random_normal({2, 2}, 1, at::kDouble).set_requires_grad(true);
  at::Tensor pooled = at::zeros({}, at::kDouble);  // every agent's experience with weight 1/n
  game.each_case(logits, logits, [&](int, int type, int action, double weight, double value) {
    pooled = pooled + weight * value / 2 * game.log_pi(logits, type, action);
  });
  pooled.backward();
  auto const fixed = logits.detach();
  auto const first = numeric_gradient([&](at::Tensor const& x) { return game.vhat(x, fixed); }, fixed);
  auto const total = numeric_gradient([&](at::Tensor const& x) { return game.vhat(x, x); }, fixed);
  EXPECT_LT(distance(logits.grad(), first), 1e-6);
  EXPECT_GT(distance(logits.grad(), total), 1e-2) << "the game does not tell the two apart";
}

// ---- Extended transitivity ------------------------------------------------------------------------------------------

/// Symmetric two-player games over the pure strategies 0 .. n-1: u(x, y) is what x earns against y.
using Payoff = std::function<double(int, int)>;

double regret(Payoff const& u, int strategies, int x) {
  double most = 0;
  for (int y = 0; y < strategies; ++y) most = std::max(most, u(y, x) - u(x, x));
  return most;
}

/// Moves on to the strategy that gains least among those that gain more than epsilon; @return the path.
std::vector<int> self_play(Payoff const& u, int strategies, int start, double epsilon, int limit) {
  std::vector<int> path = {start};
  while (int(path.size()) <= limit) {
    int const x = path.back();
    int next = -1;
    for (int y = 0; y < strategies; ++y)
      if (u(y, x) - u(x, x) > epsilon && (next < 0 || u(y, x) < u(next, x))) next = y;
    if (next < 0) return path;
    path.push_back(next);
  }
  return path;
}

// Vhat(y, x) - Vhat(x, x) = t(y) - t(x), so T = t and delta = epsilon.
TEST(SharedEquilibrium, SelfPlayEndsWithinTheBoundOfTransitivity) {
  constexpr int strategies = 301;
  constexpr double epsilon = 0.05;
  auto const t = [](int x) { return std::sin(0.05 * x) + 0.5 * std::sin(0.9 * x); };
  Payoff const u = [&](int x, int y) { return t(x) - t(y); };
  double low = t(0), high = t(0);
  for (int x = 0; x < strategies; ++x) low = std::min(low, t(x)), high = std::max(high, t(x));
  std::size_t longest = 0;
  for (int start = 0; start < strategies; start += 7) {
    auto const path = self_play(u, strategies, start, epsilon, 10000);
    ASSERT_LE(double(path.size() - 1), (high - low) / epsilon);
    ASSERT_LE(regret(u, strategies, path.back()), epsilon);
    longest = std::max(longest, path.size() - 1);
  }
  EXPECT_GE(double(longest), 0.6 * (high - low) / epsilon) << "the game does not come near the bound";
}

TEST(SharedEquilibrium, SelfPlayCyclesInRockPaperScissorsWithRegretOne) {
  Payoff const u = [](int x, int y) { return (x - y + 3) % 3 == 1 ? 1.0 : x == y ? 0.0 : -1.0; };
  for (int x = 0; x < 3; ++x) EXPECT_EQ(regret(u, 3, x), 1);
  auto const path = self_play(u, 3, 0, 0.5, 30);
  ASSERT_EQ(path.size(), 31u) << "it came to an end";
  for (std::size_t k = 3; k < path.size(); ++k) EXPECT_EQ(path[k], path[k - 3]);
}

// ---- Two time scales ------------------------------------------------------------------------------------------------

// A linear response game: an agent of type L in [0, 1] that plays x against y earns -(x - (1 - d) a L - d y)^2. A
// policy has one parameter, x = theta L; the shared equilibrium is theta = a for every L > 0. The metric is f = 0.8 +
// x, so the equilibrium map is f(L) = 0.8 + a L with a = -1/2, and the target 0.4 is met at L = 0.8 alone. Agents begin
// with theta = +1/2, which tells the calibrator to lower L, down to where types say nothing and nobody learns. Both
// climb their own gradient.
struct TimeScales {
  double profile, theta, r_cal;
};

TimeScales calibrate(Schedule const& shared, Schedule const& calibrator, int stages) {
  constexpr double a = -0.5, d = 0.5, target = 0.4;
  double theta = 0.5, profile = 0.5;
  auto const fit = [&] { return 1 / (1 + std::abs(0.8 + theta * profile - target)); };
  for (int m = 0; m < stages; ++m) {
    double const x = theta * profile, best = (1 - d) * a * profile + d * x;
    double const slope = -(0.8 + x > target ? 1 : -1) * theta * fit() * fit();  // of r_cal in the profile
    theta += shared.rate(m) * 2 * (best - x) * profile;
    profile = std::clamp(profile + calibrator.rate(m) * slope, 0.0, 1.0);
  }
  return {profile, theta, fit()};
}

TEST(SharedEquilibrium, TheCalibratorHasToBeTheSlowerOne) {
  Schedule const shared{0.3, 0.6, 200};
  auto const slow = calibrate(shared, {0.03, 0.9, 200}, 2000);
  EXPECT_NEAR(slow.profile, 0.8, 0.01);
  EXPECT_NEAR(slow.theta, -0.5, 0.01);
  EXPECT_GT(slow.r_cal, 0.99);
  auto const equal = calibrate(shared, shared, 2000);
  EXPECT_LT(equal.profile, 0.1);
  EXPECT_LT(equal.r_cal, 0.75);
}

}  // namespace
}  // namespace shoal
