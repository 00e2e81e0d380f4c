// Market: who trades with whom. Each draw of customers is matched once more, customer by customer, and compared.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <vector>

#include "envs/market_fixture.hpp"

namespace shoal {
namespace {

constexpr int clusters = Market::clusters;

// Random parameters and a step's actions; with `ties`, from few levels.
TestMarket arbitrary_market(bool ties) {
  Market::Params p;
  p.merchants = *rc::gen::inRange(2, 17);
  p.arrival = *rc::gen::element(0.125f, 0.5f, 1.0f, 0.3f);
  p.volatility = *rc::gen::element(0.0f, 0.1f, 1.0f);
  p.curve_exponent = *rc::gen::element(1.2f, 1.6f, 2.0f, 3.0f);
  for (int c = 0; c < clusters; ++c) {
    p.links_1[c] = float(*rc::gen::inRange(0, 11)) / 10;
    p.links_2[c] = float(*rc::gen::inRange(0, 11)) / 10;
  }
  TestMarket market(p, *rc::gen::arbitrary<std::uint32_t>());
  market.reset();
  for (int m = 0; m < p.merchants; ++m) {
    auto const eps = [&] {
      return ties ? float(*rc::gen::inRange(-1, 3)) / 2 : float(*rc::gen::inRange(-1000, 1200)) / 1000;
    };
    float const buy = std::min(eps(), 1.0f), sell = std::min(eps(), 1.0f);
    market.quote(m, buy, sell, float(*rc::gen::inRange(0, 5)) / 4);
  }
  return market;
}

float quoted(TestMarket const& market, int side, int m) {
  return market.continuous[std::size_t(3 * m + (side == 0 ? 1 : 0))];
}

// The merchants among which a customer picks: linked, with the lowest eps, below 1.
std::vector<int> best_for(TestMarket const& market, int side, int cluster, int customer) {
  std::vector<int> best;
  float lowest = 1;
  for (int m = 0; m < market.merchants(); ++m) {
    if (!(market.state.links[m][cluster] >> customer & 1)) continue;
    float const eps = quoted(market, side, m);
    if (eps < lowest) best.clear(), lowest = eps;
    if (eps < 1 && eps == lowest) best.push_back(m);
  }
  return best;
}

TEST(MarketMatching, GivesEveryCustomerTheBestLinkedQuote) {
  EXPECT_TRUE(rc::check([] {
    auto market = arbitrary_market(false);
    std::vector<int> expected(std::size_t(2 * 16 * clusters));
    std::vector<bool> tied(expected.size());  // equal eps can occur by chance
    auto const at = [](int side, int m, int c) { return std::size_t((side * 16 + m) * clusters + c); };
    for (int side = 0; side < 2; ++side)
      for (int c = 0; c < clusters; ++c) {
        auto const wanting = market.wanting(side, c);
        for (int k = 0; k < Market::customers; ++k) {
          if (!(wanting >> k & 1)) continue;
          auto const best = best_for(market, side, c, k);
          if (best.size() == 1) ++expected[at(side, best[0], c)];
          if (best.size() > 1)
            for (int const m : best) tied[at(side, m, c)] = true;
        }
      }
    market.step();
    for (int side = 0; side < 2; ++side)
      for (int m = 0; m < market.merchants(); ++m)
        for (int c = 0; c < clusters; ++c)
          if (!tied[at(side, m, c)]) RC_ASSERT(int(market.scratch.counts[side][c][m]) == expected[at(side, m, c)]);
  }));
}

// With many ties: each customer is served once, by one of its best; checked by bounds on every merchant's count.
TEST(MarketMatching, SharesTiedCustomersAmongTheirBest) {
  EXPECT_TRUE(rc::check([] {
    auto market = arbitrary_market(true);
    int low[2][16][clusters] = {}, high[2][16][clusters] = {}, served[2][clusters] = {}, unserved[2][clusters] = {};
    for (int side = 0; side < 2; ++side)
      for (int c = 0; c < clusters; ++c) {
        auto const wanting = market.wanting(side, c);
        for (int k = 0; k < Market::customers; ++k) {
          if (!(wanting >> k & 1)) continue;
          auto const best = best_for(market, side, c, k);
          ++(best.empty() ? unserved : served)[side][c];
          for (int const m : best) ++high[side][m][c], low[side][m][c] += best.size() == 1;
        }
      }
    market.step();
    for (int side = 0; side < 2; ++side)
      for (int c = 0; c < clusters; ++c) {
        int total = 0;
        for (int m = 0; m < market.merchants(); ++m) {
          int const count = market.scratch.counts[side][c][m];
          RC_ASSERT(low[side][m][c] <= count && count <= high[side][m][c]);
          total += count;
        }
        RC_ASSERT(total == served[side][c]);
        RC_ASSERT(std::popcount(market.scratch.remaining[side][c]) == unserved[side][c]);
      }
  }));
}

TEST(MarketMatching, FindsTheBestOfTwoAndOfSixteen) {
  for (int n : {2, 16}) {
    Market::Params p;
    p.merchants = n;
    p.arrival = 1;
    TestMarket market(p);
    market.reset();
    for (int m = 0; m < n; ++m)
      for (int c = 0; c < clusters; ++c) market.link(m, c, true);
    for (int m = 0; m < n; ++m) market.quote(m, 0.5f - float(m) / 32, 0.5f);
    market.quote(0, 0.5f, -1);
    market.step();
    EXPECT_EQ(market.state.sold[n - 1] + market.state.bought[0], 2750) << "50 customers of each quantity, all served";
    EXPECT_GT(market.state.sold[n - 1], 0);
    EXPECT_GT(market.state.bought[0], 0);
  }
}

// ---- Who comes ------------------------------------------------------------------------------------------------------

TEST(MarketArrivals, HaveTheirProbabilityAndAFairDirection) {
  for (float const arrival : {0.125f, 0.3f, 0.9f}) {
    Market::Params p;
    p.arrival = arrival;
    TestMarket market(p);
    market.reset();
    constexpr int steps = 2000, n = steps * 500;
    double came = 0, buyers = 0, squares = 0;
    for (int t = 0; t < steps; ++t) {
      market.state.step = 0;
      market.step();
      double now = 0;
      for (int c = 0; c < clusters; ++c)
        now += std::popcount(market.scratch.arriving[c]), buyers += std::popcount(market.scratch.remaining[0][c]);
      came += now, squares += std::pow(now - 500 * double(arrival), 2);
    }
    double const q = double(arrival), variance = 500 * q * (1 - q);
    EXPECT_NEAR(came, n * q, 4 * std::sqrt(n * q * (1 - q))) << arrival;
    EXPECT_NEAR(buyers, came / 2, 4 * std::sqrt(came / 4)) << arrival;
    EXPECT_NEAR(squares / steps, variance, 4 * variance * std::sqrt(2.0 / steps))
        << "customers are independent, p = " << arrival;
  }
}

TEST(MarketArrivals, ChangeFromStepToStepAndEpisodeToEpisode) {
  TestMarket market;
  market.reset();
  auto const first = market.wanting(0, 3);
  market.step();
  EXPECT_NE(market.wanting(0, 3), first);
  market.reset();
  EXPECT_NE(market.wanting(0, 3), first);
}

// ---- Equal quotes ---------------------------------------------------------------------------------------------------

// One cluster's customers are linked to two tied merchants, another's to three, a third's to one of them.
TEST(MarketTies, AreSharedUniformlyAndIndependently) {
  Market::Params p;
  p.merchants = 4;
  p.arrival = 1;
  TestMarket market(p);
  market.reset();
  for (int m = 0; m < 4; ++m)
    for (int c = 0; c < clusters; ++c) market.link(m, c, (c == 0 && m < 2) || (c == 1 && m < 3) || (c == 2 && m == 2));
  market.quote_all(0, 0);
  double pair[2] = {}, triple[3] = {}, pair_squares = 0, customers[3] = {};
  constexpr int steps = 3000;
  for (int t = 0; t < steps; ++t) {
    market.state.step = 0;
    market.step();
    for (int side = 0; side < 2; ++side) {
      auto const& counts = market.scratch.counts[side];
      for (int m = 0; m < 2; ++m) pair[m] += counts[0][m];
      for (int m = 0; m < 3; ++m) triple[m] += counts[1][m];
      double const both = counts[0][0] + counts[0][1];
      customers[0] += both, customers[1] += counts[1][0] + counts[1][1] + counts[1][2], customers[2] += counts[2][2];
      pair_squares += std::pow(counts[0][0] - both / 2, 2) - both / 4;  // of mean 0 if customers choose independently
    }
  }
  EXPECT_EQ(customers[0], steps * 50);
  EXPECT_EQ(customers[1], steps * 50);
  EXPECT_EQ(customers[2], steps * 50) << "linked to one of the tied only";
  double chi2 = 0, chi3 = 0;
  for (double const x : pair) chi2 += std::pow(x - customers[0] / 2, 2) / (customers[0] / 2);
  for (double const x : triple) chi3 += std::pow(x - customers[1] / 3, 2) / (customers[1] / 3);
  EXPECT_LT(chi2, 15.1);  // p = 1e-4, 1 degree of freedom
  EXPECT_LT(chi3, 18.4);  // 2 degrees
  EXPECT_LT(std::abs(pair_squares), 4 * 2 * steps * 25 / 4.0 * std::sqrt(2.0 / (2 * steps)));
}

// All customers choose among all merchants: many words of packed customers, which must not share random words.
TEST(MarketTies, OfSixteenMerchantsAreSharedUniformlyAndIndependently) {
  Market::Params p = linked_with(1, 1);
  p.merchants = 16;
  p.arrival = 1;
  TestMarket market(p);
  market.reset();
  market.quote_all(0, 0);
  constexpr int steps = 2000;
  constexpr double expected = 500.0 / 16;
  double total[16] = {}, squares = 0;
  for (int t = 0; t < steps; ++t) {
    market.state.step = 0;
    market.step();
    for (int m = 0; m < 16; ++m) {
      double count = 0;
      for (int c = 0; c < clusters; ++c) count += market.scratch.counts[0][c][m] + market.scratch.counts[1][c][m];
      total[m] += count;
      squares += (count - expected) * (count - expected) / expected;
    }
  }
  double chi = 0;
  for (double const x : total) chi += std::pow(x - steps * expected, 2) / (steps * expected);
  EXPECT_LT(chi, 44.3);  // p = 1e-4, 15 degrees of freedom
  EXPECT_NEAR(squares / steps, 15, 4 * std::sqrt(30.0 / steps)) << "a step's chi square, if customers are independent";
}

// ---- Room for merchants and supertypes -----------------------------------------------------------------------------

// Quotes of few levels and of many, so that some steps have ties.
template <class Small>
void expect_no_difference(Market::Params const& p) {
  OneInstance<Market> large(p, 3);
  OneInstance<Small> small(p, 3);
  ASSERT_TRUE(Small::fits(small.params));
  for (int episode = 0; episode < 2; ++episode) {
    large.reset(), small.reset();
    for (std::uint32_t t = 0; t < 20; ++t) {
      for (std::uint32_t i = 0; i < 24; ++i) {
        float const u = Random{8, 0, 0, t}.draw(Purpose::test, i).unit(0);
        large.continuous[i] = small.continuous[i] = t % 2 ? u : float(int(u * 3)) / 2;
      }
      ASSERT_EQ(large.step(), small.step());
      ASSERT_EQ(large.rewards, small.rewards) << "step " << t;
    }
    large.observe(), small.observe();
    EXPECT_EQ(large.own, small.own);
    EXPECT_EQ(large.type, small.type);
    for (auto const& name : large.spec.metrics) EXPECT_EQ(large.metric(name), small.metric(name)) << name;
  }
}

TEST(MarketRoom, DoesNotShow) {
  for (float const arrival : {0.125f, 0.3f, 1.0f}) {
    auto p = linked_with(0.75f, 0.25f);
    p.merchants = 8;
    p.steps = 20;
    p.arrival = arrival;
    expect_no_difference<PublishedMarket>(p);
    p.supertype_of = {8, {1, 2, 2, 2, 2, 2, 2, 2}};
    expect_no_difference<PublishedMarket>(p);
    expect_no_difference<PublishedMarket::Smaller>(p);
  }
}

// ---- Known answers --------------------------------------------------------------------------------------------------

// Shares of quantity over all demand, by merchant, and of the outside venue; every customer comes once an episode.
std::vector<double> shares(Market::Params p, std::vector<float> const& eps) {
  p.arrival = 1;
  TestMarket market(p);
  std::vector<double> volume(eps.size() + 1);
  double demand = 0;
  for (int episode = 0; episode < 1500; ++episode) {
    market.reset();
    for (std::size_t m = 0; m < eps.size(); ++m) market.quote(int(m), eps[m], eps[m]);
    market.step();
    for (std::size_t m = 0; m < eps.size(); ++m) volume[m] += double(market.state.volume[m]);
    demand += double(market.state.demand);
  }
  double outside = 1;
  for (std::size_t m = 0; m < eps.size(); ++m) outside -= volume[m] /= demand;
  volume.back() = outside;
  return volume;
}
constexpr double tolerance = 0.003;  // 4 standard errors: sqrt(0.24 * 1.27 / (1500 * 500)) = 0.00064

// market.md 5.1
TEST(MarketShares, FollowConnectivityWhenAllQuoteAlike) {
  auto const all = shares(linked_with(1, 0.5f), std::vector<float>(5, 0));
  EXPECT_NEAR(all[0], 0.3875, tolerance);
  for (int m = 1; m < 5; ++m) EXPECT_NEAR(all[std::size_t(m)], (1 - 0.3875) / 4, tolerance);
  EXPECT_NEAR(all[5], 0, 1e-9);
}

TEST(MarketShares, LeaveTheUnmatchedToTheOutsideVenue) {
  auto const all = shares(linked_with(0.5f, 0.5f), std::vector<float>(5, 0.1f));
  for (int m = 0; m < 5; ++m) EXPECT_NEAR(all[std::size_t(m)], 0.19375, tolerance);
  EXPECT_NEAR(all[5], 0.03125, tolerance);
}

// market.md 5.2
TEST(MarketShares, WinnerTakesAllItIsLinkedTo) {
  EXPECT_NEAR(shares(linked_with(0.5f, 0.5f), {-0.1f, 0, 0.01f, 0.02f, 0.03f})[0], 0.5, tolerance);
}

TEST(MarketShares, DearestKeepsThoseLinkedToNobodyElse) {
  EXPECT_NEAR(shares(linked_with(0.5f, 0.5f), {0.1f, 0, -0.01f, 0.01f, 0.02f})[0], 0.03125, tolerance);
}

// ---- Symmetry -------------------------------------------------------------------------------------------------------

// market.md 5.5. Links and tolerance are all that distinguishes two merchants of supertype 2; customers' draws belong
// to the customers. Quotes differ, for ties are broken by index.
TEST(MarketSymmetry, PermutingTwoMerchantsPermutesTheirTrajectories) {
  TestMarket a, b;
  a.reset(), b.reset();
  std::swap(b.state.links[2], b.state.links[4]);
  std::swap(b.state.tolerance[2], b.state.tolerance[4]);
  int const to[] = {0, 1, 4, 3, 2};
  for (std::uint32_t t = 0; t < 96; ++t) {
    for (int m = 0; m < 5; ++m) {
      auto const w = Random{6, 0, 0, t}.draw(Purpose::test, std::uint32_t(m));
      a.quote(m, w.unit(0) - 0.5f, w.unit(1) - 0.5f, w.unit(2));
      b.quote(to[m], w.unit(0) - 0.5f, w.unit(1) - 0.5f, w.unit(2));
    }
    ASSERT_EQ(a.step(), b.step());
    for (int m = 0; m < 5; ++m) {
      ASSERT_EQ(a.rewards[std::size_t(m)], b.rewards[std::size_t(to[m])]) << "step " << t;
      ASSERT_EQ(a.state.inventory[m], b.state.inventory[to[m]]) << "step " << t;
    }
  }
  EXPECT_EQ(a.state.mid, b.state.mid);
  EXPECT_EQ(a.metric("supertype_2.share"), b.metric("supertype_2.share"));
  EXPECT_EQ(a.metric("supertype_2.quantity_p50"), b.metric("supertype_2.quantity_p50"));
}

}  // namespace
}  // namespace shoal
