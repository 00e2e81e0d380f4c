// Checkers: two agents eat apples and lemons from a board; the first agent's count five to ten times as much.
//
// Rules: ma-gym (after Sunehag et al., "Value-Decomposition Networks", 2017, section 4.2), in two profiles
// (docs/checkers-switch.md).
//   new   ma-gym of 2024: an apple is worth 10 to agent 1 and a lemon -10; cells are observed as five flags
//   old   ma-gym of 2019, which MATRL's results are from: 5 and -5; cells are observed as one code, agents look alike
// To agent 2 an apple is worth 1 and a lemon -1. Agent 1 moves first; one cannot enter the other's cell. The board is 3
// x 8: columns 0 to 5 hold apples and lemons in turn, the agents begin in column 6. Nothing is random. Differs:
// max_steps truncates.
//
//   action       [2, 1] i32        0 down (row + 1), 1 left, 2 up, 3 right, 4 stay
//   observation  new: [2, 47]      row / 3, column / 7, rounded to 2 decimals; then for the 3 x 3 cells around, row by row, flags
//                                  lemon, apple, agent 1, agent 2, wall (never)
//                old: [2, 11]      row / 3, column / 7; then the cells' codes: 0 empty or outside, 1 lemon, 2 apple, 3 an agent
//                clock (new): step / max_steps behind them; full: both agents' observations one after the other
//   state        [53]              each agent's row and column, where apples are, where lemons are, step / max_steps
//   reward       [2]               step_cost, and what was eaten
//   best return  86.26 (new), 41.26 (old), summed over both, default Params
#pragma once

#include <cstdint>

#include "shoal/core/bits.hpp"
#include "shoal/env/contract.hpp"
#include "shoal/env/drawing.hpp"
#include "shoal/envs/grid.hpp"

namespace shoal {

struct Checkers {
  static constexpr char const* name = "checkers";
  static constexpr char const* summary = "two agents with different tastes eat from one board (ma-gym)";
  static constexpr int lanes = 2;
  static constexpr bool writes_every_cell = true;

  static constexpr int agents = 2, rows = 3, columns = 8, cells = rows * columns, around = 9, flags = 5;
  enum class Profile { latest, old };
  enum Food { lemon, apple };

  struct Params {
    Profile profile = Profile::latest;
    float step_cost = -0.01f;
    int max_steps = 100;
    bool clock = false, full = false;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("profile", p.profile, Choices{"new", "old"}, "ma-gym's rules of 2024, or those of 2019");
      visit("step_cost", p.step_cost, Range{-1e6, 1e6}, "reward of every agent and step");
      visit("max_steps", p.max_steps, Range{1, 65535}, "steps after which an episode is truncated");
      visit("clock", p.clock, "observations end with step / max_steps; profile new only");
      visit("full", p.full, "every agent observes what all observe");
    }
  };

  struct State {
    std::uint32_t food[2];  // lemons, apples: bit row * columns + column
    float team_return;
    std::uint16_t step;
    std::uint8_t x[agents], y[agents];  // column, row
  };

  struct Scratch {};

  static void prepare(Params& p) {
    if (p.clock && p.profile == Profile::old)
      throw SettingError("clock", " = true: profile \"old\" has no clock, expected false");
  }

  static Spec spec(Params const& p) {
    Spec spec{.groups = {{.agents = agents, .observation = width(p) * (p.full ? agents : 1)}}};
    spec.groups[0].discrete = {{"move", 5}};
    spec.state = 2 * agents + 2 * cells + 1;
    spec.may_truncate = true;
    spec.max_episode_steps = p.max_steps;
    spec.supertypes = {{"sensitive", {}}, {"other", {}}};
    spec.supertype_of = {0, 1};
    spec.metrics = {"team_return", "apples_left", "lemons_left"};
    return spec;
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const&, State& s, Scratch&, Supertypes, Random) {
    team.once([&] {
      s = {};
      for (int row = 0; row < rows; ++row)
        for (int column = 0; column < 6; ++column)
          s.food[(row + column) % 2 == 0 ? apple : lemon] |= bit({column, row});
      for (int i = 0; i < agents; ++i) s.x[i] = 6, s.y[i] = std::uint8_t(2 * i);
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch&, Actions actions, Rewards rewards, Random) {
    team.once([&] {
      float const worth[agents] = {p.profile == Profile::old ? 5.0f : 10.0f, 1};
      for (int i = 0; i < agents; ++i) {
        rewards(i) = p.step_cost + worth[i] * float(move(s, i, actions.discrete(i, 0)));
        s.team_return += rewards(i);
      }
      ++s.step;
    });
    if (s.food[apple] == 0) return Ended::terminated;
    return s.step >= p.max_steps ? Ended::truncated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    int const parts = p.full ? agents : 1;
    team.each(agents, parts, [&](int i, int part) {
      int const seer = p.full ? part : i, at = part * width(p);
      describe(p, s, seer, &out.own(i, at));
    });
  }

  template <class Team>
  SHOAL_FN static void observe_state(Team team, Params const& p, State const& s, GlobalState out) {
    team.each(agents, [&](int i) {
      out(2 * i) = float(s.y[i]) / float(rows - 1);
      out(2 * i + 1) = float(s.x[i]) / float(columns - 1);
    });
    team.each(2, cells, [&](int kind, int cell) {
      out(2 * agents + kind * cells + cell) = float(s.food[kind == 0 ? apple : lemon] >> cell & 1);
    });
    team.once([&] { out(2 * agents + 2 * cells) = float(s.step) / float(p.max_steps); });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const&, State const& s, Scratch&, Metrics out) {
    team.once([&] {
      out(0) = s.team_return;
      out(1) = float(popcount(s.food[apple]));
      out(2) = float(popcount(s.food[lemon]));
    });
  }

  static void draw(Params const&, State const& s, Drawing& d) {
    d.width = columns, d.height = rows;
    d.cells.fill(columns, rows, palette::floor);
    auto const disc = [&](int x, int y, float radius, Color color, std::string const& label) {
      d.discs.push_back({float(x) + 0.5f, float(y) + 0.5f, radius, color, label});
    };
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x) {
        if (s.food[apple] & bit({x, y})) disc(x, y, 0.24f, palette::green, "a");
        if (s.food[lemon] & bit({x, y})) disc(x, y, 0.24f, palette::yellow, "l");
      }
    for (int i = 0; i < agents; ++i) disc(s.x[i], s.y[i], 0.4f, palette::agent(i), std::to_string(i + 1));
    d.text = {"apples " + std::to_string(popcount(s.food[apple])) + "  lemons " +
              std::to_string(popcount(s.food[lemon]))};
  }

 private:
  /// Of one agent's own observation.
  SHOAL_FN static int width(Params const& p) {
    return 2 + (p.profile == Profile::old ? around : around * flags) + (p.clock ? 1 : 0);
  }

  SHOAL_FN static std::uint32_t bit(Cell c) { return 1u << (c.y * columns + c.x); }

  /// @return what was eaten: 1 an apple, -1 a lemon, else 0
  SHOAL_FN static int move(State& s, int i, int action) {
    Cell const from{s.x[i], s.y[i]};
    Cell const to = ma_gym_move(from, action);
    int const other = 1 - i;
    if (action < 0 || action > 3 || !inside(to, columns, rows) || (s.x[other] == to.x && s.y[other] == to.y)) return 0;
    s.x[i] = std::uint8_t(to.x);
    s.y[i] = std::uint8_t(to.y);
    int const eaten = (s.food[apple] & bit(to)) ? 1 : (s.food[lemon] & bit(to)) ? -1 : 0;
    for (auto& food : s.food) food &= ~bit(to);
    return eaten;
  }

  /// Of a board's bits, the nine around a cell, row by row; 0 outside the board.
  SHOAL_FN static std::uint32_t window(std::uint32_t board, Cell at) {
    std::uint32_t bits = 0;
    for (int row = 0; row < 3; ++row) {
      int const y = at.y + row - 1;
      std::uint32_t const cells_of_row = y < 0 || y >= rows ? 0 : board >> (y * columns) & ((1u << columns) - 1);
      bits |= (cells_of_row << 1 >> at.x & 7) << (3 * row);
    }
    return bits;
  }

  SHOAL_FN static void describe(Params const& p, State const& s, int i, float* out) {
    *out++ = in_hundredths(s.y[i], rows);
    *out++ = in_hundredths(s.x[i], columns - 1);
    Cell const at{s.x[i], s.y[i]};
    std::uint32_t const windows[] = {window(s.food[lemon], at), window(s.food[apple], at),
                                     window(bit({s.x[0], s.y[0]}), at), window(bit({s.x[1], s.y[1]}), at)};
    if (p.profile == Profile::old) {
      for (int k = 0; k < around; ++k) {
        auto const is = [&](int what) { return (windows[what] >> k & 1) != 0; };
        *out++ = is(2) || is(3) ? 3.0f : is(1) ? 2.0f : is(0) ? 1.0f : 0.0f;
      }
    } else {
      for (int k = 0; k < around; ++k, out += flags) {
        for (int what = 0; what < 4; ++what) out[what] = float(windows[what] >> k & 1);
        out[4] = 0;
      }
    }
    if (p.clock) *out = float(s.step) / float(p.max_steps);
  }
};

}  // namespace shoal
