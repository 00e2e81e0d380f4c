// Market: the n-player dealer market of CALSHEQ (Vadori et al., 2020, section 4).
//
// Merchants quote prices to 500 customers, who trade with the cheapest merchant that they are linked to; merchants hedge their
// inventory on an exchange. What is published and what is chosen: docs/market.md. Clusters of customers differ by the quantity
// they trade. A step is 15 minutes: s0 is drawn, all merchants act, customers trade, merchants hedge, the mid moves.
//
//   action       [n, 3] f32      eps_buy, eps_sell in [-1, 1]: mark-up over the exchange's curve, 1 attracts nobody;
//                                hedge in [0, 1]: the fraction of inventory closed on the exchange
//                or [n, 3] i32   the same at 11, 11 and 6 equal levels
//   observation  [n, 10] f32     t/T, z/100, standardised s0, last mid return/sigma, customer-bought and -sold volume/100,
//                                the three previous actions, volume a step/100. Nothing about other merchants.
//   type         [n, 11] f32     linked fraction of each cluster, inventory tolerance tau
//   reward       [n] f32         (spread PnL - hedge cost + inventory PnL - penalty) * 1e4 * n / reward_unit
//   supertype_1  [11]            merchant 1: ten link probabilities, tau
//   supertype_2  [12]            the others: ten link probabilities, mean and variance of tau
//
// Links are bits: the 50 customers of a cluster are one 64-bit word for each merchant, so a step is a few hundred word operations.
#pragma once

#include <cmath>
#include <cstdint>

#include "shoal/core/bernoulli.hpp"
#include "shoal/env/contract.hpp"

namespace shoal {

struct Market {
  static constexpr char const* name = "market";
  static constexpr char const* summary =
      "n merchants quote prices to customers and hedge their inventory (CALSHEQ, section 4)";
  static constexpr int lanes = 32;

  static constexpr int max_merchants = 16, clusters = 10, customers = 50;  // customers of one cluster
  static constexpr int groups = 2;                                         // supertypes
  static constexpr int percentiles = 9;                                    // 10 %, 20 %, ..., 90 %
  static constexpr std::uint64_t everyone = (std::uint64_t(1) << customers) - 1;

  enum class Penalty { absolute, downside, expected, quadratic };
  enum class ActionKind { continuous, discrete };

  struct Params {
    int merchants = 5;
    int steps = 96;
    float quantities[clusters] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    float arrival = 0.125f;
    float volatility = 0.10f;
    float spread_mean = 1.5e-4f, spread_sd = 0.5e-4f, spread_low = 0.2e-4f, spread_high = 5e-4f;
    float curve_exponent = 1.6f;  // lambda_ref
    float liquidity = 5000;       // v_max
    float aversion = 0.2f;        // gamma_max
    Penalty penalty = Penalty::absolute;
    bool terminal_unwind = true;
    ActionKind actions = ActionKind::continuous;
    bool type_uses_probabilities = false;
    float reward_unit = 250;
    float links_1[clusters] = {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f};
    float links_2[clusters] = {.5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f, .5f};
    float tolerance_1 = 0.5f, tolerance_2 = 0.5f, tolerance_variance_2 = 0.01f;

    // Derived by prepare().
    float sigma = 0;            // sd of the log mid's move in a step
    float unit_cost[clusters];  // q_c * S_ref(q_c) / (s0 / 2)

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("merchants", p.merchants, Range{2, max_merchants}, "number of merchants n");
      visit("steps", p.steps, Range{1, 65535}, "steps of an episode, T");
      visit("quantities", p.quantities, Range{1e-3, 1e6}, "quantity that a customer of each cluster trades, ascending");
      visit("arrival", p.arrival, Range{0, 1}, "probability that a customer wants to trade in a step");
      visit("volatility", p.volatility, Range{0, 5}, "of the mid price, a year of 252 days of 96 steps");
      visit("spread_mean", p.spread_mean, Range{0, 0.1}, "mean of the exchange's spread s0, relative to the mid");
      visit("spread_sd", p.spread_sd, Range{1e-9, 0.1}, "its standard deviation");
      visit("spread_low", p.spread_low, Range{0, 0.1}, "its lower bound");
      visit("spread_high", p.spread_high, Range{0, 0.1}, "its upper bound");
      visit("curve_exponent", p.curve_exponent, Range{1.1, 10}, "lambda_ref of the exchange's price curve");
      visit("liquidity", p.liquidity, Range{1, 1e9}, "total volume v_max on the exchange");
      visit("aversion", p.aversion, Range{0, 100}, "penalty weight gamma_max of a merchant with tolerance 0");
      visit("penalty", p.penalty, Choices{"absolute", "downside", "expected", "quadratic"},
            "|inventory PnL|, its negative part, its expected size, or the inventory squared");
      visit("terminal_unwind", p.terminal_unwind, "close the rest on the exchange at the end, at cost");
      visit("actions", p.actions, Choices{"continuous", "discrete"}, "three reals, or 11 x 11 x 6 levels");
      visit("type_uses_probabilities", p.type_uses_probabilities,
            "the type holds link probabilities, not realised fractions");
      visit("reward_unit", p.reward_unit, Range{1e-6, 1e9}, "rewards are income in basis points * n / reward_unit");
      visit("links_1", p.links_1, Range{0, 1}, "initial link probabilities of supertype 1");
      visit("links_2", p.links_2, Range{0, 1}, "initial link probabilities of supertype 2");
      visit("tolerance_1", p.tolerance_1, Range{0, 1}, "initial inventory tolerance of supertype 1");
      visit("tolerance_2", p.tolerance_2, Range{0, 1}, "initial mean tolerance of supertype 2");
      visit("tolerance_variance_2", p.tolerance_variance_2, Range{0, 0.25},
            "initial variance of supertype 2's tolerance");
    }
  };

  struct alignas(64) State {
    std::uint64_t links[max_merchants][clusters];  // bit k: customer k of the cluster is linked to the merchant
    float tolerance[max_merchants];                // tau
    float inventory[max_merchants];                // z
    float bought[max_merchants];                   // by customers in the last step, quantity
    float sold[max_merchants];
    float eps_buy[max_merchants];  // last actions
    float eps_sell[max_merchants];
    float hedge[max_merchants];
    float volume[max_merchants];  // of the episode so far, as are all that follow
    float reward[max_merchants];
    float spread_pnl[max_merchants];
    float hedge_cost[max_merchants];
    float inventory_pnl[max_merchants];
    float abs_inventory_pnl[max_merchants];
    float abs_inventory[max_merchants];
    std::uint32_t trades[max_merchants];
    std::uint32_t idle[max_merchants];  // steps without a quote on either side
    std::uint32_t group_trades[groups][clusters];
    float probability[groups][clusters];  // of links, at this episode's reset
    float demand;                         // of all customers, quantity
    float mid, spread, last_return;       // P_t, s0_t, log(P_t / P_{t-1})
    std::uint32_t step;
  };

  struct Scratch {
    std::uint64_t random[2][2 * clusters];  // [half of a draw][draw]
    std::uint64_t remaining[2][clusters];   // customers who still want to trade; side 0 buys, side 1 sells
    std::uint8_t arrivals[clusters];
    std::uint8_t counts[2][max_merchants][clusters];  // trades of the step
    std::uint8_t order[2][max_merchants];             // merchants by ascending eps
    int quoting[2];                                   // how many of them have eps < 1
    float mid_move;
    float next_spread;
  };

  static void prepare(Params& p) {
    for (int c = 1; c < clusters; ++c)
      if (p.quantities[c] < p.quantities[c - 1])
        throw SettingError("quantities", ": expected ascending values, value " + std::to_string(c + 1) +
                                             " is smaller than the one before");
    if (p.spread_low > p.spread_high) throw SettingError("spread_low", ": expected at most spread_high");
    p.sigma = p.volatility / std::sqrt(252.0f * 96.0f);
    for (int c = 0; c < clusters; ++c) p.unit_cost[c] = p.quantities[c] * exchange_curve(p, p.quantities[c]);
  }

  static Settings with_agents(int n) { return {{"merchants", std::int64_t(n)}}; }

  static Spec spec(Params const& p) {
    Spec spec{.agents = p.merchants, .observation = 10, .type = clusters + 1, .max_episode_steps = p.steps};
    if (p.actions == ActionKind::continuous)
      spec.continuous = {{"eps_buy", -1, 1}, {"eps_sell", -1, 1}, {"hedge", 0, 1}};
    else
      spec.discrete = {{"eps_buy", 11}, {"eps_sell", 11}, {"hedge", 6}};
    spec.supertypes = {supertype("supertype_1", p.links_1), supertype("supertype_2", p.links_2)};
    spec.supertypes[0].coordinates.push_back({"tolerance", 0, 1, p.tolerance_1});
    spec.supertypes[1].coordinates.push_back({"tolerance_mean", 0, 1, p.tolerance_2});
    spec.supertypes[1].coordinates.push_back({"tolerance_variance", 0, 0.25f, p.tolerance_variance_2});
    spec.supertype_of.assign(std::size_t(p.merchants), 1);
    spec.supertype_of[0] = 0;
    spec.metrics = metric_names(p);
    return spec;
  }

  /// Draws types: links and tolerance of every merchant, independently (docs/market.md, "Types").
  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes supertypes, Random random) {
    team.each(groups * clusters, [&](int i) {
      s.probability[i / clusters][i % clusters] = clamp(supertypes(i / clusters, i % clusters), 0, 1);
      s.group_trades[i / clusters][i % clusters] = 0;
    });
    team.each(p.merchants * clusters, [&](int i) {
      int const m = i / clusters, c = i % clusters;
      auto const word = [&](int k) { return random.draw(Purpose::links, std::uint32_t(i * 16 + k / 2)).bits64(k % 2); };
      s.links[m][c] = bernoulli_bits(probability24(s.probability[group_of(m)][c]), everyone, word);
    });
    team.each(p.merchants, [&](int m) {
      float tolerance = supertypes(group_of(m), clusters);
      if (group_of(m) == 1)
        tolerance +=
            sqrtf(max(supertypes(1, clusters + 1), 0.0f)) * random.draw(Purpose::type, std::uint32_t(m)).normal(0);
      s.tolerance[m] = clamp(tolerance, 0, 1);
      s.inventory[m] = s.bought[m] = s.sold[m] = s.eps_buy[m] = s.eps_sell[m] = s.hedge[m] = s.volume[m] = 0;
      s.reward[m] = s.spread_pnl[m] = s.hedge_cost[m] = s.inventory_pnl[m] = s.abs_inventory_pnl[m] =
          s.abs_inventory[m] = 0;
      s.trades[m] = s.idle[m] = 0;
    });
    team.once([&] {
      s.demand = s.last_return = 0;
      s.mid = 1;
      s.step = 0;
      s.spread = draw_spread(p, random.draw(Purpose::price, 1).normal(1));
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch& w, Actions actions, Rewards rewards,
                             Random random) {
    read_actions(team, p, s, actions);
    draw_customers(team, p, w, random);
    rank_quotes(team, p, s, w);
    for (int side = 0; side < 2; ++side) match(team, p, s, w, side, random);
    settle(team, p, s, w, rewards);
    team.once([&] {
      for (int c = 0; c < clusters; ++c) s.demand += p.quantities[c] * float(w.arrivals[c]);
      s.mid += w.mid_move;
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
    team.each(p.merchants, clusters + 1, [&](int m, int c) {
      out.type(m, c) = c == clusters               ? s.tolerance[m]
                       : p.type_uses_probabilities ? s.probability[group_of(m)][c]
                                                   : float(popcount(s.links[m][c])) / float(customers);
    });
  }

  /// Order: as metric_names().
  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    float const demand = max(s.demand, 1e-6f);
    team.each(groups, [&](int g) {
      int const at = g * (percentiles + 3);
      float volume = 0;
      std::uint32_t trades = 0;
      for (int m = 0; m < p.merchants; ++m)
        if (group_of(m) == g) volume += s.volume[m];
      for (int c = 0; c < clusters; ++c) trades += s.group_trades[g][c];
      out(at) = volume / demand / float(g == 0 ? 1 : p.merchants - 1);
      out(at + 1) = volume / demand;
      for (int k = 0; k < percentiles; ++k)
        out(at + 2 + k) = trades ? quantity_percentile(p, s.group_trades[g], trades, k + 1) : 0;
      out(at + 2 + percentiles) = trades ? 0.0f : 1.0f;
    });
    team.each(p.merchants, [&](int m) {
      int const at = groups * (percentiles + 3) + m * 9;
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

  /// S_ref(v) / (s0 / 2), the exchange's cost a unit for size v: (omega / x) (1 - (1 - x)^(1/omega)) with x = v / v_max and
  /// omega = (lambda - 1) / (lambda - 2). Power series avoid the cancellations at small x and near lambda = 2; the relative
  /// error is below 2e-6 for lambda of at least 1.5, and below 2e-5 at 1.1.
  SHOAL_FN static float exchange_curve(Params const& p, float v) {
    float const x = min(v / p.liquidity, 0.99f);
    float const a = (p.curve_exponent - 2) / (p.curve_exponent - 1);  // 1 / omega
    if (x * max(1.0f, fabsf(a)) < 0.1f) {
      float sum = 1, term = 1;
      for (int k = 1; k < 9; ++k) {
        term *= x * (float(k) - a) / float(k + 1);
        sum += term;
      }
      return sum;
    }
    float const logarithm = shoal::log(1 - x);
    float const y = a * logarithm;
    if (fabsf(y) > 0.3f) return (1 - shoal::exp(y)) / (a * x);
    return -logarithm / x * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5 * (1 + y / 6)))));  // (e^y - 1) / y
  }

 private:
  SHOAL_FN static int group_of(int merchant) { return merchant == 0 ? 0 : 1; }

  SHOAL_FN static int popcount(std::uint64_t bits) {
#ifdef __CUDA_ARCH__
    return __popcll(bits);
#else
    return __builtin_popcountll(bits);
#endif
  }

  SHOAL_FN static int lowest_bit(std::uint64_t bits) {
#ifdef __CUDA_ARCH__
    return __ffsll(static_cast<long long>(bits)) - 1;
#else
    return __builtin_ctzll(bits);
#endif
  }

  static Supertype supertype(char const* name, float const* links) {
    Supertype s{name, {}};
    for (int c = 0; c < clusters; ++c) s.coordinates.push_back({"link_" + std::to_string(c + 1), 0, 1, links[c]});
    return s;
  }

  static std::vector<std::string> metric_names(Params const& p) {
    std::vector<std::string> names;
    for (std::string const group : {"supertype_1", "supertype_2"}) {
      names.insert(names.end(), {group + ".share", group + ".share_sum"});
      for (int k = 1; k <= percentiles; ++k) names.push_back(group + ".quantity_p" + std::to_string(10 * k));
      names.push_back(group + ".no_trades");
    }
    for (int m = 1; m <= p.merchants; ++m)
      for (char const* what : {"share", "reward", "spread_pnl", "hedge_cost", "inventory_pnl", "abs_inventory_pnl",
                               "trades", "mean_abs_inventory", "idle"})
        names.push_back("merchant_" + std::to_string(m) + "." + what);
    return names;
  }

  SHOAL_FN static float draw_spread(Params const& p, float normal) {
    return clamp(p.spread_mean + p.spread_sd * normal, p.spread_low, p.spread_high);
  }

  /// The quantity of the k-th decile by nearest rank: the smallest whose cumulative count reaches k/10 of the trades.
  SHOAL_FN static float quantity_percentile(Params const& p, std::uint32_t const* counts, std::uint32_t trades, int k) {
    std::uint32_t below = 0;
    for (int c = 0; c < clusters; ++c) {
      below += counts[c];
      if (std::uint64_t(below) * 10 >= std::uint64_t(k) * trades) return p.quantities[c];
    }
    return p.quantities[clusters - 1];
  }

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

  /// Who wants to trade, and the step's price draws. Words 0 to 3 of a cluster are drawn in one loop that vectorises: word 0
  /// tells the direction, the others who arrives; an arrival probability that is no multiple of 1/8 may need more.
  template <class Team>
  SHOAL_FN static void draw_customers(Team team, Params const& p, Scratch& w, Random random) {
    team.each(2 * clusters, [&](int i) {
      auto const draw = random.draw(Purpose::arrivals, std::uint32_t(i));
      w.random[0][i] = draw.bits64(0);
      w.random[1][i] = draw.bits64(1);
    });
    auto const arrival = probability24(p.arrival);
    team.each(clusters, [&](int c) {
      auto const word = [&](int k) {
        if (k == 0) return w.random[1][c];
        if (k < 3) return w.random[k - 1][clusters + c];
        return random.draw(Purpose::arrivals, std::uint32_t(64 + c * 16 + (k - 3) / 2)).bits64((k - 3) % 2);
      };
      auto const arriving = bernoulli_bits(arrival, everyone, word);
      w.arrivals[c] = std::uint8_t(popcount(arriving));
      w.remaining[0][c] = arriving & w.random[0][c];
      w.remaining[1][c] = arriving & ~w.random[0][c];
    });
    team.once([&] {
      auto const draw = random.draw(Purpose::price, 0);
      w.next_spread = draw_spread(p, draw.normal(1));
      w.mid_move = -0.5f * p.sigma * p.sigma + p.sigma * draw.normal(0);  // the log return, until settle()
    });
  }

  /// Customers who buy pay eps_sell (side 0), customers who sell eps_buy (side 1).
  SHOAL_FN static float const* quotes(State const& s, int side) { return side == 0 ? s.eps_sell : s.eps_buy; }

  template <class Team>
  SHOAL_FN static void rank_quotes(Team team, Params const& p, State const& s, Scratch& w) {
    team.each(2 * p.merchants, [&](int i) {
      int const side = i / p.merchants, m = i % p.merchants;
      float const* eps = quotes(s, side);
      int rank = 0, quoting = 0;
      for (int other = 0; other < p.merchants; ++other) {
        rank += eps[other] < eps[m] || (eps[other] == eps[m] && other < m);
        quoting += eps[other] < 1;
      }
      w.order[side][rank] = std::uint8_t(m);
      if (m == 0) w.quoting[side] = quoting;
    });
  }

  /// Serves the side's customers from the lowest eps up; merchants with equal eps share those who are linked to several.
  template <class Team>
  SHOAL_FN static void match(Team team, Params const& p, State const& s, Scratch& w, int side, Random random) {
    float const* eps = quotes(s, side);
    int const quoting = w.quoting[side];
    for (int first = 0, last; first < quoting; first = last) {
      int const m = w.order[side][first];
      last = first + 1;
      while (last < quoting && eps[w.order[side][last]] == eps[m]) ++last;
      if (last - first > 1) {
        share(team, s, w, side, first, last, random);
        continue;
      }
      team.each(clusters, [&](int c) {
        auto const taken = w.remaining[side][c] & s.links[m][c];
        w.remaining[side][c] &= ~taken;
        w.counts[side][m][c] = std::uint8_t(popcount(taken));
      });
    }
    for (int rank = quoting; rank < p.merchants; ++rank)
      team.each(clusters, [&](int c) { w.counts[side][w.order[side][rank]][c] = 0; });
  }

  /// The merchants order[first..last) quote the same: each customer picks one of those linked to it, uniformly.
  template <class Team>
  SHOAL_FN static void share(Team team, State const& s, Scratch& w, int side, int first, int last, Random random) {
    team.each(clusters, [&](int c) {
      std::uint64_t any = 0, several = 0;
      for (int r = first; r < last; ++r) {
        auto const linked = w.remaining[side][c] & s.links[w.order[side][r]][c];
        several |= any & linked;
        any |= linked;
      }
      for (int r = first; r < last; ++r) {
        int const m = w.order[side][r];
        w.counts[side][m][c] = std::uint8_t(popcount(any & ~several & s.links[m][c]));
      }
      w.remaining[side][c] &= ~any;
      for (; several; several &= several - 1) {
        int const k = lowest_bit(several);
        std::uint32_t candidates = 0;
        for (int r = first; r < last; ++r) candidates += std::uint32_t(s.links[w.order[side][r]][c] >> k & 1);
        auto const draw = random.draw(Purpose::ties, std::uint32_t((side * clusters + c) * 64 + k)).w[0];
        auto skip = std::uint32_t(std::uint64_t(draw) * candidates >> 32);
        for (int r = first; r < last; ++r) {
          int const m = w.order[side][r];
          if (!(s.links[m][c] >> k & 1)) continue;
          if (skip-- == 0) {
            ++w.counts[side][m][c];
            break;
          }
        }
      }
    });
  }

  SHOAL_FN static float penalty(Params const& p, State const& s, int m, float inventory_pnl) {
    float const gamma = p.aversion * (1 - s.tolerance[m]);
    float const z = s.inventory[m];
    switch (p.penalty) {
      case Penalty::downside: return gamma * max(0.0f, -inventory_pnl);
      case Penalty::expected: return gamma * fabsf(z) * s.mid * p.sigma * 0.797884561f;  // sqrt(2 / pi)
      case Penalty::quadratic: return gamma * z * z;
      default: return gamma * fabsf(inventory_pnl);
    }
  }

  /// Trades, hedging, the mid's move and rewards: steps 2 to 5 of docs/market.md, "Order of events".
  template <class Team>
  SHOAL_FN static void settle(Team team, Params const& p, State& s, Scratch& w, Rewards rewards) {
    team.once([&] {
      float const r = w.mid_move;
      s.last_return = r;
      w.mid_move = s.mid * (r * (1 + r / 2 * (1 + r / 3 * (1 + r / 4 * (1 + r / 5)))));  // P (e^r - 1)
    });
    team.each(clusters, [&](int c) {
      std::uint32_t trades[groups] = {};
      for (int m = 0; m < p.merchants; ++m) trades[group_of(m)] += w.counts[0][m][c] + w.counts[1][m][c];
      for (int g = 0; g < groups; ++g) s.group_trades[g][c] += trades[g];
    });
    bool const last = s.step + 1 == std::uint32_t(p.steps);
    float const half_spread = s.spread * 0.5f * s.mid;
    team.each(p.merchants, [&](int m) {
      float bought = 0, sold = 0, bought_cost = 0, sold_cost = 0;
      std::uint32_t trades = 0;
      for (int c = 0; c < clusters; ++c) {
        float const b = w.counts[0][m][c], a = w.counts[1][m][c];
        bought += p.quantities[c] * b;
        sold += p.quantities[c] * a;
        bought_cost += p.unit_cost[c] * b;
        sold_cost += p.unit_cost[c] * a;
        trades += w.counts[0][m][c] + w.counts[1][m][c];
      }
      float const spread_pnl = ((1 + s.eps_sell[m]) * bought_cost + (1 + s.eps_buy[m]) * sold_cost) * half_spread;
      float const before = s.inventory[m] + sold - bought;
      float const closed = s.hedge[m] * fabsf(before);
      float cost = closed * exchange_curve(p, closed) * half_spread;
      float const z = (1 - s.hedge[m]) * before;
      s.inventory[m] = z;
      float const inventory_pnl = z * w.mid_move;
      if (last && p.terminal_unwind) {
        float const rest = fabsf(z);
        cost += rest * exchange_curve(p, rest) * (s.spread * 0.5f * (s.mid + w.mid_move));
      }
      float const income = spread_pnl - cost + inventory_pnl - penalty(p, s, m, inventory_pnl);
      float const reward = income * (1e4f * float(p.merchants) / p.reward_unit);
      rewards(m) = reward;
      s.bought[m] = bought;
      s.sold[m] = sold;
      s.volume[m] += bought + sold;
      s.reward[m] += reward;
      s.spread_pnl[m] += spread_pnl;
      s.hedge_cost[m] += cost;
      s.inventory_pnl[m] += inventory_pnl;
      s.abs_inventory_pnl[m] += fabsf(inventory_pnl);
      s.abs_inventory[m] += fabsf(z);
      s.trades[m] += trades;
      s.idle[m] += s.eps_buy[m] >= 1 && s.eps_sell[m] >= 1;
    });
  }
};

}  // namespace shoal
