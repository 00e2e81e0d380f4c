// What a person sees of a matrix game.
#pragma once

#include <string>

#include "shoal/env/drawing.hpp"

namespace shoal {

namespace detail {

/// A player's row: its last actions, the latest on the right; a bar of how often it has taken each; payoff a round;
/// altruism.
template <class Params, class State>
void draw_player(Params const& p, State const& s, Drawing& d, int i) {
  float const y = float(i) + 1.5f;
  d.labels.push_back({0.25f, y, "player " + std::to_string(i + 1)});
  for (int k = 0; k < p.memory && std::uint32_t(k) < s.round; ++k) {
    int const action = s.history[(s.round - 1 - std::uint32_t(k)) % std::uint32_t(p.memory)][i];
    d.discs.push_back({8.5f - float(k), y, 0.42f, palette::agent(action), std::to_string(action + 1)});
  }
  float const rounds = s.round > 0 ? float(s.round) : 1.0f;
  float x = 10;
  for (int a = 0; a < p.actions.items[i]; ++a) {
    float const end = x + 10 * float(s.chosen[i][a]) / rounds;
    if (s.chosen[i][a] > 0) d.lines.push_back({x, y, end, y, 0.6f, mix(palette::paper, palette::agent(a), 0.7f)});
    x = end;
  }
  d.labels.push_back({20.5f, y, number_text(s.payoff[i] / rounds, 2, 6)});
  d.labels.push_back({24.5f, y, number_text(s.altruism[i], 2, 8)});
}

/// Two players' payoffs; a row is an action of player 1. The last joint action is marked.
template <class Params, class State>
void draw_payoffs(Params const& p, State const& s, Drawing& d) {
  constexpr float left = 5, column = 5.5f;
  int const rows = p.actions.items[0], columns = p.actions.items[1];
  float const top = d.height + 1;
  bool const known = p.memory > 0 && s.round > 0;
  auto const* const latest = s.history[known ? (s.round - 1) % std::uint32_t(p.memory) : 0];
  d.height = top + float(rows) + 1;
  d.labels.push_back({0.25f, top + 0.5f, "payoffs"});
  for (int b = 0; b < columns; ++b)
    d.labels.push_back({left + column * float(b), top + 0.5f, "action " + std::to_string(b + 1)});
  for (int a = 0; a < rows; ++a) {
    float const y = top + float(a) + 1.5f;
    d.labels.push_back({0.25f, y, "action " + std::to_string(a + 1)});
    for (int b = 0; b < columns; ++b) {
      float const x = left + column * float(b);
      auto const* const payoff = p.payoffs.items + (a * columns + b) * 2;
      if (known && latest[0] == a && latest[1] == b)
        d.lines.push_back({x - 0.5f, y, x + column - 1, y, 0.9f, mix(palette::paper, palette::yellow, 0.7f)});
      d.labels.push_back({x, y, number_text(payoff[0], 1) + ", " + number_text(payoff[1], 1)});
    }
  }
  d.text = {"payoffs: rows are player 1's actions, columns player 2's"};
}

}  // namespace detail

/// A row for each player; for two players with few actions also the payoffs. Actions are numbered from 1, as in the
/// metrics' names.
/// @param p, s  of matrix_game.hpp
template <class Params, class State>
void draw_matrix_game(Params const& p, State const& s, Drawing& d) {
  d.width = 29, d.height = float(p.players) + 1;
  d.labels = {{0.25f, 0.5f, "player"},
              {6, 0.5f, "latest"},
              {10, 0.5f, "actions taken"},
              {20.5f, 0.5f, "payoff"},
              {24.5f, 0.5f, "altruism"}};
  for (int i = 0; i < p.players; ++i) detail::draw_player(p, s, d, i);
  if (p.players == 2 && p.most_actions <= 4) detail::draw_payoffs(p, s, d);
}

}  // namespace shoal
