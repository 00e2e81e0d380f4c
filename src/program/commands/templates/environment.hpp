// @Name@: agents wade for food. Deep water has more of it, and is dangerous.
//
// Agents begin on the shore, cell 0. Each moves by one cell or stays. Then each dies with probability danger * depth,
// where depth = cell / (cells - 1). Those in a cell who live share its food, which is its depth, equally.
//
//   action       [agents, 1] i32   0 towards the shore, 1 stay, 2 deeper; moves that lead out of the water are masked
//   observation  [agents, 2]       depth, time passed / max_steps
//   type         [agents, 1]       appetite, uniform in [0, 2] times the supertype's appetite_mean
//   reward       [agents]          appetite * share of food; -1 for dying
//   end          terminated when all are dead, truncated after max_steps
#pragma once

#include <cstdint>

#include "shoal/env/contract.hpp"

namespace shoal {

struct @Name@ {
  static constexpr char const* name = "@name@";
  static constexpr char const* summary = "agents wade for food; deep water has more of it, and is dangerous";
  static constexpr int lanes = 4;
  static constexpr int max_agents = 16;

  struct Purposes {
    static constexpr Purpose danger = environment_purpose(0);
  };

  struct Params {
    int agents = 4, cells = 5, max_steps = 50;
    float danger = 0.05f, appetite_mean = 0.5f;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("agents", p.agents, Range{1, max_agents}, "agents");
      visit("cells", p.cells, Range{2, 255}, "cells, from the shore to the deepest");
      visit("max_steps", p.max_steps, Range{1, 65535}, "steps after which an episode is truncated");
      visit("danger", p.danger, Range{0, 1}, "probability of dying in a step in the deepest cell");
      visit("appetite_mean", p.appetite_mean, Range{0, 1}, "mean appetite at first; a calibrator may move it");
    }
  };

  struct State {
    float appetite[max_agents], eaten[max_agents];
    std::uint16_t step;
    std::uint8_t cell[max_agents];
    bool lives[max_agents];
  };

  struct Scratch {
    bool lives[max_agents];  // after this step
  };

  static void prepare(Params&) {}

  static Spec spec(Params const& p) {
    Spec spec{.agents = p.agents, .observation = 2, .type = 1};
    spec.discrete = {{"move", 3}};
    spec.masked = true;
    spec.may_truncate = true;
    spec.max_episode_steps = p.max_steps;
    spec.supertypes = {{"forager", {{"appetite_mean", 0, 1, p.appetite_mean}}}};
    spec.supertype_of.assign(std::size_t(p.agents), 0);
    spec.metrics = {"eaten", "survivors"};
    return spec;
  }

  SHOAL_FN static bool alive(Params const&, State const& s, int agent) { return s.lives[agent]; }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes supertypes, Random random) {
    team.each(p.agents, [&](int i) {
      s.appetite[i] = supertypes(0, 0) * 2 * random.draw(Purpose::type, std::uint32_t(i)).unit(0);
      s.eaten[i] = 0;
      s.cell[i] = 0;
      s.lives[i] = true;
    });
    team.once([&] { s.step = 0; });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch& w, Actions actions, Rewards rewards,
                             Random random) {
    team.each(p.agents, [&](int i) {
      int const move = max(0, min(actions.discrete(i, 0), 2)) - 1;
      if (s.lives[i]) s.cell[i] = std::uint8_t(max(0, min(s.cell[i] + move, p.cells - 1)));
      float const risk = p.danger * depth(p, s, i);
      w.lives[i] = s.lives[i] && random.draw(Purposes::danger, std::uint32_t(i)).unit(0) >= risk;
    });
    team.each(p.agents, [&](int i) {
      int company = 0;
      for (int j = 0; j < p.agents; ++j) company += w.lives[j] && s.cell[j] == s.cell[i];
      float const food = w.lives[i] ? depth(p, s, i) / float(company) : 0;
      rewards(i) = w.lives[i] ? s.appetite[i] * food : -1;  // 0 in later steps: shoal overwrites it
      s.eaten[i] += food;
      s.lives[i] = w.lives[i];
    });
    team.once([&] { ++s.step; });
    if (survivors(team, p, s) == 0) return Ended::terminated;
    return s.step >= p.max_steps ? Ended::truncated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    team.each(p.agents, [&](int i) {
      out.own(i, 0) = depth(p, s, i);
      out.own(i, 1) = float(s.step) / float(p.max_steps);
      if (out.type.data) out.type(i, 0) = s.appetite[i];
      if (out.masks.data) {
        out.masks(i, 0) = s.cell[i] > 0;
        out.masks(i, 2) = s.cell[i] < p.cells - 1;
      }
    });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    float const eaten = team.sum(p.agents, [&](int i) { return s.eaten[i]; });
    int const living = survivors(team, p, s);
    team.once([&] {
      out(0) = eaten / float(p.agents);
      out(1) = float(living);
    });
  }

 private:
  SHOAL_FN static float depth(Params const& p, State const& s, int i) { return float(s.cell[i]) / float(p.cells - 1); }

  template <class Team>
  SHOAL_FN static int survivors(Team team, Params const& p, State const& s) {
    return team.sum(p.agents, [&](int i) { return int(s.lives[i]); });
  }
};

}  // namespace shoal
