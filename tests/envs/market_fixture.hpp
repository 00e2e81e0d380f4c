// A market whose merchants are told what to quote.
#pragma once

#include "shoal/envs/market.hpp"
#include "support/one_instance.hpp"

namespace shoal {

struct TestMarket : OneInstance<Market> {
  explicit TestMarket(Market::Params p = {}, std::uint32_t seed = 1) : OneInstance(p, seed) { quote_all(1, 1, 0); }

  int merchants() const { return params.merchants; }

  void quote(int m, float eps_buy, float eps_sell, float hedge = 0) {
    auto* const action = continuous.data() + 3 * m;
    action[0] = eps_buy, action[1] = eps_sell, action[2] = hedge;
  }
  void quote_all(float eps_buy, float eps_sell, float hedge = 0) {
    for (int m = 0; m < merchants(); ++m) quote(m, eps_buy, eps_sell, hedge);
  }

  /// Links merchant m to all customers of the cluster, or to none.
  void link(int m, int cluster, bool linked) { state.links[m][cluster] = linked ? Market::everyone : 0; }

  /// The customers who want to buy (side 0) or sell (side 1) in the coming step: those whom nobody serves if all quote
  /// 1.
  std::uint64_t wanting(int side, int cluster) const {
    auto copy = *this;
    copy.quote_all(1, 1);
    copy.step();
    return copy.scratch.remaining[side][cluster];
  }

  /// Income in money, not in units of reward.
  double income(int m) const {
    return double(rewards[std::size_t(m)]) * double(params.reward_unit) / (1e4 * merchants());
  }
};

/// Every merchant quotes uniformly; `salt` tells one sequence of quotes from another.
inline void random_quotes(TestMarket& market, std::uint32_t salt, bool hedging) {
  for (int m = 0; m < market.merchants(); ++m) {
    auto const w = Random{salt, 0, 0, market.random.step}.draw(Purpose::test, std::uint32_t(m));
    market.quote(m, 2 * w.unit(0) - 1, 2 * w.unit(1) - 1, hedging ? w.unit(2) : 0);
  }
}

/// S_ref(v) of docs/market.md by its formula, in double.
inline double exact_reference_cost(Market::Params const& p, double s0, double v) {
  double const x = std::min(v / double(p.liquidity), 0.99),
               a = (double(p.curve_exponent) - 2) / (double(p.curve_exponent) - 1);
  if (x == 0) return s0 / 2;
  return s0 / 2 * (a == 0 ? -std::log1p(-x) : -std::expm1(a * std::log1p(-x)) / a) / x;
}

/// Parameters in which all merchants are linked with probability p.
inline Market::Params linked_with(float p1, float p2) {
  Market::Params p;
  for (int c = 0; c < Market::clusters; ++c) p.links_1[c] = p1, p.links_2[c] = p2;
  return p;
}

}  // namespace shoal
