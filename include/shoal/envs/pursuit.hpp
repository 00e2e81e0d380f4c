// Pursuit's state and step; its rules in words, parameters and shapes: pursuit_rules.hpp.
#pragma once

#include "shoal/core/bits.hpp"
#include "shoal/envs/pursuit_drawing.hpp"
#include "shoal/envs/pursuit_rules.hpp"

namespace shoal {

/// Pursuit with room for so many pursuers and evaders, and such a window. The room does not show in a trajectory.
template <int Pursuers, int Evaders, int Range>
struct PursuitOf : PursuitRules {
  SHOAL_FN static bool fits(Params const& p) {
    return p.n_pursuers <= Pursuers && p.n_evaders <= Evaders && p.obs_range <= Range;
  }

  struct State {
    std::uint64_t at_large;  // bit e: evader e has not been captured
    float team_return;
    std::int32_t cycle;
    std::uint8_t pursuer_x[Pursuers], pursuer_y[Pursuers];
    std::uint8_t evader_x[Evaders], evader_y[Evaders];
    /// Profile paper: what each cell of a pursuer's window has shown last, pursuers and evaders. Never cleared.
    std::uint8_t seen[Pursuers][2][Range * Range];
  };

  struct Scratch {
    std::uint8_t captured[Evaders];
  };

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes, Random random) {
    if (p.profile == Profile::v5)
      team.once([&] { place_apart(p, s, random); });
    else
      team.each(p.n_pursuers + p.n_evaders, [&](int i) { set(p, s, i, free_cell(p, random, i)); });
    team.once([&] {
      s.at_large = p.n_evaders == 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << p.n_evaders) - 1;
      s.team_return = 0;
      s.cycle = 0;
    });
    if (p.profile == Profile::v5) return;
    if (random.episode <= 1)  // the first episode; later ones see what earlier ones have left
      team.each(p.n_pursuers, 2 * Range * Range, [&](int i, int k) { s.seen[i][k % 2][k / 2] = 0; });
    look_around(team, p, s);
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch& w, Actions actions, Rewards rewards,
                             Random random) {
    return cycle(team, p, s, w, actions, rewards, [&](int evader) {
      return p.freeze_evaders ? 4 : one_of(random.draw(Purposes::moves, std::uint32_t(evader)).w[0], 5);
    });
  }

  /// A step whose evaders move as told. @param evader_action  of evader e; called for those that have not been captured
  template <class Team, class EvaderAction>
  SHOAL_FN static Ended cycle(Team team, Params const& p, State& s, Scratch& w, Actions actions, Rewards rewards,
                              EvaderAction evader_action) {
    bool const v5 = p.profile == Profile::v5;
    move_pursuers(team, p, s, actions, rewards);
    if (!v5) {
      move_evaders(team, p, s, evader_action);
      look_around(team, p, s);
    }
    capture(team, p, s, w, rewards);
    if (v5) move_evaders(team, p, s, evader_action);
    float const total = team.sum(p.n_pursuers, [&](int i) { return rewards(i); });
    if (p.shared_reward) team.each(p.n_pursuers, [&](int i) { rewards(i) = total / float(p.n_pursuers); });
    team.once([&] {
      s.team_return += total;
      ++s.cycle;
    });
    if (!v5) return s.at_large == 0 || s.cycle > p.max_cycles ? Ended::terminated : Ended::no;
    if (s.cycle >= p.max_cycles) return Ended::truncated;
    return s.at_large == 0 ? Ended::terminated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    int const cells = p.obs_range * p.obs_range;
    if (p.profile == Profile::v5) {
      team.each(p.n_pursuers, [&](int i) { count_around(p, s, i, &out.own(i, 0)); });
      return;
    }
    team.each(p.n_pursuers, cells, [&](int i, int k) {
      auto const c = window_cell(p, s, i, k / p.obs_range, k % p.obs_range);
      bool const there = inside(p, c);
      out.own(i, k) = !there || is_wall(p, c) ? 0.1f : 0.0f;
      for (int channel = 0; channel < 2; ++channel)
        out.own(i, (channel + 1) * cells + k) = there || p.stale ? float(s.seen[i][channel][k]) / 10.0f : 0.0f;
    });
    team.each(p.n_pursuers, [&](int i) { out.own(i, channels * cells) = float(i) / float(p.n_pursuers); });
  }

  template <class Team>
  SHOAL_FN static void observe_state(Team team, Params const& p, State const& s, GlobalState out) {
    team.each(p.n_pursuers, [&](int i) { put_place(p, pursuer(s, i), &out(2 * i)); });
    team.each(p.n_evaders, [&](int e) {
      int const at = 2 * p.n_pursuers + 3 * e;
      if (!is_at_large(s, e)) return;
      put_place(p, evader(s, e), &out(at));
      out(at + 2) = 1;
    });
    team.once([&] { out(2 * p.n_pursuers + 3 * p.n_evaders) = float(s.cycle) / float(p.max_cycles); });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    team.once([&] {
      out(0) = s.team_return;
      out(1) = float(p.n_evaders - popcount(s.at_large));
    });
  }

  static void draw(Params const& p, State const& s, Drawing& d) { draw_pursuit(p, s, d); }

 private:
  SHOAL_FN static Cell pursuer(State const& s, int i) { return {s.pursuer_x[i], s.pursuer_y[i]}; }
  SHOAL_FN static Cell evader(State const& s, int e) { return {s.evader_x[e], s.evader_y[e]}; }
  SHOAL_FN static void put_place(Params const& p, Cell c, float* out) {
    out[0] = float(c.x) / float(p.x_size);
    out[1] = float(c.y) / float(p.y_size);
  }
  SHOAL_FN static bool is_at_large(State const& s, int e) { return s.at_large >> e & 1; }

  /// Pursuers come first, then evaders.
  SHOAL_FN static void set(Params const& p, State& s, int i, Cell c) {
    bool const pursues = i < p.n_pursuers;
    int const k = pursues ? i : i - p.n_pursuers;
    (pursues ? s.pursuer_x : s.evader_x)[k] = std::uint8_t(c.x);
    (pursues ? s.pursuer_y : s.evader_y)[k] = std::uint8_t(c.y);
  }

  SHOAL_FN static Cell free_cell(Params const& p, Random random, int i) {
    for (std::uint32_t attempt = 0;; ++attempt) {
      auto const draw = random.draw(Purposes::places, attempt * (max_pursuers + max_evaders) + std::uint32_t(i));
      Cell const c{one_of(draw.w[0], p.x_size), one_of(draw.w[1], p.y_size)};
      if (!is_wall(p, c)) return c;
    }
  }

  /// One after another within the window; none beside or on one of its own side.
  SHOAL_FN static void place_apart(Params const& p, State& s, Random random) {
    auto const begin = random.draw(Purposes::window);
    float const left = begin.unit(0) * (1 - p.constraint_window), low = begin.unit(1) * (1 - p.constraint_window);
    Cell const from{int(float(p.x_size) * left), int(float(p.y_size) * low)};
    Cell const size{int(float(p.x_size) * (left + p.constraint_window)) - from.x,
                    int(float(p.y_size) * (low + p.constraint_window)) - from.y};
    constexpr int patience = 10000;
    for (int i = 0; i < p.n_pursuers + p.n_evaders; ++i)
      for (int attempt = 0;; ++attempt) {
        auto const draw = random.draw(Purposes::places, std::uint32_t(attempt * (max_pursuers + max_evaders) + i));
        Cell const c{from.x + one_of(draw.w[0], size.x), from.y + one_of(draw.w[1], size.y)};
        if (is_wall(p, c) || (attempt < patience && is_close(p, s, i, c))) continue;
        set(p, s, i, c);
        break;
      }
  }

  /// Whether one of the same side that was placed before is on or beside the cell.
  SHOAL_FN static bool is_close(Params const& p, State const& s, int i, Cell c) {
    bool close = false;
    for (int j = i < p.n_pursuers ? 0 : p.n_pursuers; j < i; ++j) {
      auto const other = j < p.n_pursuers ? pursuer(s, j) : evader(s, j - p.n_pursuers);
      close |= distance(other, c) <= 1;
    }
    return close;
  }

  /// Evaders on the four cells beside `c`. One beside the grid counts as the cell of the grid that is nearest, which is
  /// `c`.
  SHOAL_FN static int tags(Params const& p, State const& s, Cell c) {
    int const beyond = (c.x == 0) + (c.x == p.x_size - 1) + (c.y == 0) + (c.y == p.y_size - 1);
    int count = 0;
    for (int e = 0; e < p.n_evaders; ++e) {
      int const far = distance(evader(s, e), c);
      count += is_at_large(s, e) * ((far == 1) + (far == 0) * beyond);
    }
    return count;
  }

  /// Moves, and pays tags: v5 in each pursuer's turn, when those up to it have moved; paper before anyone moves.
  template <class Team>
  SHOAL_FN static void move_pursuers(Team team, Params const& p, State& s, Actions actions, Rewards rewards) {
    team.each(p.n_pursuers, [&](int i) {
      auto const from = pursuer(s, i), to = moved(p, from, actions.discrete(i, 0));
      int const before = tags(p, s, from);
      set(p, s, i, to);
      if (p.profile == Profile::v5)
        rewards(i) = p.tag_reward * float(i * before + (p.n_pursuers - i) * tags(p, s, to)) / float(p.n_pursuers) +
                     p.urgency_reward;
      else
        rewards(i) = p.tag_reward * float(before) + p.urgency_reward;
    });
  }

  template <class Team, class EvaderAction>
  SHOAL_FN static void move_evaders(Team team, Params const& p, State& s, EvaderAction action) {
    team.each(p.n_evaders, [&](int e) {
      if (!is_at_large(s, e)) return;
      auto const to = moved(p, evader(s, e), action(e));
      s.evader_x[e] = std::uint8_t(to.x);
      s.evader_y[e] = std::uint8_t(to.y);
    });
  }

  template <class Team>
  SHOAL_FN static void capture(Team team, Params const& p, State& s, Scratch& w, Rewards rewards) {
    team.each(p.n_evaders, [&](int e) { w.captured[e] = is_at_large(s, e) && is_captured(p, s, evader(s, e)); });
    team.each(p.n_pursuers, [&](int i) {
      bool takes_part = false;
      for (int e = 0; e < p.n_evaders; ++e)
        takes_part |= w.captured[e] && distance(evader(s, e), pursuer(s, i)) == (p.surround ? 1 : 0);
      if (takes_part) rewards(i) += p.catch_reward;
    });
    team.once([&] {
      for (int e = 0; e < p.n_evaders; ++e)
        if (w.captured[e]) s.at_large &= ~(std::uint64_t(1) << e);
    });
  }

  SHOAL_FN static bool is_captured(Params const& p, State const& s, Cell c) {
    if (!p.surround) return pursuers_on(p, s, c) >= p.n_catch;
    int free = 0, taken = 0;
    for (int side = 0; side < 4; ++side) {
      auto const next = beside(c, side);
      if (!inside(p, next) || is_wall(p, next)) continue;
      ++free;
      taken += pursuers_on(p, s, next) > 0;
    }
    return taken == free;
  }

  SHOAL_FN static int pursuers_on(Params const& p, State const& s, Cell c) {
    int count = 0;
    for (int i = 0; i < p.n_pursuers; ++i) count += s.pursuer_x[i] == c.x && s.pursuer_y[i] == c.y;
    return count;
  }

  SHOAL_FN static Cell window_cell(Params const& p, State const& s, int i, int column, int row) {
    int const half = p.obs_range / 2;
    return {s.pursuer_x[i] - half + column, s.pursuer_y[i] - half + row};
  }

  /// Where `c` lies in the window of pursuer i: f(column, row), if it does.
  template <class F>
  SHOAL_FN static void within(Params const& p, State const& s, int i, Cell c, F f) {
    int const half = p.obs_range / 2;
    int const column = c.x - s.pursuer_x[i] + half, row = c.y - s.pursuer_y[i] + half;
    if (std::uint32_t(column) < std::uint32_t(p.obs_range) && std::uint32_t(row) < std::uint32_t(p.obs_range))
      f(column, row);
  }

  /// Profile v5: [row][column][channel].
  SHOAL_FN static void count_around(Params const& p, State const& s, int i, float* row) {
    for (int k = 0; k < p.obs_range * p.obs_range; ++k) {
      auto const c = window_cell(p, s, i, k % p.obs_range, k / p.obs_range);
      row[channels * k] = !inside(p, c) || is_wall(p, c) ? 1.0f : 0.0f;
      row[channels * k + 1] = row[channels * k + 2] = 0;
    }
    auto const add = [&](Cell c, int channel) {
      within(p, s, i, c, [&](int x, int y) { row[channels * (y * p.obs_range + x) + channel] += 1; });
    };
    for (int j = 0; j < p.n_pursuers; ++j) add(pursuer(s, j), 1);
    for (int e = 0; e < p.n_evaders; ++e)
      if (is_at_large(s, e)) add(evader(s, e), 2);
  }

  /// Profile paper: counts afresh what lies inside the grid; the rest of a window keeps what it showed.
  template <class Team>
  SHOAL_FN static void look_around(Team team, Params const& p, State& s) {
    team.each(p.n_pursuers, [&](int i) {
      for (int k = 0; k < p.obs_range * p.obs_range; ++k)
        if (inside(p, window_cell(p, s, i, k / p.obs_range, k % p.obs_range))) s.seen[i][0][k] = s.seen[i][1][k] = 0;
      auto const add = [&](Cell c, int channel) {
        within(p, s, i, c, [&](int x, int y) { ++s.seen[i][channel][x * p.obs_range + y]; });
      };
      for (int j = 0; j < p.n_pursuers; ++j) add(pursuer(s, j), 0);
      for (int e = 0; e < p.n_evaders; ++e)
        if (is_at_large(s, e)) add(evader(s, e), 1);
    });
  }
};

/// As the registry knows it; most runs fit into the smaller one.
struct Pursuit : PursuitOf<PursuitRules::max_pursuers, PursuitRules::max_evaders, PursuitRules::max_range> {
  using Smaller = PursuitOf<8, 32, 7>;
};

}  // namespace shoal
