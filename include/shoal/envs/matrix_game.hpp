// MatrixGame: n players play a matrix game again and again and remember the last rounds.
//
// Payoffs are given for every joint action (specification and canonical payoffs: docs/matrix-game.md). A player's type
// is its altruism: the reward is its own payoff plus altruism times the mean payoff of the others. Players beyond
// `group_1` belong to supertype 2, so that a calibrator can look for the mix under which a target behaviour emerges.
//
//   action       [n, 1] i32                            0 .. actions of that player - 1; the others are masked
//   observation  [n, 1 + memory * n * most actions]    1 after the first round, else 0; then for each of the last `memory`
//                                                      rounds, latest first, one-hots of the actions, one's own first and then
//                                                      the other players in cyclic order; 0 before the first round
//   type         [n, 1]                                altruism
//   reward       [n]                                   payoff + altruism * mean payoff of the others
//   end          after a round with probability 1 - continuation (terminated), after `rounds` (truncated)
#pragma once

#include <cstdint>

#include "shoal/env/contract.hpp"
#include "shoal/envs/matrix_game_drawing.hpp"

namespace shoal {

/// The game, but for what depends on how much there is room for.
struct MatrixGameRules {
  static constexpr char const* name = "matrix_game";
  static constexpr char const* summary =
      "n players repeat a matrix game with given payoffs and remember the last rounds";
  static constexpr int lanes = 4;
  static constexpr bool writes_every_cell = true;

  struct Purposes {
    static constexpr Purpose continuation{5};  // whether an episode goes on
  };

  static constexpr int max_players = 8, max_actions = 16, max_memory = 4, max_payoffs = 2048;

  struct Params {
    List<std::int32_t, max_players> actions = {2, {2, 2}};
    List<float, max_payoffs> payoffs = {8, {3, 3, 0, 5, 5, 0, 1, 1}};
    int memory = 1;
    int rounds = 64;
    float continuation = 1;
    int group_1 = max_players;
    float altruism_1 = 0, altruism_sd_1 = 0, altruism_2 = 0, altruism_sd_2 = 0;

    // Derived by prepare().
    int players = 0;
    int most_actions = 0;
    int total_actions = 0;
    int groups = 0;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("actions", p.actions, Range{1, max_actions}, "number of actions of each player");
      visit("payoffs", p.payoffs, Range{-1e6, 1e6},
            "payoff of every player (innermost) for every joint action, player 1's action outermost");
      visit("memory", p.memory, Range{0, max_memory}, "rounds that players remember");
      visit("rounds", p.rounds, Range{1, 1 << 20}, "rounds after which an episode is truncated");
      visit("continuation", p.continuation, Range{0, 1}, "probability that the game goes on after a round");
      visit("group_1", p.group_1, Range{1, max_players}, "players that belong to supertype 1; the rest to supertype 2");
      visit("altruism_1", p.altruism_1, Range{-1, 1}, "initial mean altruism of supertype 1");
      visit("altruism_sd_1", p.altruism_sd_1, Range{0, 1}, "its initial standard deviation");
      visit("altruism_2", p.altruism_2, Range{-1, 1}, "initial mean altruism of supertype 2");
      visit("altruism_sd_2", p.altruism_sd_2, Range{0, 1}, "its initial standard deviation");
    }
  };

  static void prepare(Params& p) {
    p.players = p.actions.count;
    if (p.players < 2) throw SettingError("actions", ": expected at least 2 players");
    p.most_actions = p.total_actions = 0;
    std::int64_t cells = 1;
    for (int i = 0; i < p.players; ++i) {
      p.most_actions = max(p.most_actions, p.actions.items[i]);
      p.total_actions += p.actions.items[i];
      cells *= p.actions.items[i];
    }
    if (cells * p.players > max_payoffs)
      throw SettingError("actions", ": " + std::to_string(cells) + " joint actions of " + std::to_string(p.players) +
                                        " players need more than " + std::to_string(max_payoffs) + " payoffs");
    if (p.payoffs.count != cells * p.players)
      throw SettingError("payoffs", ": " + std::to_string(p.payoffs.count) + " values, expected " +
                                        std::to_string(cells * p.players) + " for these actions");
    p.groups = p.group_1 < p.players ? 2 : 1;
  }

  /// The prisoners' dilemma of n players: a cooperator gets 3 times, a defector 1 plus 4 times the share of the others
  /// who cooperate.
  static Settings with_agents(int n) {
    if (n < 2 || n > max_players)
      throw SettingError("players", " = " + std::to_string(n) + ": expected 2 to " + std::to_string(max_players));
    std::vector<double> payoffs;
    for (int cell = 0; cell < 1 << n; ++cell)
      for (int i = 0; i < n; ++i) {
        int cooperators = 0;  // among the others; bit n - 1 - j of `cell` is player j's action, 1 defects
        for (int j = 0; j < n; ++j) cooperators += j != i && !(cell >> (n - 1 - j) & 1);
        double const share = double(cooperators) / (n - 1);
        payoffs.push_back(cell >> (n - 1 - i) & 1 ? 1 + 4 * share : 3 * share);
      }
    return {{"actions", std::vector<double>(std::size_t(n), 2)}, {"payoffs", payoffs}};
  }

  static Spec spec(Params const& p) {
    Spec spec{.groups = {{.agents = p.players, .observation = 1 + p.memory * p.players * p.most_actions, .type = 1}}};
    spec.groups[0].discrete = {{"action", p.most_actions}};
    spec.groups[0].masked = p.total_actions != p.players * p.most_actions;
    spec.may_truncate = true;
    spec.max_episode_steps = p.rounds;
    float const mean[] = {p.altruism_1, p.altruism_2}, sd[] = {p.altruism_sd_1, p.altruism_sd_2};
    for (int g = 0; g < p.groups; ++g)
      spec.supertypes.push_back(
          {"supertype_" + std::to_string(g + 1), {{"altruism_mean", -1, 1, mean[g]}, {"altruism_sd", 0, 1, sd[g]}}});
    for (int i = 0; i < p.players; ++i) spec.supertype_of.push_back(group_of(p, i));
    for (int i = 1; i <= p.players; ++i) {
      auto const player = "player_" + std::to_string(i);
      spec.metrics.push_back(player + ".payoff");
      for (int a = 1; a <= p.actions.items[i - 1]; ++a) spec.metrics.push_back(player + ".action_" + std::to_string(a));
    }
    spec.metrics.push_back("welfare");
    return spec;
  }

 protected:
  SHOAL_FN static int group_of(Params const& p, int player) { return player < p.group_1 ? 0 : 1; }
};

/// The game with room for so many players, actions of a player and rounds of memory. The room does not show in a
/// trajectory. Room for two actions is for exactly two: loops over them have a constant length.
template <int Players, int Choices, int Memory>
struct MatrixGameOf : MatrixGameRules {
  SHOAL_FN static bool fits(Params const& p) {
    return p.players <= Players && p.most_actions <= Choices && most_actions(p) == p.most_actions && p.memory <= Memory;
  }

  struct State {
    float altruism[Players];
    float payoff[Players];                   // of the episode
    std::uint32_t chosen[Players][Choices];  // times, in the episode
    std::uint16_t history[Memory][Players];  // joint action of round t in slot t % memory
    std::uint32_t round;
    bool goes_on;
  };

  struct Scratch {
    float payoff[Players];
    std::int32_t action[Players];
  };

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes supertypes, Random random) {
    team.each(players(p), [&](int i) {
      int const g = group_of(p, i);
      float const normal = random.draw(Purpose::type, std::uint32_t(i)).normal(0);
      s.altruism[i] = clamp(supertypes(g, 0) + supertypes(g, 1) * normal, -1, 1);
      s.payoff[i] = 0;
      for (int a = 0; a < p.actions.items[i]; ++a) s.chosen[i][a] = 0;
    });
    team.once([&] {
      s.round = 0;
      s.goes_on = true;
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch& w, Actions actions, Rewards rewards,
                             Random random) {
    team.each(players(p), [&](int i) {
      int const action = max(0, min(actions.discrete(i, 0), p.actions.items[i] - 1));
      w.action[i] = action;
      if (p.memory > 0) s.history[slot(p, s.round)][i] = std::uint16_t(action);
      ++s.chosen[i][action];
    });
    team.each(players(p), [&](int i) {
      int cell = 0;
      for (int j = 0; j < players(p); ++j) cell = cell * p.actions.items[j] + w.action[j];
      w.payoff[i] = p.payoffs.items[cell * players(p) + i];
      s.payoff[i] += w.payoff[i];
    });
    team.each(players(p), [&](int i) {
      float others = 0;
      for (int j = 0; j < players(p); ++j) others += j == i ? 0.0f : w.payoff[j];
      rewards(i) = w.payoff[i] + s.altruism[i] * others / float(players(p) - 1);
    });
    team.once([&] {
      ++s.round;
      s.goes_on = p.continuation >= 1 || random.draw(Purposes::continuation).unit(0) < p.continuation;
    });
    if (!s.goes_on) return Ended::terminated;
    return s.round == std::uint32_t(p.rounds) ? Ended::truncated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    for (int round = 0; round < p.memory; ++round) {
      bool const known = std::uint32_t(round) < s.round;
      auto const& joint = s.history[known ? slot(p, s.round - std::uint32_t(round + 1)) : 0];
      team.each(players(p), players(p), [&](int i, int shift) {
        int const player = i + shift < players(p) ? i + shift : i + shift - players(p);
        int const taken = known ? joint[player] : -1;
        float* const one_hot = &out.own(i, 1 + (round * players(p) + shift) * most_actions(p));
        for (int a = 0; a < Choices && a < most_actions(p); ++a)
          one_hot[a] = float(a == taken);  // no branch: nobody predicts an action
      });
    }
    team.each(players(p), [&](int i) {
      out.own(i, 0) = s.round > 0 ? 1.0f : 0.0f;
      if (out.type.data) out.type(i, 0) = s.altruism[i];
      if (out.masks.data)
        for (int a = p.actions.items[i]; a < most_actions(p); ++a) out.masks(i, a) = 0;
    });
  }

  /// Payoff a round and frequency of each action, player by player; welfare is the mean payoff of all.
  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    float const rounds = float(s.round);
    team.once([&] {
      int at = 0;
      float welfare = 0;
      for (int i = 0; i < players(p); ++i) {
        out(at++) = s.payoff[i] / rounds;
        welfare += s.payoff[i];
        for (int a = 0; a < p.actions.items[i]; ++a) out(at++) = float(s.chosen[i][a]) / rounds;
      }
      out(at) = welfare / rounds / float(players(p));
    });
  }

  static void draw(Params const& p, State const& s, Drawing& d) { draw_matrix_game(p, s, d); }

 private:
  /// There are at least two: a constant where there is room for no more.
  SHOAL_FN static int players(Params const& p) { return Players == 2 ? 2 : p.players; }

  SHOAL_FN static int most_actions(Params const& p) { return Choices == 2 ? 2 : p.most_actions; }

  SHOAL_FN static std::uint32_t slot(Params const& p, std::uint32_t round) {
    return Memory == 1 ? 0 : round % std::uint32_t(p.memory);
  }
};

/// Two players with few actions.
struct SmallMatrixGame : MatrixGameOf<2, 4, 1> {
  using Smaller = MatrixGameOf<2, 2, 1>;
};

/// As the registry knows it.
struct MatrixGame
    : MatrixGameOf<MatrixGameRules::max_players, MatrixGameRules::max_actions, MatrixGameRules::max_memory> {
  using Smaller = SmallMatrixGame;
};

}  // namespace shoal
