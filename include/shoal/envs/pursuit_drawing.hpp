// What a person sees of pursuit.
#pragma once

#include <cstdlib>
#include <string>

#include "shoal/core/bits.hpp"
#include "shoal/env/drawing.hpp"
#include "shoal/envs/pursuit_rules.hpp"

namespace shoal {

/// Pursuers are blue discs with their numbers, evaders at large orange ones, walls dark. The tinted square is what
/// pursuer 1 observes. Rows count upwards.
/// @param s  a State of pursuit.hpp
template <class State>
void draw_pursuit(PursuitRules::Params const& p, State const& s, Drawing& d) {
  int const half = p.obs_range / 2;
  auto const top = [&](int y) { return p.y_size - 1 - y; };
  d.width = float(p.x_size), d.height = float(p.y_size);
  d.cells.fill(p.x_size, p.y_size, palette::floor);
  for (int x = 0; x < p.x_size; ++x)
    for (int y = 0; y < p.y_size; ++y) {
      auto& color = d.cells.at(x, top(y));
      if (PursuitRules::is_wall(p, {x, y})) color = palette::wall;
      int const far = max(std::abs(x - s.pursuer_x[0]), std::abs(y - s.pursuer_y[0]));
      if (far <= half) color = mix(color, palette::sky, 0.3f);
    }
  auto const disc = [&](int x, int y, float radius, Color color, std::string const& label) {
    d.discs.push_back({float(x) + 0.5f, float(top(y)) + 0.5f, radius, color, label});
  };
  for (int e = 0; e < p.n_evaders; ++e)
    if (s.at_large >> e & 1) disc(s.evader_x[e], s.evader_y[e], 0.28f, palette::orange, "");
  for (int i = 0; i < p.n_pursuers; ++i)
    disc(s.pursuer_x[i], s.pursuer_y[i], 0.42f, palette::blue, std::to_string(i + 1));
  d.text = {"evaders at large " + std::to_string(popcount(s.at_large)) + " of " + std::to_string(p.n_evaders)};
}

}  // namespace shoal
