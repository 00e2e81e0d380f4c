// A game of two groups that keeps the contract, and the same with a flaw, which a property of shoal/env/verify.hpp has
// to find. countdown.hpp has the flaws of games whose agents die.
#pragma once

#include <cstdint>
#include <limits>

#include "shoal/env/contract.hpp"

namespace shoal::test {

enum class Flaw {
  none,
  bounds_cross,   // of a supertype's coordinate
  no_heads,       // of a group
  names_twice,    // of metrics
  leaves_cells,   // for a game that says that it writes every cell
  writes_behind,  // its row of observations
  minds_types,    // plays otherwise where types are not observed
  not_finite,     // a reward, of agent 1 in step 2
  metric_not_finite,
  forbids_all,          // masks of agent 2
  takes_any_action,     // does not limit continuous actions
  state_writes_before,  // its row of the global state
  goes_on,              // beyond max_episode_steps
  truncates_unsaid,     // to the spec
  keeps_over_reset,     // a field of State
  ignores_profile,
  illegal_heuristic,  // a masked choice
  short_heuristic,    // leaves a head
  counts_resets,      // in a variable of the process
  keeps_scratch,      // from one step to the next
  races,              // an index of each() reads what another writes
  keeps_outside       // state outside State
};

/// Two runners, who choose a speed, and a caller, who chooses one of three calls, of which one is illegal.
/// @tparam Claims  says that it writes every cell
template <bool Claims = false>
struct Faulty {
  static constexpr char const* name = "faulty";
  static constexpr char const* summary = "two runners and a caller";
  static constexpr int lanes = 4, groups = 2, runners = 2, max_steps = 6;
  static constexpr bool writes_every_cell = Claims;
  static constexpr Purpose luck = environment_purpose(0);
  static inline int resets = 0;
  static inline float outside[256] = {};

  struct Params {
    Flaw flaw = Flaw::none;

    template <class Visit>
    static void fields(Visit&, Params&) {}
  };
  struct State {
    float type[runners], place[runners], luck, kept;
    int step, call;
  };
  struct Scratch {
    float last;
  };

  static void prepare(Params&) {}

  static Spec spec(Params const& p) {
    Group const all{
        .name = "runners", .agents = runners, .observation = 2, .type = 1, .continuous = {{"speed", -1, 1}}};
    Group const caller{.name = "caller", .agents = 1, .observation = 2, .discrete = {{"call", 3}}, .masked = true};
    Spec spec{.groups = {all, caller}, .state = 2, .may_truncate = p.flaw != Flaw::truncates_unsaid};
    if (p.flaw == Flaw::no_heads) spec.groups[0].continuous = {};
    spec.max_episode_steps = max_steps;
    spec.supertypes = {{"runner", {{"mean", p.flaw == Flaw::bounds_cross ? 1.5f : 0, 1, 0.5f}}}, {"caller", {}}};
    spec.supertype_of = {0, 0, 1};
    spec.metrics = {"far", p.flaw == Flaw::names_twice ? "far" : "luck"};
    return spec;
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes supertypes, Random random) {
    team.each(runners, [&](int i) {
      float const mean = p.flaw == Flaw::ignores_profile ? 0.5f : supertypes(0, 0);
      s.type[i] = mean * random.draw(Purpose::type, std::uint32_t(i)).unit(0);
      s.place[i] = 0;
    });
    team.once([&] {
      s.luck = random.draw(luck).unit(0) + (p.flaw == Flaw::counts_resets ? float(++resets) : 0);
      if (p.flaw != Flaw::keeps_over_reset || random.episode == 1) s.kept = 0;
      s.step = s.call = 0;
      if (p.flaw == Flaw::keeps_outside) outside[random.instance % 256] = 0;
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch& w, PerGroup<Actions, 2> const& actions,
                             PerGroup<Rewards, 2> const& rewards, Random random) {
    team.each(runners, [&](int i) {
      float const speed = actions[0].continuous(i, 0);
      s.place[i] += p.flaw == Flaw::takes_any_action ? speed : clamp(speed, -1, 1);
      if (p.flaw == Flaw::races && i == 1) s.place[1] += s.place[0];
    });
    team.once([&] {
      s.call = actions[1].discrete(0, 0);
      s.kept += s.place[0];
      if (p.flaw == Flaw::keeps_scratch && s.step > 0) s.kept += w.last;
      w.last = s.place[0];
      if (p.flaw == Flaw::keeps_outside) outside[random.instance % 256] += s.place[0];
      ++s.step;
    });
    team.each(runners, [&](int i) { rewards[0](i) = s.place[i] * s.type[i] + s.luck; });
    team.once([&] {
      rewards[1](0) = float(s.call) + (p.flaw == Flaw::keeps_outside ? outside[random.instance % 256] : 0);
      if (p.flaw == Flaw::not_finite && s.step == 2) rewards[0](1) = std::numeric_limits<float>::infinity();
    });
    return s.step < max_steps || p.flaw == Flaw::goes_on ? Ended::no : Ended::truncated;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, PerGroup<Observation, 2> const& out) {
    team.each(runners, [&](int i) {
      out[0].own(i, 0) = s.place[i] + (p.flaw == Flaw::minds_types && !out[0].type.data ? 1 : 0);
      if (p.flaw != Flaw::leaves_cells || i == 0) out[0].own(i, 1) = float(s.step);
      if (out[0].type.data) out[0].type(i, 0) = s.type[i];
    });
    team.once([&] {
      out[1].own(0, 0) = s.luck;
      out[1].own(0, 1) = s.kept;
      if (p.flaw == Flaw::writes_behind) out[1].own(0, 4) = 1;
      if (out[1].masks.data)
        for (int call = 0; call < 3; ++call) out[1].masks(0, call) = call != s.call && p.flaw != Flaw::forbids_all;
    });
  }

  template <class Team>
  SHOAL_FN static void observe_state(Team team, Params const& p, State const& s, GlobalState out) {
    team.once([&] {
      for (int i = 0; i < runners; ++i) out(i) = s.place[i];
      if (p.flaw == Flaw::state_writes_before) out(-1) = 1;
    });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    team.once([&] {
      out(0) = p.flaw == Flaw::metric_not_finite ? std::numeric_limits<float>::quiet_NaN() : s.place[0];
      out(1) = s.luck;
    });
  }

  SHOAL_FN static void heuristic(Params const& p, int agent, Seen seen, Chosen out, Words random) {
    if (agent < runners) {
      out.continuous[0] = random.unit(0);
      return;
    }
    if (p.flaw == Flaw::short_heuristic) return;
    out.discrete[0] = 0;
    for (int call = 0; seen.masks && call < 3; ++call)
      if ((seen.masks[call] != 0) != (p.flaw == Flaw::illegal_heuristic)) out.discrete[0] = call;
  }
};

}  // namespace shoal::test
