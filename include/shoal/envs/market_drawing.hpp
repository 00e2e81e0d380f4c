// What a person sees of the market.
#pragma once

#include <string>

#include "shoal/env/drawing.hpp"
#include "shoal/envs/market_rules.hpp"

namespace shoal {

namespace detail {

/// Where the columns of the market's picture are, in units.
struct MarketColumns {
  static constexpr float name = 0.25f, quotes = 10.75f, half_spread = 3.2f, inventory = 22, inventory_span = 3,
                         inventory_value = 25, share = 29, share_span = 5, share_value = 34.25f, reward = 36.75f,
                         width = 40;
};

/// A merchant's row: its quotes in half spreads from the mid, inventory, share of the demand so far, reward so far.
template <class State>
void draw_merchant(MarketRules::Params const& p, State const& s, Drawing& d, int m) {
  using At = MarketColumns;
  float const y = float(m) + 1.5f, share = s.demand > 0 ? s.volume[m] / s.demand : 0.0f;
  auto const color = palette::agent(p.group_of[m]);
  auto const bar = [&](float from, float to) {
    d.lines.push_back({from, y, to, y, 0.6f, mix(palette::paper, color, 0.7f)});
  };
  auto const quote = [&](float eps, float side) {
    d.discs.push_back({At::quotes + side * (1 + eps) * At::half_spread, y, 0.3f, eps < 1 ? color : palette::faint});
  };
  float const held = clamp(s.inventory[m] * 0.01f, -1, 1) * At::inventory_span;
  d.labels.push_back({At::name, y, std::to_string(m + 1) + " of s" + std::to_string(p.group_of[m] + 1), color});
  d.lines.push_back({At::quotes - (1 + s.eps_buy[m]) * At::half_spread, y,
                     At::quotes + (1 + s.eps_sell[m]) * At::half_spread, y, 0.12f, palette::faint});
  quote(s.eps_buy[m], -1);
  quote(s.eps_sell[m], 1);
  bar(At::inventory, At::inventory + held);
  bar(At::share, At::share + At::share_span * share);
  d.labels.push_back({At::inventory_value, y, number_text(s.inventory[m], 1, 7)});
  d.labels.push_back({At::share_value, y, number_text(100 * share, 1, 4) + "%"});
  d.labels.push_back({At::reward, y, number_text(s.reward[m], 1, 6)});
}

/// Share and deciles: what a profile is calibrated to.
template <class State>
std::string supertype_text(MarketRules::Params const& p, State const& s, int g) {
  float volume = 0;
  std::uint32_t trades = 0;
  for (int m = 0; m < p.merchants; ++m)
    if (p.group_of[m] == g) volume += s.volume[m];
  for (int c = 0; c < MarketRules::clusters; ++c) trades += s.group_trades[g][c];
  auto text = "s" + std::to_string(g + 1) + "  share " +
              number_text(s.demand > 0 ? volume / s.demand / float(p.members[g]) : 0, 3) + "  quantity p10 p20 ... p90";
  for (int k = 1; k <= MarketRules::percentiles; ++k)
    text += " " + (trades ? number_text(MarketRules::quantity_percentile(p, s.group_trades[g], trades, k), 0) : "-");
  return text;
}

}  // namespace detail

/// A row for each merchant in the color of its supertype: quotes (grey: none) among the exchange's, inventory (the bar
/// ends at +-100 units), share of the demand so far, reward so far. Below: the exchange, and each supertype's share and
/// quantities.
/// @param s  a State of market.hpp
template <class State>
void draw_market(MarketRules::Params const& p, State const& s, Drawing& d) {
  using At = detail::MarketColumns;
  d.width = At::width, d.height = float(p.merchants) + 1;
  auto const upright = [&](float x) { d.lines.push_back({x, 1, x, d.height, 0.08f, palette::faint}); };
  for (float const x :
       {At::quotes - At::half_spread, At::quotes, At::quotes + At::half_spread, At::inventory, At::share})
    upright(x);
  d.labels = {{At::name, 0.5f, "merchant"},
              {At::quotes - At::half_spread - 0.75f, 0.5f, "bid"},
              {At::quotes - 0.75f, 0.5f, "mid"},
              {At::quotes + At::half_spread - 0.75f, 0.5f, "ask"},
              {At::inventory - 2.25f, 0.5f, "inventory"},
              {At::share, 0.5f, "share"},
              {At::reward, 0.5f, "reward"}};
  for (int m = 0; m < p.merchants; ++m) detail::draw_merchant(p, s, d, m);
  d.text = {"spread " + number_text(1e4 * s.spread, 2) + " bp  mid " + number_text(s.mid, 5) + "  demand so far " +
            number_text(s.demand, 0)};
  for (int g = 0; g < p.groups; ++g) d.text.push_back(detail::supertype_text(p, s, g));
}

}  // namespace shoal
