// Market: what is recorded of an episode, recomputed from docs/market.md's definitions.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "envs/market_fixture.hpp"

namespace shoal {
namespace {

constexpr int clusters = Market::clusters;

TEST(MarketMetrics, PercentilesAreOfNearestRank) {
  EXPECT_TRUE(rc::check([] {
    TestMarket market;
    market.reset();
    std::vector<float> trades;
    for (int c = 0; c < clusters; ++c) {
      auto const count = *rc::gen::element(0, 1, 2, 3, 10, 1000) * *rc::gen::inRange(0, 3);
      market.state.group_trades[1][c] = std::uint32_t(count);
      trades.insert(trades.end(), std::size_t(count), market.params.quantities[c]);
    }
    RC_ASSERT(market.metric("supertype_2.no_trades") == (trades.empty() ? 1 : 0));
    for (std::size_t k = 1; k <= 9; ++k) {
      auto const rank = (k * trades.size() + 9) / 10;  // the smallest that reaches k/10 of the trades, from 1
      float const expected = trades.empty() ? 0 : trades[rank - 1];
      RC_ASSERT(market.metric("supertype_2.quantity_p" + std::to_string(10 * k)) == expected);
    }
  }));
}

TEST(MarketMetrics, PoolTheTradesOfASupertype) {
  Market::Params p = linked_with(0, 0);
  p.links_1[7] = p.links_2[2] = p.links_2[4] = 1;
  TestMarket market(p);
  market.reset();
  market.quote_all(0, 0);
  for (int t = 0; t < 20; ++t) market.step();
  for (int k = 10; k <= 90; k += 10) EXPECT_EQ(market.metric("supertype_1.quantity_p" + std::to_string(k)), 8);
  EXPECT_EQ(market.metric("supertype_2.quantity_p10"), 3);
  EXPECT_EQ(market.metric("supertype_2.quantity_p90"), 5);
}

TEST(MarketMetrics, SharesAreOfAllDemandAndAveragedOverASupertype) {
  TestMarket market;
  market.reset();
  for (int m = 0; m < 5; ++m) market.quote(m, 0.01f * float(m), 0.01f * float(m));
  double demand = 0;
  std::array<double, 5> volume = {};
  for (int t = 0; t < 10; ++t) {
    market.step();
    for (int c = 0; c < clusters; ++c) demand += double(std::popcount(market.scratch.arriving[c])) * (c + 1);
    for (int m = 0; m < 5; ++m) volume[std::size_t(m)] += double(market.state.bought[m]) + double(market.state.sold[m]);
  }
  for (int m = 0; m < 5; ++m)
    EXPECT_NEAR(double(market.metric("merchant_" + std::to_string(m + 1) + ".share")), volume[std::size_t(m)] / demand,
                1e-6);
  double const others = volume[1] + volume[2] + volume[3] + volume[4];
  EXPECT_NEAR(double(market.metric("supertype_1.share")), volume[0] / demand, 1e-6);
  EXPECT_NEAR(double(market.metric("supertype_2.share")), others / demand / 4, 1e-6);
  EXPECT_NEAR(double(market.metric("supertype_2.share_sum")), others / demand, 1e-6);
}

// Ten supertypes of one merchant each, in any order, and four of several: shares and percentiles are those of a list of
// all trades.
TEST(MarketMetrics, OfEverySupertypeAreThoseOfItsMerchantsTrades) {
  for (List<std::int32_t, 16> const& supertype_of :
       {List<std::int32_t, 16>{10, {3, 10, 1, 2, 5, 4, 6, 9, 8, 7}}, List<std::int32_t, 16>{6, {3, 1, 2, 2, 4, 1}}}) {
    Market::Params p;
    p.merchants = supertype_of.count;
    p.supertype_of = supertype_of;
    TestMarket market(p, 5);
    market.reset();
    auto const groups = market.spec.supertypes.size();
    std::vector<std::vector<float>> trades(groups);
    std::vector<double> members(groups);
    for (int const g : market.spec.supertype_of) ++members[std::size_t(g)];
    for (int t = 0; t < 12; ++t) {
      random_quotes(market, 3, true);
      market.step();
      for (int m = 0; m < p.merchants; ++m) {
        auto& all = trades[std::size_t(supertype_of.items[m] - 1)];
        for (int c = 0; c < clusters; ++c)
          all.insert(all.end(), market.scratch.counts[0][c][m] + market.scratch.counts[1][c][m], p.quantities[c]);
      }
    }
    for (std::size_t g = 0; g < groups; ++g) {
      auto const name = "supertype_" + std::to_string(g + 1);
      auto& all = trades[g];
      std::sort(all.begin(), all.end());
      ASSERT_FALSE(all.empty());
      double const share = std::accumulate(all.begin(), all.end(), 0.0) / double(market.state.demand);
      EXPECT_NEAR(double(market.metric(name + ".share_sum")), share, 1e-6) << name;
      EXPECT_NEAR(double(market.metric(name + ".share")), share / members[g], 1e-6) << name;
      EXPECT_EQ(market.metric(name + ".no_trades"), 0) << name;
      for (std::size_t k = 1; k <= 9; ++k)
        EXPECT_EQ(market.metric(name + ".quantity_p" + std::to_string(10 * k)), all[(k * all.size() + 9) / 10 - 1])
            << name;
    }
  }
}

TEST(MarketMetrics, OfASupertypeWithoutTradesSaySo) {
  Market::Params p;
  p.supertype_of = {5, {1, 2, 3, 3, 2}};
  TestMarket market(p);
  market.reset();
  market.quote(0, 0, 0), market.quote(2, 0, 0), market.quote(3, 0, 0);
  for (int t = 0; t < 5; ++t) market.step();
  EXPECT_EQ(market.metric("supertype_2.no_trades"), 1);
  EXPECT_EQ(market.metric("supertype_2.quantity_p50"), 0);
  EXPECT_EQ(market.metric("supertype_2.share"), 0);
  EXPECT_EQ(market.metric("supertype_3.no_trades"), 0);
}

TEST(MarketMetrics, SumUpAnEpisode) {
  TestMarket market(linked_with(1, 1));
  market.reset();
  double reward = 0, inventory = 0, trades = 0;
  for (int t = 0; t < 4; ++t) {
    market.quote_all(0.5f, 0.5f, 0.1f);
    t == 3 ? market.quote(2, 1, 1, 0.1f) : market.quote(2, 0, 0, 0.1f);
    market.step();
    reward += double(market.rewards[2]);
    inventory += std::abs(double(market.state.inventory[2]));
    for (int c = 0; c < clusters; ++c) trades += market.scratch.counts[0][c][2] + market.scratch.counts[1][c][2];
  }
  EXPECT_NEAR(double(market.metric("merchant_3.reward")), reward, 1e-4 * std::abs(reward));
  EXPECT_NEAR(double(market.metric("merchant_3.mean_abs_inventory")), inventory / 4, 1e-5 * inventory);
  EXPECT_EQ(double(market.metric("merchant_3.trades")), trades);
  EXPECT_EQ(market.metric("merchant_3.idle"), 0.25f);
  EXPECT_EQ(market.metric("merchant_1.trades") > 0, true) << "merchant 3 stepped back once";
}

}  // namespace
}  // namespace shoal
