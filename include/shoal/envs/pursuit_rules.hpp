// Pursuit: pursuers surround randomly walking evaders on a grid with one solid block.
//
// Rules: PettingZoo SISL pursuit (Gupta et al., 2017; Terry et al., 2021), in two profiles (docs/pursuit.md).
//   v5     PettingZoo's pursuit_v5 (rules of pursuit_v4). Pursuers move in turn, and tags are paid turn by turn. A capture is tested
//          before evaders move. max_cycles truncates.
//   paper  the environment of "Revisiting Parameter Sharing" (Terry et al.): all pursuers move at once, tags are paid on the
//          positions before, captures are tested after evaders have moved. Rewards are local, without urgency. The time limit
//          terminates, after max_cycles + 1 cycles.
// Differs: random numbers; a pursuer that finds no place by v5's distance rule within 10,000 draws is placed without
// it.
//
//   action       [pursuers, 1] i32   0 left (x - 1), 1 right (x + 1), 2 up (y + 1), 3 down (y - 1), 4 stay
//   observation  v5: [pursuers, range * range * 3] counts of walls, pursuers, evaders, cells row by row (y, then x, then channel)
//                paper: [pursuers, 3 * range * range + 1] counts / 10, channel by channel (x, then y), then index / pursuers
//   state        [2 pursuers + 3 evaders + 1]  x / x_size, y / y_size of each pursuer; of each evader, with 1 behind
//                them, 0 throughout once it is captured; cycle / max_cycles
//   reward       [pursuers]          tag_reward for each evader beside one, catch_reward for a capture, urgency_reward a cycle
//   end          no evader is left (terminated), or the time limit
#pragma once

#include <cstdint>

#include "shoal/env/contract.hpp"
#include "shoal/envs/grid.hpp"

namespace shoal {

/// The rules that do not depend on how much there is room for.
struct PursuitRules {
  static constexpr char const* name = "pursuit";
  static constexpr char const* summary = "pursuers surround randomly walking evaders on a grid (PettingZoo SISL)";
  static constexpr int lanes = 8;
  static constexpr bool writes_every_cell = true;

  struct Purposes {
    static constexpr Purpose moves = environment_purpose(0);   // of evaders
    static constexpr Purpose places = environment_purpose(1);  // where all begin
    static constexpr Purpose window = environment_purpose(2);  // that they begin in
  };

  static constexpr int max_pursuers = 32, max_evaders = 64, max_range = 11, max_size = 32, channels = 3;
  enum class Profile { v5, paper };

  struct Params {
    Profile profile = Profile::v5;
    int x_size = 16, y_size = 16;
    int n_pursuers = 8, n_evaders = 30;
    int obs_range = 7;
    bool surround = true;
    int n_catch = 2;
    bool freeze_evaders = false;
    float tag_reward = 0.01f, catch_reward = 5, urgency_reward = -0.1f;
    bool shared_reward = true;
    float constraint_window = 1;
    int max_cycles = 500;
    bool stale = true;

    // Derived by prepare(): bit y of walls[x].
    std::uint32_t walls[max_size] = {};

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("profile", p.profile, Choices{"v5", "paper"},
            "whose rules: PettingZoo's, or those of the parameter-sharing paper, whose defaults are urgency_reward = 0 "
            "and "
            "shared_reward = false");
      visit("x_size", p.x_size, Range{4, max_size}, "columns of the grid");
      visit("y_size", p.y_size, Range{4, max_size}, "rows of the grid");
      visit("n_pursuers", p.n_pursuers, Range{1, max_pursuers}, "agents");
      visit("n_evaders", p.n_evaders, Range{1, max_evaders}, "evaders at the start; they walk at random");
      visit("obs_range", p.obs_range, Range{1, max_range}, "side of the square that a pursuer sees, odd");
      visit("surround", p.surround,
            "an evader is captured when pursuers stand on all its free sides; false: when n_catch stand on its cell");
      visit("n_catch", p.n_catch, Range{1, max_pursuers}, "pursuers that capture an evader, where surround = false");
      visit("freeze_evaders", p.freeze_evaders, "evaders stay where they are");
      visit("tag_reward", p.tag_reward, Range{-1e6, 1e6}, "for each evader on a cell beside the pursuer, a cycle");
      visit("catch_reward", p.catch_reward, Range{-1e6, 1e6}, "for each pursuer that takes part in a capture, a cycle");
      visit("urgency_reward", p.urgency_reward, Range{-1e6, 1e6}, "for each pursuer, a cycle");
      visit("shared_reward", p.shared_reward, "each pursuer gets the mean reward of all");
      visit("constraint_window", p.constraint_window, Range{0.1, 1},
            "profile v5: all begin in a window of this share of each side, drawn anew in each episode");
      visit("max_cycles", p.max_cycles, Range{1, 1 << 20}, "cycles after which an episode ends");
      visit("stale", p.stale,
            "profile paper: outside the grid a pursuer sees what this cell of its window showed last, as the paper's "
            "did");
    }
  };

  /// The defaults of the profile that `p.profile` names.
  static void preset(Params& p) {
    if (p.profile == Profile::v5) return;
    p.urgency_reward = 0;
    p.shared_reward = false;
  }

  static void prepare(Params& p) {
    if (p.obs_range % 2 == 0)
      throw SettingError("obs_range", " = " + std::to_string(p.obs_range) + ": expected an odd number");
    for (int x = 0; x < p.x_size; ++x) {
      p.walls[x] = 0;
      double const across = double(x) / p.x_size;
      for (int y = 0; y < p.y_size; ++y)
        if (double const up = double(y) / p.y_size; across > 0.3 && across < 0.7 && up > 0.2 && up < 0.8)
          p.walls[x] |= 1u << y;
    }
  }

  static Settings with_agents(int n) {
    if (n < 1 || n > max_pursuers)
      throw SettingError("n_pursuers", " = " + std::to_string(n) + ": expected 1 to " + std::to_string(max_pursuers));
    return {{"n_pursuers", std::int64_t(n)}};
  }

  static Spec spec(Params const& p) {
    bool const v5 = p.profile == Profile::v5;
    Spec spec{.groups = {{.agents = p.n_pursuers, .observation = channels * p.obs_range * p.obs_range + (v5 ? 0 : 1)}}};
    spec.groups[0].discrete = {{"move", 5}};
    spec.state = 2 * p.n_pursuers + 3 * p.n_evaders + 1;
    spec.may_truncate = v5;
    spec.max_episode_steps = p.max_cycles + (v5 ? 0 : 1);
    spec.supertypes = {{"pursuer", {}}};
    spec.supertype_of.assign(std::size_t(p.n_pursuers), 0);
    spec.metrics = {"team_return", "evaders_caught"};
    return spec;
  }

  /// Goes to the nearest evader that it sees, along the longer axis first unless a wall is there, and stays beside it.
  /// Who sees none walks at random.
  SHOAL_FN static void heuristic(Params const& p, int, Seen seen, Chosen out, Words draw) {
    int const range = p.obs_range, half = range / 2;
    Cell const self{half, half};
    Cell nearest{0, 0};
    int at = 2 * range;
    for (int k = 0; k < range * range; ++k) {
      Cell const c{k % range, k / range};
      // Outside the grid, which observations show as walls, profile paper keeps evaders that are gone.
      bool const is_evader = seen.own[column_of(p, 2, c)] != 0 && seen.own[column_of(p, 0, c)] == 0;
      if (!is_evader || distance(c, self) >= at) continue;
      nearest = c, at = distance(c, self);
    }
    int const x = nearest.x - half, y = nearest.y - half;
    int const across = x < 0 ? 0 : 1, along = y > 0 ? 2 : 3;  // actions
    int const longer = distance({x, 0}, {0, 0}) - distance({0, y}, {0, 0});
    bool const first = longer > 0 || (longer == 0 && (draw.w[0] & 1));
    int const wanted = first ? across : along, other = first ? along : across;
    if (at == 2 * range)
      out.discrete[0] = one_of(draw.w[0], 4);
    else if (at <= 1)
      out.discrete[0] = 4;
    else
      out.discrete[0] = seen.own[column_of(p, 0, beside(self, wanted))] == 0 ? wanted : other;
  }

  SHOAL_FN static bool inside(Params const& p, Cell c) { return shoal::inside(c, p.x_size, p.y_size); }
  /// @param c  inside the grid
  SHOAL_FN static bool is_wall(Params const& p, Cell c) { return p.walls[c.x] >> c.y & 1; }

  /// Where a row of observations has a channel (walls, pursuers, evaders) of a cell of the window.
  SHOAL_FN static int column_of(Params const& p, int channel, Cell c) {
    int const range = p.obs_range;
    if (p.profile == Profile::v5) return channels * (c.y * range + c.x) + channel;
    return (channel * range + c.x) * range + c.y;
  }

  /// The cell that a move leads to. Walls and the grid's border stop it.
  SHOAL_FN static Cell moved(Params const& p, Cell from, int action) {
    auto const to = beside(from, action);
    return inside(p, to) && !is_wall(p, to) ? to : from;
  }
};

}  // namespace shoal
