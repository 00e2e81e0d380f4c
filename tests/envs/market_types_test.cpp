// Market: what reset draws, and what merchants observe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "envs/market_fixture.hpp"

namespace shoal {
namespace {

static_assert(Environment<Market>);
static_assert(sizeof(MarketOf<8, 2>::State) == 1600);  // the published markets have 5 to 10 merchants

int linked(TestMarket const& m, int merchant, int cluster) { return std::popcount(m.state.links[merchant][cluster]); }

TEST(MarketLinks, HaveTheProbabilityOfSupertypeAndCluster) {
  Market::Params p;
  for (int c = 0; c < Market::clusters; ++c) p.links_1[c] = float(c) / 9, p.links_2[c] = 1 - float(c) / 9;
  TestMarket market(p);
  constexpr int episodes = 400;
  double count[2][Market::clusters] = {};
  for (int e = 0; e < episodes; ++e) {
    market.reset();
    for (int c = 0; c < Market::clusters; ++c)
      for (int m = 0; m < 5; ++m) count[m > 0][c] += linked(market, m, c);
  }
  for (int g = 0; g < 2; ++g)
    for (int c = 0; c < Market::clusters; ++c) {
      double const q = double(g == 0 ? p.links_1[c] : p.links_2[c]), n = episodes * 50 * (g == 0 ? 1 : 4);
      EXPECT_LE(std::abs(count[g][c] - n * q), 4 * std::sqrt(n * q * (1 - q)) + 1e-3 * n * (q < 1e-6 || q > 1 - 1e-6))
          << g << c;
    }
}

TEST(MarketLinks, OfProbabilityZeroAndOneAreCertain) {
  TestMarket market(linked_with(1, 0));
  market.reset();
  for (int c = 0; c < Market::clusters; ++c) {
    EXPECT_EQ(market.state.links[0][c], Market::everyone);
    EXPECT_EQ(market.state.links[4][c], 0u);
  }
}

// Two merchants' links agree as often as independent ones do: p^2 + (1 - p)^2.
TEST(MarketLinks, OfMerchantsAndClustersAreIndependent) {
  TestMarket market(linked_with(0.3f, 0.3f));
  double merchants = 0, clusters = 0, customers = 0, n = 0;
  for (int e = 0; e < 200; ++e) {
    market.reset();
    auto const& l = market.state.links;
    for (int c = 0; c < Market::clusters; ++c) {
      merchants += 50 - std::popcount(l[1][c] ^ l[2][c]);
      clusters += 50 - std::popcount(l[1][c] ^ l[1][(c + 1) % 10]);
      customers += 50 - std::popcount(l[1][c] ^ (l[1][c] >> 1 | (l[1][c] & 1) << 49));
      n += 50;
    }
  }
  double const expected = 0.58 * n, limit = 4 * std::sqrt(0.58 * 0.42 * n);
  EXPECT_NEAR(merchants, expected, limit);
  EXPECT_NEAR(clusters, expected, limit);
  EXPECT_NEAR(customers, expected, 1.5 * limit);  // neighbours' pairs overlap
}

TEST(MarketLinks, AreDrawnAfreshInEveryEpisode) {
  TestMarket market;
  market.reset();
  auto const first = market.state.links[1][3];
  market.reset();
  EXPECT_NE(market.state.links[1][3], first);
}

// The trap of market.md, section 2: one draw for all agents that share a supertype.
TEST(MarketTolerance, DiffersWithinSupertype2) {
  Market::Params p;
  p.merchants = 16;
  TestMarket market(p);
  market.reset();
  std::set<float> const tolerances(market.state.tolerance + 1, market.state.tolerance + 16);
  EXPECT_EQ(tolerances.size(), 15u);
}

TEST(MarketTolerance, OfSupertype1IsTheSupertypes) {
  Market::Params p;
  p.tolerance_1 = 0.37f;
  TestMarket market(p);
  market.reset();
  EXPECT_EQ(market.state.tolerance[0], 0.37f);
}

TEST(MarketTolerance, HasMeanAndVarianceOfSupertype2) {
  Market::Params p;
  p.tolerance_2 = 0.6f;
  p.tolerance_variance_2 = 0.0064f;  // sd 0.08: five of them to the clip
  TestMarket market(p);
  constexpr int n = 40000;
  double sum = 0, squares = 0;
  for (int e = 0; e < n / 4; ++e) {
    market.reset();
    for (int m = 1; m < 5; ++m)
      sum += double(market.state.tolerance[m]), squares += std::pow(double(market.state.tolerance[m]) - 0.6, 2);
  }
  EXPECT_NEAR(sum / n, 0.6, 4 * 0.08 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 0.0064, 4 * 0.0064 * std::sqrt(2.0 / n));
}

TEST(MarketTolerance, IsClippedToTheUnitInterval) {
  Market::Params p;
  p.tolerance_2 = 0.5f;
  p.tolerance_variance_2 = 0.25f;
  TestMarket market(p);
  int at_zero = 0, at_one = 0;
  for (int e = 0; e < 200; ++e) {
    market.reset();
    for (int m = 1; m < 5; ++m) {
      ASSERT_TRUE(market.state.tolerance[m] >= 0 && market.state.tolerance[m] <= 1);
      at_zero += market.state.tolerance[m] == 0, at_one += market.state.tolerance[m] == 1;
    }
  }
  EXPECT_GT(at_zero, 50);  // 16 % each
  EXPECT_GT(at_one, 50);
}

TEST(MarketSupertypes, OutsideTheirBoundsAreLimited) {
  TestMarket market;
  std::fill(market.supertypes.begin(), market.supertypes.end(), -3.0f);
  market.supertypes[0] = 7;
  market.reset();
  EXPECT_EQ(linked(market, 0, 0), 50);
  EXPECT_EQ(linked(market, 0, 1), 0);
  for (int m = 0; m < 5; ++m) EXPECT_EQ(market.state.tolerance[m], 0);
}

TEST(MarketSupertypes, HaveElevenAndTwelveCoordinates) {
  TestMarket const market;
  ASSERT_EQ(market.spec.supertypes.size(), 2u);
  EXPECT_EQ(market.spec.supertypes[0].coordinates.size(), 11u);
  EXPECT_EQ(market.spec.supertypes[1].coordinates.size(), 12u);
  EXPECT_THAT(market.spec.supertype_of, testing::ElementsAre(0, 1, 1, 1, 1));
}

// Supertype k's links tell its number; merchants' supertypes are neither in order nor one each.
TEST(MarketSupertypes, EveryMerchantDrawsFromItsOwn) {
  Market::Params p;
  p.merchants = 6;
  p.supertype_of = {6, {3, 1, 2, 2, 4, 1}};
  p.tolerance_variance_2 = 0;
  TestMarket market(p);
  ASSERT_EQ(market.spec.supertypes.size(), 4u);
  EXPECT_THAT(market.spec.supertype_of, testing::ElementsAre(2, 0, 1, 1, 3, 0));
  for (std::size_t g = 0; g < 4; ++g) {
    EXPECT_EQ(market.spec.supertypes[g].name, "supertype_" + std::to_string(g + 1));
    EXPECT_EQ(market.spec.supertypes[g].coordinates.size(), g == 0 ? 11u : 12u);
    for (std::size_t c = 0; c < 10; ++c) market.supertypes[g * 12 + c] = c == g ? 1 : 0;
    market.supertypes[g * 12 + 10] = 0.125f * float(g + 1);
  }
  market.reset();
  for (int m = 0; m < 6; ++m) {
    int const g = market.spec.supertype_of[std::size_t(m)];
    for (int c = 0; c < Market::clusters; ++c) EXPECT_EQ(linked(market, m, c), c == g ? 50 : 0) << m;
    EXPECT_EQ(market.state.tolerance[m], 0.125f * float(g + 1)) << m;
  }
}

// The variance is each supertype's own as well, and the first has none.
TEST(MarketSupertypes, EveryOneButTheFirstHasAVarianceOfItsOwn) {
  Market::Params p;
  p.merchants = 6;
  p.supertype_of = {6, {2, 1, 3, 3, 2, 1}};
  TestMarket market(p);
  market.supertypes[1 * 12 + 11] = 0;
  market.supertypes[2 * 12 + 11] = 0.01f;
  market.reset();
  for (int const m : {0, 1, 4, 5}) EXPECT_EQ(market.state.tolerance[m], 0.5f);
  for (int const m : {2, 3}) EXPECT_NE(market.state.tolerance[m], 0.5f);
  EXPECT_NE(market.state.tolerance[2], market.state.tolerance[3]);
}

TEST(MarketSupertypes, BeginWhereTheirParametersSay) {
  auto p = linked_with(0.25f, 0.75f);
  p.supertype_of = {5, {1, 2, 3, 3, 3}};
  p.tolerance_1 = 0.1f, p.tolerance_2 = 0.2f, p.tolerance_variance_2 = 0.03f;
  TestMarket const market(p);
  EXPECT_EQ(market.supertypes[9], 0.25f);
  EXPECT_EQ(market.supertypes[10], 0.1f);
  for (std::size_t g : {1, 2}) {
    EXPECT_EQ(market.supertypes[g * 12], 0.75f);
    EXPECT_EQ(market.supertypes[g * 12 + 10], 0.2f);
    EXPECT_EQ(market.supertypes[g * 12 + 11], 0.03f);
  }
}

TEST(MarketType, HoldsRealisedFractionsAndTolerance) {
  TestMarket market;
  market.reset();
  market.observe();
  for (int m = 0; m < 5; ++m) {
    for (int c = 0; c < Market::clusters; ++c)
      EXPECT_EQ(market.type[std::size_t(m * 11 + c)], float(linked(market, m, c)) / 50);
    EXPECT_EQ(market.type[std::size_t(m * 11 + 10)], market.state.tolerance[m]);
  }
}

// Of this episode's reset: a calibrator may have written new ones since.
TEST(MarketType, MayHoldProbabilities) {
  auto p = linked_with(0.25f, 0.75f);
  p.type_uses_probabilities = true;
  TestMarket market(p);
  market.reset();
  std::fill(market.supertypes.begin(), market.supertypes.end(), 0.9f);
  market.observe();
  EXPECT_EQ(market.type[0], 0.25f);
  EXPECT_EQ(market.type[2 * 11 + 9], 0.75f);
  EXPECT_EQ(market.type[2 * 11 + 10], market.state.tolerance[2]);
}

TEST(MarketObservation, HasTheTenOwnValues) {
  TestMarket market(linked_with(1, 0));
  market.reset();
  market.quote(0, -0.5f, 0.25f, 0.5f);
  market.step();
  market.step();
  market.observe();
  auto const& s = market.state;
  EXPECT_EQ(market.own[0], 2.0f / 96);
  EXPECT_FLOAT_EQ(market.own[1], s.inventory[0] / 100);
  EXPECT_FLOAT_EQ(market.own[2], (s.spread - 1.5e-4f) / 0.5e-4f);
  EXPECT_FLOAT_EQ(market.own[3], s.last_return / (0.1f / std::sqrt(252.0f * 96)));
  EXPECT_FLOAT_EQ(market.own[4], s.bought[0] / 100);
  EXPECT_FLOAT_EQ(market.own[5], s.sold[0] / 100);
  EXPECT_THAT(std::vector<float>(market.own.begin() + 6, market.own.begin() + 9),
              testing::ElementsAre(-0.5f, 0.25f, 0.5f));
  EXPECT_FLOAT_EQ(market.own[9], s.volume[0] / 200);
  EXPECT_GT(s.bought[0] + s.sold[0], 0);
}

TEST(MarketObservation, IsClipped) {
  TestMarket market;
  market.reset();
  market.state.inventory[0] = 5000;
  market.state.inventory[1] = -5000;
  market.state.last_return = 1;
  market.observe();
  EXPECT_EQ(market.own[1], 10);
  EXPECT_EQ(market.own[10 + 1], -10);
  EXPECT_EQ(market.own[3], 5);
}

// The partial observability of the game: nothing of what the others quote shows, as long as no customer moves because
// of it.
TEST(MarketObservation, DoesNotShowOthersQuotes) {
  TestMarket a(linked_with(1, 0)), b(linked_with(1, 0));
  a.reset(), b.reset();
  a.quote(0, 0, 0), b.quote(0, 0, 0);
  a.quote(1, -1, -1), b.quote(1, 0.5f, 0.75f, 1);
  a.step(), b.step();
  a.observe(), b.observe();
  EXPECT_TRUE(std::equal(a.own.begin(), a.own.begin() + 10, b.own.begin()));
}

TEST(MarketActions, DiscreteLevelsEqualTheirContinuousValues) {
  Market::Params p;
  p.actions = Market::ActionKind::discrete;
  TestMarket continuous(Market::Params{}, 9);
  OneInstance<Market> discrete(p, 9);
  continuous.reset(), discrete.reset();
  for (std::uint32_t t = 0; t < 96; ++t) {
    for (int m = 0; m < 5; ++m) {
      auto const w = Random{4, 0, 0, t}.draw(Purpose::test, std::uint32_t(m));
      int const level[3] = {int(w.unit(0) * 11), int(w.unit(1) * 11), int(w.unit(2) * 6)};
      std::copy_n(level, 3, discrete.discrete.begin() + 3 * m);
      continuous.quote(m, float(level[0] - 5) * 0.2f, float(level[1] - 5) * 0.2f, float(level[2]) * 0.2f);
    }
    EXPECT_EQ(continuous.step(), discrete.step());
    ASSERT_EQ(continuous.rewards, discrete.rewards) << "step " << t;
  }
}

TEST(MarketActions, DiscreteLevelsSpanTheRanges) {
  Market::Params p;
  p.actions = Market::ActionKind::discrete;
  OneInstance<Market> market(p);
  market.reset();
  market.discrete = {0, 10, 0, 5, 5, 5, 10, 0, 3, 1, 9, 1, 0, 0, 0};
  market.step();
  auto const& s = market.state;
  EXPECT_THAT(std::vector<float>(s.eps_buy, s.eps_buy + 4), testing::ElementsAre(-1, 0, 1, -0.8f));
  EXPECT_THAT(std::vector<float>(s.eps_sell, s.eps_sell + 4), testing::ElementsAre(1, 0, -1, 0.8f));
  EXPECT_THAT(std::vector<float>(s.hedge, s.hedge + 4), testing::ElementsAre(0, 1, testing::FloatEq(0.6f), 0.2f));
}

// On the CPU the simulator refuses a NaN; on CUDA the environment has to survive it.
TEST(MarketActions, AreLimitedToTheirRanges) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  TestMarket market;
  market.reset();
  market.quote(0, -7, 7, 3);
  market.quote(1, nan, nan, nan);
  market.step();
  EXPECT_EQ(market.state.eps_buy[0], -1);
  EXPECT_EQ(market.state.eps_sell[0], 1);
  EXPECT_EQ(market.state.hedge[0], 1);
  EXPECT_EQ(market.state.eps_buy[1], -1);
  EXPECT_EQ(market.state.hedge[1], 0);
  EXPECT_TRUE(std::isfinite(market.rewards[1]));
}

}  // namespace
}  // namespace shoal
