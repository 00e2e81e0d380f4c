// What the market (market.hpp) is, whatever number of merchants and supertypes there is room for: parameters, spec,
// metric names, and the formulas of prices. docs/market.md says what is published and what is chosen.
#pragma once

#include <cmath>
#include <cstdint>

#include "shoal/core/bernoulli.hpp"
#include "shoal/env/contract.hpp"

namespace shoal {

struct MarketRules {
  static constexpr char const* name = "market";
  static constexpr char const* summary =
      "n merchants quote prices to customers and hedge their inventory (CALSHEQ, section 4)";
  static constexpr int lanes = 32;
  static constexpr bool writes_every_cell = true;

  struct Purposes {
    static constexpr Purpose links{1};     // who is connected to whom
    static constexpr Purpose arrivals{2};  // customers of a step
    static constexpr Purpose ties{3};      // choices between equals
    static constexpr Purpose price{4};     // exogenous prices
  };

  static constexpr int clusters = 10, customers = 50;  // customers of one cluster
  static constexpr int max_merchants = 16;
  static constexpr int percentiles = 9;  // 10 %, 20 %, ..., 90 %
  static constexpr std::uint64_t everyone = (std::uint64_t(1) << customers) - 1;

  enum class Penalty { absolute, downside, expected, quadratic };
  enum class ActionKind { continuous, discrete };

  struct Params {
    int merchants = 5;
    List<std::int32_t, max_merchants> supertype_of = {};  // from 1; empty: the published grouping
    int steps = 96;
    float quantities[clusters] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    float quantity_unit = 1;
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
    float sigma = 0;                 // sd of the log mid's move in a step
    float sizes[clusters] = {};      // q_c in units of quantity_unit, in which all rules count
    float unit_cost[clusters] = {};  // size * S_ref(size) / (s0 / 2)
    float curve[8] = {};             // coefficients of x, x^2, ... in the exchange's curve
    float curve_limit = 0;           // sizes below it use them
    Probability24 arriving = {};
    int groups = 0;                    // supertypes
    int group_of[max_merchants] = {};  // supertype of each merchant, from 0
    int members[max_merchants] = {};   // merchants of each supertype
    bool published_groups = false;     // merchant 1 is one supertype, all others are another

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("merchants", p.merchants, Range{2, max_merchants}, "number of merchants n");
      visit("supertype_of", p.supertype_of, Range{1, max_merchants},
            "supertype of each merchant, from 1; empty: 1 for merchant 1, 2 for all others");
      visit("steps", p.steps, Range{1, 65535}, "steps of an episode, T");
      visit("quantities", p.quantities, Range{1e-30, 1e30},
            "quantity that a customer of each cluster trades, ascending");
      visit("quantity_unit", p.quantity_unit, Range{1e-30, 1e30},
            "quantity that liquidity, rewards and observations count as 1");
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
      visit("links_2", p.links_2, Range{0, 1}, "initial link probabilities of all other supertypes");
      visit("tolerance_1", p.tolerance_1, Range{0, 1}, "initial inventory tolerance of supertype 1");
      visit("tolerance_2", p.tolerance_2, Range{0, 1}, "initial mean tolerance of all other supertypes");
      visit("tolerance_variance_2", p.tolerance_variance_2, Range{0, 0.25},
            "initial variance of tolerance of all other supertypes");
    }
  };

  static void prepare(Params& p) {
    prepare_groups(p);
    for (int c = 1; c < clusters; ++c)
      if (p.quantities[c] < p.quantities[c - 1])
        throw SettingError("quantities", ": expected ascending values, value " + std::to_string(c + 1) +
                                             " is smaller than the one before");
    for (int c = 0; c < clusters; ++c) {
      p.sizes[c] = p.quantities[c] / p.quantity_unit;
      if (!is_size(p.sizes[c]))
        throw SettingError("quantities", ": value " + std::to_string(c + 1) + " is " + std::to_string(p.sizes[c]) +
                                             " times quantity_unit, expected 0.001 to 1000000 times");
    }
    if (p.spread_low > p.spread_high) throw SettingError("spread_low", ": expected at most spread_high");
    p.sigma = p.volatility / std::sqrt(252.0f * 96.0f);
    p.arriving = probability24(p.arrival);
    double const a = (double(p.curve_exponent) - 2) / (double(p.curve_exponent) - 1);
    double coefficient = 1;
    for (int k = 1; k <= 8; ++k) p.curve[k - 1] = float(coefficient *= (k - a) / (k + 1));
    p.curve_limit = p.liquidity * 0.1f / max(1.0f, float(std::fabs(a)));
    for (int c = 0; c < clusters; ++c) p.unit_cost[c] = p.sizes[c] * exchange_curve(p, p.sizes[c]);
  }

  /// Whether a cluster may trade so many units. What rounding makes of the bounds themselves is within.
  static bool is_size(float units) {
    constexpr float rounding = 1e-6f;
    return units >= 1e-3f * (1 - rounding) && units <= 1e6f * (1 + rounding);
  }

  static Settings with_agents(int n) { return {{"merchants", std::int64_t(n)}}; }

  static Spec spec(Params const& p) {
    Spec spec{.groups = {{.agents = p.merchants, .observation = 10, .type = clusters + 1}},
              .max_episode_steps = p.steps};
    if (p.actions == ActionKind::continuous)
      spec.groups[0].continuous = {{"eps_buy", -1, 1}, {"eps_sell", -1, 1}, {"hedge", 0, 1}};
    else
      spec.groups[0].discrete = {{"eps_buy", 11}, {"eps_sell", 11}, {"hedge", 6}};
    for (int g = 0; g < p.groups; ++g) spec.supertypes.push_back(supertype(p, g));
    spec.supertype_of.assign(p.group_of, p.group_of + p.merchants);
    spec.may_abstain = true;  // eps = 1 on both sides, from an empty inventory
    spec.metrics = metric_names(p);
    return spec;
  }

  /// Quotes around the exchange's, eps ~ N(0, 0.1) on each side, and half of the inventory hedged.
  SHOAL_FN static void heuristic(Params const& p, int, Seen, Chosen out, Words draw) {
    float eps[2];
    draw.normals(0, eps[0], eps[1]);
    for (int side = 0; side < 2; ++side) {
      float const quote = clamp(0.1f * eps[side], -1.0f, 1.0f);
      if (p.actions == ActionKind::continuous)
        out.continuous[side] = quote;
      else
        out.discrete[side] = std::int32_t(5 * quote + 5.5f);  // level 5 is 0, a level 0.2
    }
    if (p.actions == ActionKind::continuous)
      out.continuous[2] = 0.5f;
    else
      out.discrete[2] = draw.w[2] & 1 ? 2 : 3;  // 0.4 and 0.6
  }

  /// S_ref(v) / (s0 / 2), the exchange's cost a unit for size v: (omega / x) (1 - (1 - x)^(1/omega)) with x = v / v_max
  /// and omega = (lambda - 1) / (lambda - 2). Power series avoid the cancellations at small x and near lambda = 2; the
  /// relative error is below 2e-6 for lambda of at least 1.5, and below 2e-5 at 1.1.
  SHOAL_FN static float exchange_curve(Params const& p, float v) {
    if (v < p.curve_limit) return curve_series(p, v);
    float const x = min(v / p.liquidity, 0.99f);
    float const a = (p.curve_exponent - 2) / (p.curve_exponent - 1);  // 1 / omega
    float const logarithm = shoal::log(1 - x);
    float const y = a * logarithm;
    if (fabsf(y) > 0.3f) return (1 - shoal::exp(y)) / (a * x);
    return -logarithm / x * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5 * (1 + y / 6)))));  // (e^y - 1) / y
  }

  /// The published supertype of a merchant, from 0: the first is of one, all others of the other.
  SHOAL_FN static int published_group_of(int merchant) { return merchant == 0 ? 0 : 1; }

  /// The quantity of the k-th decile by nearest rank: the smallest whose cumulative count reaches k/10 of the trades.
  SHOAL_FN static float quantity_percentile(Params const& p, std::uint32_t const* counts, std::uint32_t trades, int k) {
    std::uint32_t below = 0;
    for (int c = 0; c < clusters; ++c) {
      below += counts[c];
      if (std::uint64_t(below) * 10 >= std::uint64_t(k) * trades) return p.quantities[c];
    }
    return p.quantities[clusters - 1];
  }

 protected:
  /// exchange_curve(p, v) for v < p.curve_limit, without branches.
  SHOAL_FN static float curve_series(Params const& p, float v) {
    float const x = v / p.liquidity;
    float sum = p.curve[7];
    for (int k = 6; k >= 0; --k) sum = sum * x + p.curve[k];
    return sum * x + 1;
  }

  SHOAL_FN static float draw_spread(Params const& p, float normal) {
    return clamp(p.spread_mean + p.spread_sd * normal, p.spread_low, p.spread_high);
  }

 private:
  static void prepare_groups(Params& p) {
    auto const& given = p.supertype_of;
    if (given.count != 0 && given.count != p.merchants)
      throw SettingError("supertype_of", ": " + std::to_string(given.count) + " values, expected " +
                                             std::to_string(p.merchants) + ", one for each merchant, or none");
    p.groups = 0;
    p.published_groups = true;
    for (int& count : p.members) count = 0;
    for (int m = 0; m < p.merchants; ++m) {
      p.group_of[m] = given.count == 0 ? published_group_of(m) : given.items[m] - 1;
      p.published_groups &= p.group_of[m] == published_group_of(m);
      p.groups = max(p.groups, p.group_of[m] + 1);
      ++p.members[p.group_of[m]];
    }
    for (int g = 0; g < p.groups; ++g)
      if (p.members[g] == 0)
        throw SettingError("supertype_of", ": no merchant has supertype " + std::to_string(g + 1) +
                                               ", expected every number from 1 to the largest, " +
                                               std::to_string(p.groups));
  }

  /// The first supertype's tolerance is a value, every other's a distribution.
  static Supertype supertype(Params const& p, int g) {
    Supertype s{group_name(g), {}};
    for (int c = 0; c < clusters; ++c)
      s.coordinates.push_back({"link_" + std::to_string(c + 1), 0, 1, (g == 0 ? p.links_1 : p.links_2)[c]});
    if (g == 0) {
      s.coordinates.push_back({"tolerance", 0, 1, p.tolerance_1});
    } else {
      s.coordinates.push_back({"tolerance_mean", 0, 1, p.tolerance_2});
      s.coordinates.push_back({"tolerance_variance", 0, 0.25f, p.tolerance_variance_2});
    }
    return s;
  }

  static std::string group_name(int g) { return "supertype_" + std::to_string(g + 1); }

  static std::vector<std::string> metric_names(Params const& p) {
    std::vector<std::string> names;
    for (int g = 0; g < p.groups; ++g) {
      auto const group = group_name(g);
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
};

}  // namespace shoal
