// A game whose agents die one after another and that leaves cells unwritten; and the same with a fault, which the tests
// of the contract have to find.
#pragma once

#include <algorithm>
#include <cstdint>

#include "shoal/env/contract.hpp"

namespace shoal::test {

enum class Fault {
  none,
  masks_unasked,   // masks without saying so
  revives,         // agent 0 comes back
  outlives,        // goes on when nobody lives
  minds_the_dead,  // what dead agents choose has an effect
  draws_twice,     // one key in one step
  draws_as_reset   // in the first step the key that reset() drew
};

/// Agent i acts i + 1 times.
///   observation  [agents, 2]  steps so far + luck, 1 of agent 1 alone
///   type         [agents, 1]  1 of agent 0 alone
///   reward       [agents]     1 + choice; nothing is written for agent 2; 99 for the dead, whom nobody may see
/// @tparam Claims  says that it writes every cell
template <bool Claims = false>
struct Countdown {
  static constexpr char const* name = "countdown";
  static constexpr char const* summary = "agents die one after another";
  static constexpr int lanes = 4;
  static constexpr bool writes_every_cell = Claims;
  static constexpr Purpose luck = environment_purpose(0);

  struct Params {
    int agents = 4, max_steps = 100;
    Fault fault = Fault::none;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("agents", p.agents, Range{1, 31}, "agents");
      visit("max_steps", p.max_steps, Range{1, 100}, "steps after which an episode is truncated");
      visit("fault", p.fault,
            Choices{"none", "masks_unasked", "revives", "outlives", "minds_the_dead", "draws_twice", "draws_as_reset"},
            "what it does wrong");
    }
  };

  struct State {
    int step;
    float luck;
  };

  struct Scratch {};

  static void prepare(Params&) {}

  static Spec spec(Params const& p) {
    Spec spec{.groups = {{.agents = p.agents, .observation = 2, .type = 1}}};
    spec.groups[0].discrete = {{"choice", 2}};
    spec.groups[0].masked = p.fault != Fault::masks_unasked;
    spec.may_truncate = true;
    spec.max_episode_steps = std::min(p.agents, p.max_steps);
    spec.supertypes = {{"agent", {}}};
    spec.supertype_of.assign(std::size_t(p.agents), 0);
    spec.metrics = {"steps"};
    return spec;
  }

  SHOAL_FN static bool alive(Params const& p, State const& s, int agent) {
    return s.step <= agent || (p.fault == Fault::revives && s.step == 2);
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const&, State& s, Scratch&, Supertypes, Random random) {
    team.once([&] { s = {0, random.draw(luck, 0).unit(0)}; });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch&, Actions actions, Rewards rewards,
                             Random random) {
    team.each(p.agents, [&](int i) {
      if (i != 2) rewards(i) = alive(p, s, i) ? 1.0f + float(actions.discrete(i, 0)) : 99.0f;
    });
    team.once([&] {
      s.luck += random.draw(luck, p.fault == Fault::draws_as_reset ? 0 : 1).unit(0);
      if (p.fault == Fault::draws_twice) s.luck += random.draw(luck, 1).unit(1);
      for (int i = 0; i < p.agents; ++i)
        if (alive(p, s, i) || p.fault == Fault::minds_the_dead) s.luck += float(actions.discrete(i, 0));
      ++s.step;
    });
    if (s.step == p.agents && p.fault != Fault::outlives) return Ended::terminated;
    return s.step == p.max_steps ? Ended::truncated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    team.each(p.agents, [&](int i) {
      out.own(i, 0) = float(s.step) + s.luck;
      if (i == 1) out.own(i, 1) = 1;
      if (i == 0 && out.type.data) out.type(i, 0) = 1;
      if (i == 3 && out.masks.data) out.masks(i, 1) = 0;
    });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const&, State const& s, Scratch&, Metrics out) {
    team.once([&] { out(0) = float(s.step); });
  }
};

}  // namespace shoal::test
