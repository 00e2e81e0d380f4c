// Market: money and goods. Every amount is recomputed in double from docs/market.md's formulas.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

#include "envs/market_fixture.hpp"

namespace shoal {
namespace {

constexpr int clusters = Market::clusters;

double gamma_of(TestMarket const& m, int merchant) {
  return double(m.params.aversion) * (1 - double(m.state.tolerance[merchant]));
}

// ---- The exchange's curve -------------------------------------------------------------------------------------------

TEST(ExchangeCurve, BeginsAtHalfTheSpread) { EXPECT_EQ(Market::exchange_curve(TestMarket().params, 0), 1); }

TEST(ExchangeCurve, IsTheFormulaForEveryExponentAndSize) {
  for (float const exponent : {1.1f, 1.5f, 1.6f, 1.9f, 1.9999f, 2.0f, 2.0001f, 2.2f, 3.0f, 10.0f}) {
    Market::Params p;
    p.curve_exponent = exponent;
    Market::prepare(p);
    double const bound = exponent < 1.5f ? 2e-5 : 2e-6;
    for (double v = 1e-6; v < 2e4; v *= 1.01) {
      double const exact = exact_reference_cost(p, 2, double(float(v)));
      ASSERT_NEAR(double(Market::exchange_curve(p, float(v))) / exact, 1, bound)
          << "exponent " << exponent << ", size " << v;
    }
  }
}

TEST(ExchangeCurve, Increases) {
  auto const params = TestMarket().params;
  float last = 1;
  for (float v = 1; v < 4900; v *= 1.05f) {
    float const now = Market::exchange_curve(params, v);
    EXPECT_GT(now, last) << v;
    last = now;
  }
}

// ---- Prices ---------------------------------------------------------------------------------------------------------

TEST(MarketPrices, BeginAtOneAndMoveByTheVolatility) {
  TestMarket market;
  double sum = 0, squares = 0, n = 0;
  for (int e = 0; e < 400; ++e) {
    market.reset();
    ASSERT_EQ(market.state.mid, 1);
    for (int t = 0; t < 96; ++t) {
      double const before = double(market.state.mid);
      market.step();
      double const move = std::log(double(market.state.mid) / before);
      ASSERT_NEAR(move, double(market.state.last_return), 2e-7);
      sum += move, squares += move * move, n += 1;
    }
  }
  double const sigma = 0.1 / std::sqrt(252 * 96.0);
  EXPECT_NEAR(sum / n, -sigma * sigma / 2, 4 * sigma / std::sqrt(n));
  EXPECT_NEAR(squares / n, sigma * sigma, 4 * sigma * sigma * std::sqrt(2 / n));
}

// At a volatility of 5 the drift -sigma^2 / 2 of the logarithm is large enough to be missed: the mid itself has none.
TEST(MarketPrices, MidIsAMartingale) {
  Market::Params p = linked_with(0, 0);
  p.volatility = 5;
  p.arrival = 0;
  TestMarket market(p);
  market.reset();
  double sum = 0;
  constexpr int n = 200000;
  for (int t = 0; t < n; ++t) {
    market.state.mid = 1;
    market.step();
    sum += double(market.state.mid) - 1;
  }
  double const sigma = 5 / std::sqrt(252 * 96.0);
  ASSERT_GT(sigma * sigma / 2, 7 * sigma / std::sqrt(n));
  EXPECT_LT(std::abs(sum / n), 3 * sigma / std::sqrt(n));
}

TEST(MarketPrices, SpreadIsAClippedNormal) {
  Market::Params p;
  p.spread_low = 1e-4f;  // one standard deviation below the mean
  TestMarket market(p);
  double low = 0, above = 0, n = 0;
  for (int e = 0; e < 200; ++e) {
    market.reset();
    for (int t = 0; t < 96; ++t, n += 1) {
      ASSERT_TRUE(market.state.spread >= p.spread_low && market.state.spread <= p.spread_high);
      low += market.state.spread == p.spread_low, above += market.state.spread > p.spread_mean;
      market.step();
    }
  }
  EXPECT_NEAR(low / n, 0.158655, 4 * std::sqrt(0.158655 * 0.841345 / n));
  EXPECT_NEAR(above / n, 0.5, 4 * 0.5 / std::sqrt(n));
}

TEST(MarketPrices, SpreadAndMoveAreIndependent) {
  TestMarket market;
  market.reset();
  double sum = 0;
  constexpr int n = 20000;
  for (int t = 0; t < n; ++t) {
    market.step();
    sum += double(market.state.last_return / market.params.sigma) * double((market.state.spread - 1.5e-4f) / 0.5e-4f);
  }
  EXPECT_LT(std::abs(sum / n), 4 / std::sqrt(n));
}

// ---- Income, one part at a time -------------------------------------------------------------------------------------

// One step in which merchant 0 alone serves all; spread PnL from the counted trades.
TEST(MarketIncome, SpreadIsQuantityTimesMarkupTimesCurveTimesMid) {
  Market::Params p = linked_with(1, 0);
  p.volatility = 0;
  TestMarket market(p);
  market.reset();
  market.state.mid = 1.25f;
  market.quote(0, -0.5f, 0.25f);
  double const spread = double(market.state.spread);
  market.step();
  double expected = 0;
  for (int c = 0; c < clusters; ++c) {
    double const q = double(p.quantities[c]), cost = q * exact_reference_cost(market.params, spread, q) * 1.25;
    expected += cost * (1.25 * market.scratch.counts[0][c][0] + 0.5 * market.scratch.counts[1][c][0]);
  }
  EXPECT_GT(expected, 0);
  EXPECT_NEAR(double(market.state.spread_pnl[0]) / expected, 1, 2e-6);
  EXPECT_NEAR(market.income(0) / expected, 1, 2e-6);
}

TEST(MarketIncome, HedgeClosesItsShareAtTheCurvesCost) {
  Market::Params p;
  p.volatility = 0;
  for (float const inventory : {300.0f, -300.0f}) {
    TestMarket market(p);
    market.reset();
    market.state.inventory[0] = inventory;
    market.quote(0, 1, 1, 0.25f);
    double const spread = double(market.state.spread);
    market.step();
    double const cost = 75 * exact_reference_cost(market.params, spread, 75);
    EXPECT_EQ(market.state.inventory[0], 0.75f * inventory);
    EXPECT_NEAR(double(market.state.hedge_cost[0]) / cost, 1, 2e-6);
    EXPECT_NEAR(market.income(0) / -cost, 1, 2e-6);
  }
}

TEST(MarketIncome, InventoryEarnsTheMove) {
  Market::Params p;
  p.aversion = 0;
  TestMarket market(p);
  market.reset();
  market.state.inventory[0] = -400;
  market.step();
  EXPECT_NEAR(market.income(0) / (-400 * (double(market.state.mid) - 1)), 1, 1e-3);  // mid - 1 is rounded to 2^-24
}

// The four penalties, for a rise and a fall of the mid.
TEST(MarketIncome, PenaltiesFollowTheirFormulas) {
  bool rose = false, fell = false;
  for (std::uint32_t seed = 0; seed < 8; ++seed)
    for (auto const penalty : {Market::Penalty::absolute, Market::Penalty::downside, Market::Penalty::expected,
                               Market::Penalty::quadratic}) {
      Market::Params p;
      p.penalty = penalty;
      p.volatility = 1;  // moves of about 0.6 %
      TestMarket market(p, seed);
      market.reset();
      double const z = 500;
      market.state.inventory[0] = float(z);
      market.state.tolerance[0] = 0.25f;  // gamma = 0.15
      market.step();
      double const pnl = z * (double(market.state.mid) - 1), sigma = 1 / std::sqrt(252 * 96.0);
      (pnl > 0 ? rose : fell) = true;
      double const size[] = {std::abs(pnl), std::max(0.0, -pnl), z * sigma * std::sqrt(2 / M_PI), z * z};
      double const expected = pnl - 0.15 * size[int(penalty)];
      double const rounding = z * 0x1p-24;  // of the mid, which a small move leaves few digits
      EXPECT_NEAR(market.income(0), expected, 2e-4 * (std::abs(pnl) + size[int(penalty)]) + rounding)
          << int(penalty) << ", seed " << seed;
    }
  EXPECT_TRUE(rose && fell);
}

TEST(MarketIncome, RestIsClosedAtTheEndAtTheMovedMid) {
  double income[2] = {};
  double expected = 0;
  for (bool const unwind : {false, true}) {
    Market::Params p;
    p.steps = 1;
    p.terminal_unwind = unwind;
    p.volatility = 1;
    TestMarket market(p);
    market.reset();
    market.state.inventory[0] = -700;
    double const spread = double(market.state.spread);
    EXPECT_EQ(market.step(), Ended::terminated);
    income[unwind] = market.income(0);
    expected = 700 * exact_reference_cost(market.params, spread, 700) * double(market.state.mid);
  }
  EXPECT_NEAR((income[0] - income[1]) / expected, 1, 1e-4);
}

TEST(MarketIncome, RewardIsInBasisPointsOfAMerchantsUnit) {
  Market::Params p;
  p.merchants = 10;
  p.reward_unit = 500;
  p.aversion = 0;
  TestMarket market(p);
  market.reset();
  market.state.inventory[0] = 100;
  market.step();
  EXPECT_NEAR(double(market.rewards[0]) / (100 * (double(market.state.mid) - 1) * 1e4 * 10 / 500), 1, 1e-3);
}

TEST(MarketIncome, EpisodeTerminatesAfterItsSteps) {
  Market::Params p;
  p.steps = 3;
  TestMarket market(p);
  market.reset();
  EXPECT_EQ(market.step(), Ended::no);
  EXPECT_EQ(market.step(), Ended::no);
  EXPECT_EQ(market.step(), Ended::terminated);
}

// ---- Conservation (market.md 5.4), with random parameters -----------------------------------------------------------

TestMarket random_market() {
  Market::Params p;
  p.merchants = *rc::gen::inRange(2, 17);
  p.steps = 8;
  p.arrival = float(*rc::gen::inRange(0, 11)) / 10;
  p.volatility = float(*rc::gen::inRange(0, 11)) / 10;
  p.terminal_unwind = *rc::gen::arbitrary<bool>();
  p.penalty = Market::Penalty(*rc::gen::inRange(0, 4));
  for (int c = 0; c < clusters; ++c) p.links_1[c] = float(*rc::gen::inRange(0, 11)) / 10;
  for (int c = 0; c < clusters; ++c) p.links_2[c] = float(*rc::gen::inRange(0, 11)) / 10;
  TestMarket market(p, *rc::gen::arbitrary<std::uint32_t>());
  market.reset();
  return market;
}

TEST(MarketConservation, GoodsAreNeitherMadeNorLost) {
  EXPECT_TRUE(rc::check([] {
    auto market = random_market();
    auto const salt = *rc::gen::arbitrary<std::uint32_t>();
    double demand = 0;
    for (Ended ended = Ended::no; ended == Ended::no;) {
      random_quotes(market, salt, false);
      double const before = std::accumulate(market.state.inventory, market.state.inventory + market.merchants(), 0.0);
      ended = market.step();
      auto const& s = market.state;
      auto const& w = market.scratch;
      double net = 0, volume = 0;
      for (int c = 0; c < clusters; ++c) {
        int trades = 0;
        for (int side = 0; side < 2; ++side) {
          for (int m = 0; m < market.merchants(); ++m) {
            trades += w.counts[side][c][m];
            net += (side == 0 ? -1 : 1) * double(w.counts[side][c][m]) * double(market.params.quantities[c]);
            volume += double(w.counts[side][c][m]) * double(market.params.quantities[c]);
          }
          trades += __builtin_popcountll(w.remaining[side][c]);
        }
        RC_ASSERT(trades == int(std::popcount(w.arriving[c])));
        demand += double(std::popcount(w.arriving[c])) * double(market.params.quantities[c]);
      }
      double const after = std::accumulate(s.inventory, s.inventory + market.merchants(), 0.0);
      RC_ASSERT(after - before == net);
      RC_ASSERT(std::accumulate(s.bought, s.bought + market.merchants(), 0.0) +
                    std::accumulate(s.sold, s.sold + market.merchants(), 0.0) ==
                volume);
    }
    RC_ASSERT(double(market.state.demand) == demand);
  }));
}

TEST(MarketConservation, SpreadPnlIsNeverNegative) {
  EXPECT_TRUE(rc::check([] {
    auto market = random_market();
    auto const salt = *rc::gen::arbitrary<std::uint32_t>();
    std::vector<float> before(std::size_t(market.merchants()));
    for (Ended ended = Ended::no; ended == Ended::no;) {
      random_quotes(market, salt, true);
      ended = market.step();
      for (int m = 0; m < market.merchants(); ++m) {
        RC_ASSERT(market.state.spread_pnl[m] >= before[std::size_t(m)]);
        before[std::size_t(m)] = market.state.spread_pnl[m];
      }
    }
  }));
}

TEST(MarketConservation, RewardIsTheSumOfItsParts) {
  EXPECT_TRUE(rc::check([] {
    auto market = random_market();
    auto const salt = *rc::gen::arbitrary<std::uint32_t>();
    RC_PRE(market.params.penalty == Market::Penalty::absolute);
    for (Ended ended = Ended::no; ended == Ended::no;) {
      random_quotes(market, salt, true);
      ended = market.step();
    }
    auto const& s = market.state;
    for (int m = 0; m < market.merchants(); ++m) {
      double const parts = double(s.spread_pnl[m]) - double(s.hedge_cost[m]) + double(s.inventory_pnl[m]) -
                           gamma_of(market, m) * double(s.abs_inventory_pnl[m]);
      double const scale = double(s.spread_pnl[m]) + double(s.hedge_cost[m]) + double(s.abs_inventory_pnl[m]);
      double const income = double(s.reward[m]) * double(market.params.reward_unit) / (1e4 * market.merchants());
      RC_ASSERT(std::abs(income - parts) <= 1e-5 * scale + 1e-12);
    }
  }));
}

TEST(MarketConservation, DoingNothingEarnsExactlyZero) {
  EXPECT_TRUE(rc::check([] {
    auto market = random_market();
    float const hedge = *rc::gen::element(0.0f, 0.5f, 1.0f);
    market.quote_all(1, 1, hedge);
    for (Ended ended = Ended::no; ended == Ended::no;) {
      ended = market.step();
      for (float const r : market.rewards) RC_ASSERT(r == 0);
    }
    RC_ASSERT(market.metric("merchant_1.idle") == 1);
    RC_ASSERT(market.metric("supertype_2.share") == 0);
  }));
}

// ---- The hedging trade-off (market.md 5.3) --------------------------------------------------------------------------

struct Tradeoff {
  double hedge, spread, cost, abs_inventory;  // per merchant and step, basis points x units
};

Tradeoff simulate(float hedge) {
  Market::Params p;
  p.terminal_unwind = false;
  TestMarket market(p, 77);
  Tradeoff sum{double(hedge), 0, 0, 0};
  constexpr int episodes = 2000;
  for (int e = 0; e < episodes; ++e) {
    market.reset();
    for (Ended ended = Ended::no; ended == Ended::no;) {
      for (int m = 0; m < 5; ++m) {
        auto const w = Random{5, 0, market.random.episode, market.random.step}.draw(Purpose::test, std::uint32_t(m));
        market.quote(m, 0.1f * w.normal(0), 0.1f * w.normal(1), hedge);
      }
      ended = market.step();
    }
    for (int m = 0; m < 5; ++m) {
      sum.spread += double(market.state.spread_pnl[m]);
      sum.cost += double(market.state.hedge_cost[m]);
      sum.abs_inventory += double(market.state.abs_inventory_pnl[m]);
    }
  }
  for (double* x : {&sum.spread, &sum.cost, &sum.abs_inventory}) *x *= 1e4 / (5.0 * 96 * episodes);
  return sum;
}

// The published figures are rounded and of 200 episodes: 3 % and half a unit of the last place. (At h = 0 a mean of 200
// episodes has a standard deviation of 2 %; ours of 12,000 is 1251 +- 3. Hence 2000 episodes, two seconds.) The mean
// inventory PnL, whose expectation is 0 and whose noise is the largest, is left out of the net figures.
TEST(MarketHedgingSlow, TradesSpreadAgainstRiskAsTabulated) {
  constexpr double gammas[] = {0, .02, .05, .1, .2};
  struct Row {
    Tradeoff expected;
    double net[5];
  };
  Row const rows[] = {
      {{0, 47, 0, 1272}, {47.5, 22, -16, -80, -207}},         {{.10, 47, 6.2, 384}, {40.8, 33.1, 21.6, 2.4, -36}},
      {{.25, 47, 10.5, 214}, {36.3, 32.0, 25.6, 14.9, -6.5}}, {{.50, 46, 15.8, 106}, {30.3, 28.2, 25.0, 19.7, 9.1}},
      {{.75, 46, 20.5, 46}, {25.2, 24.3, 22.9, 20.6, 16.0}},  {{1, 46, 26.5, 0}, {20.1, 20.1, 20.1, 20.1, 20.1}}};
  constexpr double best_hedge[] = {0, .10, .25, .75, 1};
  double best[5], best_at[5];
  std::fill_n(best, 5, -1e9);
  for (auto const& [expected, net] : rows) {
    auto const got = simulate(float(expected.hedge));
    EXPECT_NEAR(got.spread, expected.spread, 0.03 * expected.spread) << "h = " << expected.hedge;
    EXPECT_NEAR(got.cost, expected.cost, 0.03 * expected.cost + 0.05) << "h = " << expected.hedge;
    EXPECT_NEAR(got.abs_inventory, expected.abs_inventory, 0.03 * expected.abs_inventory + 0.5)
        << "h = " << expected.hedge;
    for (int g = 0; g < 5; ++g) {
      double const risk = gammas[g] * got.abs_inventory, income = got.spread - got.cost - risk;
      EXPECT_NEAR(income, net[g], 0.03 * (got.spread + got.cost + risk))
          << "h = " << expected.hedge << ", gamma = " << gammas[g];
      if (income > best[g]) best[g] = income, best_at[g] = expected.hedge;
    }
  }
  for (int g = 0; g < 5; ++g) {
    EXPECT_EQ(best_at[g], best_hedge[g]) << "gamma = " << gammas[g];
    EXPECT_GT(best[g], 0);
  }
}

}  // namespace
}  // namespace shoal
