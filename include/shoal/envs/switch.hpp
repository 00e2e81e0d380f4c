// Switch: two to four agents change sides through a corridor that is one cell wide.
//
// Rules: ma-gym (after Sunehag et al., "Value-Decomposition Networks", 2017, section 4.2), in two profiles
// (docs/checkers-switch.md).
//   new   ma-gym of 2024: an agent that has reached its goal is dead: it earns 0 and blocks the cell
//   old   ma-gym of 2019, which MATRL's results are from: it earns step_cost until all are there, so it lives; and with
//         less than four agents the starts of those missing stay blocked
// Agents move in the order of their numbers and see the moves already made. Nothing is random. Differs: max_steps
// truncates.
//
//   action       [agents, 1] i32            0 down (row + 1), 1 left, 2 up, 3 right, 4 stay
//   observation  [agents, 2, 3 with clock]  row / 2, column / 6, rounded to 2 decimals, step / max_steps; nothing about others
//                full: all agents' observations one after the other
//   state        [3 agents + 1]             each agent's row / 2, column / 6, whether it has arrived; step / max_steps
//   reward       [agents]                   step_cost; exactly 5 on arrival
//   best return  new: 8.3 (2 agents), 16.1 (4); old: 7.8 (2), 11.1 (3), 14.4 (4); summed over agents, default Params
#pragma once

#include <cstdint>

#include "shoal/core/bits.hpp"
#include "shoal/env/contract.hpp"
#include "shoal/env/drawing.hpp"
#include "shoal/envs/grid.hpp"

namespace shoal {

struct Switch {
  static constexpr char const* name = "switch";
  static constexpr char const* summary = "two to four agents change sides through a narrow corridor (ma-gym)";
  static constexpr int lanes = 2;
  static constexpr bool writes_every_cell = true;

  static constexpr int max_agents = 4, rows = 3, columns = 7;
  enum class Profile { latest, old };

  struct Params {
    Profile profile = Profile::latest;
    int n_agents = 2;
    float step_cost = -0.1f;
    int max_steps = 50;
    bool clock = false, full = false;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("profile", p.profile, Choices{"new", "old"}, "ma-gym's rules of 2024, or those of 2019");
      visit("n_agents", p.n_agents, Range{2, max_agents}, "agents");
      visit("step_cost", p.step_cost, Range{-1e6, 1e6}, "reward of a step before the arrival");
      visit("max_steps", p.max_steps, Range{1, 65535}, "steps after which an episode is truncated");
      visit("clock", p.clock, "observations end with step / max_steps; profile new only");
      visit("full", p.full, "every agent observes what all observe");
    }
  };

  struct State {
    float team_return;
    std::uint16_t step;
    std::uint8_t arrived;                       // bit i: agent i is on its goal
    std::uint8_t x[max_agents], y[max_agents];  // column, row
  };

  struct Scratch {};

  static void prepare(Params& p) {
    if (p.clock && p.profile == Profile::old)
      throw SettingError("clock", " = true: profile \"old\" has no clock, expected false");
  }

  static Settings with_agents(int n) {
    if (n < 2 || n > max_agents)
      throw SettingError("n_agents", " = " + std::to_string(n) + ": expected 2 to " + std::to_string(max_agents));
    return {{"n_agents", std::int64_t(n)}};
  }

  static Spec spec(Params const& p) {
    Spec spec{.groups = {{.agents = p.n_agents, .observation = width(p) * (p.full ? p.n_agents : 1)}}};
    spec.groups[0].discrete = {{"move", 5}};
    spec.state = 3 * p.n_agents + 1;
    spec.may_truncate = true;
    spec.max_episode_steps = p.max_steps;
    spec.supertypes = {{"agent", {}}};
    spec.supertype_of.assign(std::size_t(p.n_agents), 0);
    spec.metrics = {"team_return", "arrived"};
    return spec;
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes, Random) {
    team.once([&] {
      s = {};
      for (int i = 0; i < p.n_agents; ++i) {
        s.x[i] = std::uint8_t(start(i).x);
        s.y[i] = std::uint8_t(start(i).y);
      }
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch&, Actions actions, Rewards rewards, Random) {
    team.once([&] {
      for (int i = 0; i < p.n_agents; ++i) {
        bool const there = s.arrived >> i & 1;
        rewards(i) = there && p.profile == Profile::latest ? 0.0f : p.step_cost;
        if (!there && arrives(p, s, i, actions.discrete(i, 0))) rewards(i) = 5;
        s.team_return += rewards(i);
      }
      ++s.step;
    });
    if (s.arrived == (1 << p.n_agents) - 1) return Ended::terminated;
    return s.step >= p.max_steps ? Ended::truncated : Ended::no;
  }

  SHOAL_FN static bool alive(Params const& p, State const& s, int agent) {
    return p.profile == Profile::old || !(s.arrived >> agent & 1);
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    team.each(p.n_agents, p.full ? p.n_agents : 1,
              [&](int i, int part) { describe(p, s, p.full ? part : i, &out.own(i, part * width(p))); });
  }

  template <class Team>
  SHOAL_FN static void observe_state(Team team, Params const& p, State const& s, GlobalState out) {
    team.each(p.n_agents, [&](int i) {
      out(3 * i) = float(s.y[i]) / float(rows - 1);
      out(3 * i + 1) = float(s.x[i]) / float(columns - 1);
      out(3 * i + 2) = float(s.arrived >> i & 1);
    });
    team.once([&] { out(3 * p.n_agents) = float(s.step) / float(p.max_steps); });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const&, State const& s, Scratch&, Metrics out) {
    team.once([&] {
      out(0) = s.team_return;
      out(1) = float(popcount(s.arrived));
    });
  }

  /// A goal has its agent's color. Walls are dark, as are starts that missing agents block.
  static void draw(Params const& p, State const& s, Drawing& d) {
    d.width = columns, d.height = rows;
    d.cells.fill(columns, rows, palette::floor);
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x)
        if (is_wall({x, y})) d.cells.at(x, y) = palette::wall;
    if (p.profile == Profile::old)
      for (int i = p.n_agents; i < max_agents; ++i) d.cells.at(start(i).x, start(i).y) = palette::wall;
    for (int i = 0; i < p.n_agents; ++i) {
      auto const color = palette::agent(i);
      d.cells.at(goal(i).x, goal(i).y) = mix(palette::floor, color, 0.35f);
      d.discs.push_back({s.x[i] + 0.5f, s.y[i] + 0.5f, 0.4f, color, std::to_string(i + 1)});
    }
    d.text = {"arrived " + std::to_string(popcount(s.arrived)) + " of " + std::to_string(p.n_agents)};
  }

 private:
  SHOAL_FN static int width(Params const& p) { return p.clock ? 3 : 2; }

  /// Agents 0 and 2 begin on the left, 1 and 3 on the right; the goals are the corners of the other side.
  SHOAL_FN static Cell start(int i) { return {i % 2 ? 5 : 1, i / 2 * 2}; }
  SHOAL_FN static Cell goal(int i) { return {i % 2 ? 0 : 6, i / 2 * 2}; }

  SHOAL_FN static bool is_wall(Cell c) { return c.y != 1 && c.x >= 2 && c.x <= 4; }

  SHOAL_FN static bool is_taken(Params const& p, State const& s, Cell c) {
    bool taken = false;
    for (int i = 0; i < p.n_agents; ++i) taken |= s.x[i] == c.x && s.y[i] == c.y;
    if (p.profile == Profile::old)
      for (int i = p.n_agents; i < max_agents; ++i) taken |= start(i).x == c.x && start(i).y == c.y;
    return taken;
  }

  SHOAL_FN static bool arrives(Params const& p, State& s, int i, int action) {
    Cell const to = ma_gym_move({s.x[i], s.y[i]}, action);
    if (inside(to, columns, rows) && !is_wall(to) && !is_taken(p, s, to)) {
      s.x[i] = std::uint8_t(to.x);
      s.y[i] = std::uint8_t(to.y);
    }
    bool const there = s.x[i] == goal(i).x && s.y[i] == goal(i).y;
    s.arrived = std::uint8_t(s.arrived | int(there) << i);
    return there;
  }

  SHOAL_FN static void describe(Params const& p, State const& s, int i, float* out) {
    out[0] = float(s.y[i]) / 2.0f;
    out[1] = in_hundredths(s.x[i], columns - 1);
    if (p.clock) out[2] = float(s.step) / float(p.max_steps);
  }
};

}  // namespace shoal
