// Market: the n-player dealer market of CALSHEQ (Vadori et al., 2020, section 4).
//
// Merchants quote prices to 500 customers, who trade with the cheapest merchant that they are linked to; merchants
// hedge their inventory on an exchange. What is published and what is chosen: docs/market.md. Clusters of customers
// differ by the quantity they trade. A step is 15 minutes: s0 is drawn, all merchants act, customers trade, merchants
// hedge, the mid moves.
//
//   action       [n, 3] f32      eps_buy, eps_sell in [-1, 1]: mark-up over the exchange's curve, 1 attracts nobody;
//                                hedge in [0, 1]: the fraction of inventory closed on the exchange
//                or [n, 3] i32   the same at 11, 11 and 6 equal levels
//   observation  [n, 10] f32     t/T, z/100, standardised s0, last mid return/sigma, customer-bought and -sold volume/100,
//                                the three previous actions, volume a step/100. Nothing about other merchants.
//   type         [n, 11] f32     linked fraction of each cluster, inventory tolerance tau
//   reward       [n] f32         (spread PnL - hedge cost + inventory PnL - penalty) * 1e4 * n / reward_unit
//   supertype_1  [11]            ten link probabilities, tau; published: merchant 1
//   supertype_k  [12]            ten link probabilities, mean and variance of tau; published: one, all other merchants
//
// Links are bits: the 50 customers of a cluster are one 64-bit word for each merchant, so a step is a few hundred word
// operations.
#pragma once

#include <cstdint>
#include <type_traits>

#include "shoal/core/bits.hpp"
#include "shoal/core/draws.hpp"
#include "shoal/envs/market_customers.hpp"
#include "shoal/envs/market_drawing.hpp"
#include "shoal/envs/market_rules.hpp"
#include "shoal/envs/market_ties.hpp"

namespace shoal {

/// The market with room for `Capacity` merchants and `Groups` supertypes. Loops over merchants run over all of it, for
/// the vectoriser: those beyond p.merchants hold nothing and quote nothing. Room for two supertypes is for the
/// published ones, merchant 1 and all others: who belongs to which is then a constant. Neither room shows in a
/// trajectory.
template <int Capacity, int Groups>
struct MarketOf : MarketRules {
  SHOAL_FN static bool fits(Params const& p) {
    return p.merchants <= Capacity && (Groups == 2 ? p.published_groups : p.groups <= Groups);
  }

  struct alignas(64) State {
    std::uint64_t links[Capacity][clusters];  // bit k: customer k of the cluster is linked to the merchant
    float linked[Capacity][clusters];         // what the type says of them
    float tolerance[Capacity];                // tau
    float inventory[Capacity];                // z
    float bought[Capacity];                   // by customers in the last step, quantity
    float sold[Capacity];
    float eps_buy[Capacity];  // last actions
    float eps_sell[Capacity];
    float hedge[Capacity];
    float volume[Capacity];  // of the episode so far, as are all that follow
    float reward[Capacity];
    float spread_pnl[Capacity];
    float hedge_cost[Capacity];
    float inventory_pnl[Capacity];
    float abs_inventory_pnl[Capacity];
    float abs_inventory[Capacity];
    std::uint32_t trades[Capacity];
    std::uint32_t idle[Capacity];  // steps without a quote on either side
    std::uint32_t group_trades[Groups][clusters];
    float demand;                    // of all customers, quantity
    float mid, spread, last_return;  // P_t, s0_t, log(P_t / P_{t-1})
    std::uint32_t step;
  };

  using Ties = MarketTies<Capacity>;

  static constexpr int step_draws = 24;  // two for each cluster; more fill vectors

  static constexpr int row = 12;  // clusters, rounded up to whole vectors

  enum Money { spread_income, closed_size, hedging_cost, net_income };
  enum Sum { bought_sum, sold_sum, bought_cost_sum, sold_cost_sum };  // the first two of sizes, by side

  struct alignas(32) Scratch {
    std::uint64_t random[2][step_draws];          // [half of a draw][draw]
    std::uint64_t arriving[row];                  // customers who want to trade
    std::uint64_t undecided[row];                 // customers of whom more random bits have to tell
    std::uint64_t wanting[2][row];                // side 0 buys, side 1 sells
    std::uint64_t remaining[2][row];              // those whom no merchant has served
    std::uint64_t taken[2][Capacity][row];        // those whom this merchant serves
    std::uint32_t counts[2][clusters][Capacity];  // how many they are
    int rank[2][Capacity];
    int order[2][Capacity];             // merchants by ascending eps
    int equals[2][Capacity];            // how many quote the merchant's eps, itself included; 0 without a quote
    float money[4][Capacity];           // by Money; before that, on lanes, by Sum
    std::uint32_t trades[2][Capacity];  // on lanes: customers of a side
    float log_return, mid_move, next_spread;
    Ties ties;
  };

  /// Draws types: links and tolerance of every merchant, independently (docs/market.md, "Types").
  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes supertypes, Random random) {
    team.each(Groups, clusters, [&](int g, int c) { s.group_trades[g][c] = 0; });
    team.each(Capacity, clusters, [&](int m, int c) {
      auto const index = std::uint32_t(m * clusters + c) * 16;
      auto const word = [&](int k) { return random.draw(Purposes::links, index + std::uint32_t(k / 2)).bits64(k % 2); };
      float const probability = m < p.merchants ? clamp(supertypes(group_of(p, m), c), 0, 1) : 0.0f;
      s.links[m][c] = bernoulli_bits(probability24(probability), everyone, word);
      s.linked[m][c] = p.type_uses_probabilities ? probability : float(popcount(s.links[m][c])) / float(customers);
    });
    team.each(Capacity, [&](int m) {
      s.tolerance[m] = s.inventory[m] = s.bought[m] = s.sold[m] = s.hedge[m] = s.volume[m] = s.reward[m] =
          s.spread_pnl[m] = s.hedge_cost[m] = s.inventory_pnl[m] = s.abs_inventory_pnl[m] = s.abs_inventory[m] = 0;
      s.eps_buy[m] = s.eps_sell[m] = m < p.merchants ? 0.0f : 1.0f;
      s.trades[m] = s.idle[m] = 0;
    });
    team.each(p.merchants, [&](int m) {
      int const g = group_of(p, m);
      float tolerance = supertypes(g, clusters);
      if (g > 0)
        tolerance +=
            sqrtf(max(supertypes(g, clusters + 1), 0.0f)) * random.draw(Purpose::type, std::uint32_t(m)).normal(0);
      s.tolerance[m] = clamp(tolerance, 0, 1);
    });
    team.once([&] {
      s.demand = s.last_return = 0;
      s.mid = 1;
      s.step = 0;
      s.spread = draw_spread(p, random.draw(Purposes::price, 1).normal(1));
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch& w, Actions actions, Rewards rewards,
                             Random random) {
    read_actions(team, p, s, actions);
    MarketCustomers::draw(team, p, w, random);
    rank_quotes(team, p, s, w);
    match(team, p, s, w);
    Ties::share(team, p, s, w, random);
    settle(team, p, s, w, rewards);
    team.once([&] {
      for (int c = 0; c < clusters; ++c) s.demand += p.sizes[c] * float(popcount(w.arriving[c]));
      s.mid += w.mid_move;
      s.last_return = w.log_return;
      s.spread = w.next_spread;
      ++s.step;
    });
    return s.step == std::uint32_t(p.steps) ? Ended::terminated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    float const time = float(s.step) / float(p.steps);
    float const spread = (s.spread - p.spread_mean) / p.spread_sd;
    float const move = p.sigma > 0 ? clamp(s.last_return / p.sigma, -5, 5) : 0.0f;
    float const pace = 1 / (100.0f * float(s.step > 0 ? s.step : 1));
    team.each(p.merchants, [&](int m) {
      float* const row = &out.own(m, 0);
      row[0] = time;
      row[1] = clamp(s.inventory[m] * 0.01f, -10, 10);
      row[2] = spread;
      row[3] = move;
      row[4] = s.bought[m] * 0.01f;
      row[5] = s.sold[m] * 0.01f;
      row[6] = s.eps_buy[m];
      row[7] = s.eps_sell[m];
      row[8] = s.hedge[m];
      row[9] = s.volume[m] * pace;
    });
    if (!out.type.data) return;
    team.each(p.merchants, clusters, [&](int m, int c) { (&out.type(m, 0))[c] = s.linked[m][c]; });
    team.each(p.merchants, [&](int m) { out.type(m, clusters) = s.tolerance[m]; });
  }

  /// Order: as metric_names().
  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    float const demand = max(s.demand, 1e-6f);
    team.each(groups(p), [&](int g) {
      int const at = g * (percentiles + 3);
      float volume = 0;
      std::uint32_t trades = 0;
      for (int m = 0; m < p.merchants; ++m)
        if (group_of(p, m) == g) volume += s.volume[m];
      for (int c = 0; c < clusters; ++c) trades += s.group_trades[g][c];
      out(at) = volume / demand / float(p.members[g]);
      out(at + 1) = volume / demand;
      for (int k = 0; k < percentiles; ++k)
        out(at + 2 + k) = trades ? quantity_percentile(p, s.group_trades[g], trades, k + 1) : 0;
      out(at + 2 + percentiles) = trades ? 0.0f : 1.0f;
    });
    team.each(p.merchants, [&](int m) {
      int const at = groups(p) * (percentiles + 3) + m * 9;
      out(at) = s.volume[m] / demand;
      out(at + 1) = s.reward[m];
      out(at + 2) = s.spread_pnl[m];
      out(at + 3) = s.hedge_cost[m];
      out(at + 4) = s.inventory_pnl[m];
      out(at + 5) = s.abs_inventory_pnl[m];
      out(at + 6) = float(s.trades[m]);
      out(at + 7) = s.abs_inventory[m] / float(s.step);
      out(at + 8) = float(s.idle[m]) / float(s.step);
    });
  }

  static void draw(Params const& p, State const& s, Drawing& d) { draw_market(p, s, d); }

 private:
  SHOAL_FN static int groups(Params const& p) { return Groups == 2 ? 2 : p.groups; }
  SHOAL_FN static int group_of(Params const& p, int m) { return Groups == 2 ? published_group_of(m) : p.group_of[m]; }

  template <class Team>
  SHOAL_FN static void read_actions(Team team, Params const& p, State& s, Actions actions) {
    team.each(p.merchants, [&](int m) {
      if (p.actions == ActionKind::continuous) {
        s.eps_buy[m] = clamp(actions.continuous(m, 0), -1, 1);
        s.eps_sell[m] = clamp(actions.continuous(m, 1), -1, 1);
        s.hedge[m] = clamp(actions.continuous(m, 2), 0, 1);
      } else {
        s.eps_buy[m] = clamp(float(actions.discrete(m, 0) - 5) * 0.2f, -1, 1);
        s.eps_sell[m] = clamp(float(actions.discrete(m, 1) - 5) * 0.2f, -1, 1);
        s.hedge[m] = clamp(float(actions.discrete(m, 2)) * 0.2f, 0, 1);
      }
    });
  }

  /// f(n) with the number of merchants; on the CPU a constant, so that inner loops over merchants unroll and outer ones
  /// vectorise.
  template <int N = Capacity, class F>
  SHOAL_FN static void with_merchants(Params const& p, F f) {
#ifdef __CUDA_ARCH__
    f(p.merchants);
#else
    if constexpr (N > 2)
      if (p.merchants < N) return with_merchants<N - 1>(p, f);
    f(std::integral_constant<int, N>{});
#endif
  }

  /// f(side, i) for both sides and i in [0, n): side by side where there are lanes. On the CPU the side is a constant,
  /// so that loops over i vectorize.
  template <class Team, class F>
  SHOAL_FN static void each_side(Team team, int n, F f) {
    if constexpr (has_lanes<Team>) {
      team.each(2, n, f);
    } else {
      team.each(n, [&](int i) { f(0, i); });
      team.each(n, [&](int i) { f(1, i); });
    }
  }
  template <class Team, class F>
  SHOAL_FN static void each_side(Team team, int rows, int columns, F f) {
    if constexpr (has_lanes<Team>) {
      team.each(2 * rows, columns, [&](int i, int column) { f(i / rows, i % rows, column); });
    } else {
      team.each(rows, columns, [&](int row, int column) { f(0, row, column); });
      team.each(rows, columns, [&](int row, int column) { f(1, row, column); });
    }
  }

  /// Customers who buy pay eps_sell (side 0), customers who sell eps_buy (side 1).
  template <class Team>
  SHOAL_FN static void rank_quotes(Team team, Params const& p, State const& s, Scratch& w) {
    with_merchants(p, [&](auto const n) {
      each_side(team, Capacity, [&](int side, int m) {
        auto const& eps = side == 0 ? s.eps_sell : s.eps_buy;
        int rank = 0, equals = 0;
        for (int other = 0; other < n; ++other) {
          rank += (eps[other] < eps[m]) | ((eps[other] == eps[m]) & (other < m));
          equals += eps[other] == eps[m];
        }
        w.rank[side][m] = rank;
        w.equals[side][m] = eps[m] < 1 ? equals : 0;
      });
    });
    team.each(2, p.merchants, [&](int side, int m) { w.order[side][w.rank[side][m]] = m; });
  }

  /// Serves the customers from the lowest eps up; equals in the order of their index, for MarketTies to put right.
  template <class Team>
  SHOAL_FN static void match(Team team, Params const& p, State const& s, Scratch& w) {
    if constexpr (has_lanes<Team>)
      match_on_lanes(team, p, s, w);
    else
      match_on_one(team, p, s, w);
  }

  template <class Team>
  SHOAL_FN static void match_on_lanes(Team team, Params const& p, State const& s, Scratch& w) {
    team.each(2, clusters, [&](int side, int c) {
      std::uint64_t remaining = w.wanting[side][c];
      for (int rank = 0; rank < p.merchants; ++rank) {
        int const m = w.order[side][rank];
        std::uint64_t const served = w.equals[side][m] > 0 ? remaining & s.links[m][c] : 0;
        w.taken[side][m][c] = served;
        remaining ^= served;
      }
      w.remaining[side][c] = remaining;
    });
  }

  /// What does not depend on the cluster is looked up once, so that the loop over clusters vectorizes. On a GPU these
  /// arrays would lie in local memory.
  template <class Team>
  SHOAL_FN static void match_on_one(Team team, Params const& p, State const& s, Scratch& w) {
    with_merchants(p, [&](auto const n) {
      for (int side = 0; side < 2; ++side) {
        std::uint64_t quoting[Capacity];
        std::uint64_t const* links[Capacity];
        std::uint64_t* taken[Capacity];
        for (int rank = 0; rank < n; ++rank) {
          int const m = w.order[side][rank];
          quoting[rank] = w.equals[side][m] > 0 ? everyone : 0;
          links[rank] = s.links[m];
          taken[rank] = w.taken[side][m];
        }
        team.each(clusters, [&](int c) {
          std::uint64_t remaining = w.wanting[side][c];
          for (int rank = 0; rank < n; ++rank) {
            std::uint64_t const served = remaining & links[rank][c] & quoting[rank];
            taken[rank][c] = served;
            remaining ^= served;
          }
          w.remaining[side][c] = remaining;
        });
      }
    });
  }

  /// Trades, hedging, the mid's move and rewards: steps 2 to 5 of docs/market.md, "Order of events".
  template <class Team>
  SHOAL_FN static void settle(Team team, Params const& p, State& s, Scratch& w, Rewards rewards) {
    count_trades(team, p, s, w);
    float const half_spread = s.spread * 0.5f * s.mid;
    trade_and_hedge(team, p, s, w, half_spread);
    team.once([&] {
      float const r = w.log_return;
      w.mid_move = s.mid * (r * (1 + r / 2 * (1 + r / 3 * (1 + r / 4 * (1 + r / 5)))));  // P (e^r - 1)
    });
    if (p.terminal_unwind && s.step + 1 == std::uint32_t(p.steps))
      team.each(p.merchants, [&](int m) {
        float const rest = fabsf(s.inventory[m]);
        w.money[hedging_cost][m] += rest * exchange_curve(p, rest) * (s.spread * 0.5f * (s.mid + w.mid_move));
      });
    pay(team, p, s, w);
    team.each(p.merchants, [&](int m) { rewards(m) = w.money[net_income][m]; });
  }

  template <class Team>
  SHOAL_FN static void count_trades(Team team, Params const& p, State& s, Scratch& w) {
    each_side(team, clusters, Capacity, [&](int side, int c, int m) { w.counts[side][c][m] = 0; });
    each_side(team, p.merchants, clusters,
              [&](int side, int m, int c) { w.counts[side][c][m] = std::uint32_t(popcount(w.taken[side][m][c])); });
    if constexpr (Groups == 2)
      team.each(clusters, [&](int c) {
        auto const served = std::uint32_t(popcount(w.arriving[c] & ~(w.remaining[0][c] | w.remaining[1][c])));
        std::uint32_t const first = w.counts[0][c][0] + w.counts[1][c][0];
        s.group_trades[0][c] += first;
        s.group_trades[1][c] += served - first;
      });
    else
      team.each(clusters, [&](int c) {
        for (int m = 0; m < p.merchants; ++m)
          s.group_trades[group_of(p, m)][c] += w.counts[0][c][m] + w.counts[1][c][m];
      });
  }

  /// What a merchant's customers buy and sell in a step.
  struct Flow {
    float bought = 0, sold = 0, bought_cost = 0, sold_cost = 0;
    std::uint32_t trades = 0;
  };

  SHOAL_FN static Flow flow_of(Params const& p, Scratch const& w, int m) {
    Flow flow;
    for (int c = 0; c < clusters; ++c) {
      std::uint32_t const buyers = w.counts[0][c][m], sellers = w.counts[1][c][m];
      flow.bought += p.sizes[c] * float(int(buyers));
      flow.sold += p.sizes[c] * float(int(sellers));
      flow.bought_cost += p.unit_cost[c] * float(int(buyers));
      flow.sold_cost += p.unit_cost[c] * float(int(sellers));
      flow.trades += buyers + sellers;
    }
    return flow;
  }

  /// The same with the four sums of every merchant side by side.
  template <class Team>
  SHOAL_FN static void sum_flows(Team team, Params const& p, Scratch& w) {
    team.each(4, p.merchants, [&](int kind, int m) {
      float const* const weights = kind < 2 ? p.sizes : p.unit_cost;
      float sum = 0;
      std::uint32_t trades = 0;
      for (int c = 0; c < clusters; ++c) {
        std::uint32_t const count = w.counts[kind & 1][c][m];
        sum += weights[c] * float(int(count));
        trades += count;
      }
      w.money[kind][m] = sum;
      if (kind < 2) w.trades[kind][m] = trades;
    });
  }

  template <class Team>
  SHOAL_FN static void trade_and_hedge(Team team, Params const& p, State& s, Scratch& w, float half_spread) {
    if constexpr (has_lanes<Team>) sum_flows(team, p, w);
    team.each(has_lanes<Team> ? p.merchants : Capacity, [&](int m) {
      Flow flow;
      if constexpr (has_lanes<Team>)
        flow = {w.money[bought_sum][m], w.money[sold_sum][m], w.money[bought_cost_sum][m], w.money[sold_cost_sum][m],
                w.trades[0][m] + w.trades[1][m]};
      else
        flow = flow_of(p, w, m);
      auto const [bought, sold, bought_cost, sold_cost, trades] = flow;
      float const before = s.inventory[m] + sold - bought;
      float const closed = s.hedge[m] * fabsf(before);
      s.inventory[m] = (1 - s.hedge[m]) * before;
      s.bought[m] = bought;
      s.sold[m] = sold;
      s.trades[m] += trades;
      w.money[spread_income][m] = ((1 + s.eps_sell[m]) * bought_cost + (1 + s.eps_buy[m]) * sold_cost) * half_spread;
      w.money[closed_size][m] = closed;
      w.money[hedging_cost][m] = closed * curve_series(p, closed) * half_spread;
    });
    team.each(p.merchants, [&](int m) {
      if (w.money[closed_size][m] >= p.curve_limit)
        w.money[hedging_cost][m] = w.money[closed_size][m] * exchange_curve(p, w.money[closed_size][m]) * half_spread;
    });
  }

  template <class Team>
  SHOAL_FN static void pay(Team team, Params const& p, State& s, Scratch& w) {
    float const expected = s.mid * p.sigma * 0.797884561f;  // of |move|; sqrt(2 / pi)
    switch (p.penalty) {
      case Penalty::absolute: return pay(team, p, s, w, [](float pnl, float) { return fabsf(pnl); });
      case Penalty::downside: return pay(team, p, s, w, [](float pnl, float) { return max(0.0f, -pnl); });
      case Penalty::expected: return pay(team, p, s, w, [&](float, float z) { return fabsf(z) * expected; });
      case Penalty::quadratic: return pay(team, p, s, w, [](float, float z) { return z * z; });
    }
  }

  /// @param risk  what aversion weighs, of the inventory's income and the inventory
  template <class Team, class Risk>
  SHOAL_FN static void pay(Team team, Params const& p, State& s, Scratch& w, Risk risk) {
    float const move = w.mid_move;
    float const scale = 1e4f * float(p.merchants) / p.reward_unit;
    team.each(Capacity, [&](int m) {
      float const z = s.inventory[m];
      float const inventory_pnl = z * move;
      float const gamma = p.aversion * (1 - s.tolerance[m]);
      float const income =
          w.money[spread_income][m] - w.money[hedging_cost][m] + inventory_pnl - gamma * risk(inventory_pnl, z);
      float const reward = income * scale;
      w.money[net_income][m] = reward;
      s.volume[m] += s.bought[m] + s.sold[m];
      s.reward[m] += reward;
      s.spread_pnl[m] += w.money[spread_income][m];
      s.hedge_cost[m] += w.money[hedging_cost][m];
      s.inventory_pnl[m] += inventory_pnl;
      s.abs_inventory_pnl[m] += fabsf(inventory_pnl);
      s.abs_inventory[m] += fabsf(z);
      s.idle[m] += (s.eps_buy[m] >= 1) & (s.eps_sell[m] >= 1);
    });
  }
};

/// With the published supertypes. Up to 8 merchants take the smaller one, whose State is half as large.
struct PublishedMarket : MarketOf<MarketRules::max_merchants, 2> {
  using Smaller = MarketOf<8, 2>;
};

/// As the registry knows it.
struct Market : MarketOf<MarketRules::max_merchants, MarketRules::max_merchants> {
  using Smaller = PublishedMarket;
};

}  // namespace shoal
