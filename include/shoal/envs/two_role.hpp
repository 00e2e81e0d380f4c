// Two roles: two agents with different observations and different actions, and a known best answer to each observation.
//
// The task measures what a network that both agents share loses. Observations of agent A are padded to those of agent
// B, which has other right answers to some of the same rows: without an indication of who observes, a shared network
// has to be wrong for one of them. Best and random totals: docs/two-role.md. Steps count from 0 to 15.
//
//   drawn     each step: a cue c, one of 4; a flag m, 0 or 1
//   agent A   observes one-hot of c (4); 3 answers, the right one is c mod 3
//   agent B   observes one-hot of c (4) and one-hot of A's last answer (3), zeros where m = 1; with `disjoint` m too;
//             5 answers, the right one is (c + A's last answer) mod 5 where m = 0, (c + 1) mod 5 where m = 1.
//             Before the first step A's last answer is drawn
//   reward    1 for one's own right answer, else 0
//   end       terminated after step 15
#pragma once

#include <cstdint>

#include "shoal/env/contract.hpp"
#include "shoal/env/drawing.hpp"
#include "shoal/envs/grid.hpp"

namespace shoal {

struct TwoRole {
  static constexpr char const* name = "two_role";
  static constexpr char const* summary = "two agents with different spaces, and a known best answer to what they see";
  static constexpr int lanes = 2;
  static constexpr int groups = 2;
  static constexpr bool writes_every_cell = true;

  static constexpr int steps = 16, cues = 4, answers_a = 3, answers_b = 5;

  struct Purposes {
    static constexpr Purpose first_cue = environment_purpose(0);
    static constexpr Purpose first_answer = environment_purpose(1);
    static constexpr Purpose cue = environment_purpose(2);
  };

  struct Params {
    bool disjoint = false;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("disjoint", p.disjoint, "agent B observes m, so that no observation of one agent is one of the other's");
    }
  };

  struct State {
    std::uint8_t step, cue, last;  // last: A's answer
    bool hidden;                   // m
    std::uint8_t right[2];         // answers of A and B so far
  };

  struct Scratch {};

  static void prepare(Params&) {}

  static Spec spec(Params const& p) {
    Group const a{.name = "a", .agents = 1, .observation = cues, .discrete = {{"answer", answers_a}}};
    Group const b{.name = "b",
                  .agents = 1,
                  .observation = cues + answers_a + (p.disjoint ? 1 : 0),
                  .discrete = {{"answer", answers_b}}};
    Spec spec{.groups = {a, b}};
    spec.max_episode_steps = steps;
    spec.supertypes = {{"a", {}}, {"b", {}}};
    spec.supertype_of = {0, 1};
    spec.metrics = {"total", "right_a", "right_b"};
    return spec;
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const&, State& s, Scratch&, Supertypes, Random random) {
    team.once([&] {
      s = {};
      draw_cue(s, random.draw(Purposes::first_cue));
      s.last = std::uint8_t(one_of(random.draw(Purposes::first_answer).w[0], answers_a));
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const&, State& s, Scratch&, PerGroup<Actions, 2> const& actions,
                             PerGroup<Rewards, 2> const& rewards, Random random) {
    team.once([&] {
      int const a = actions[0].discrete(0, 0), b = actions[1].discrete(0, 0);
      int const right_a = a == answer_a(s), right_b = b == answer_b(s);
      rewards[0](0) = float(right_a);
      rewards[1](0) = float(right_b);
      s.right[0] = std::uint8_t(s.right[0] + right_a);
      s.right[1] = std::uint8_t(s.right[1] + right_b);
      s.last = std::uint8_t(a);
      ++s.step;
      draw_cue(s, random.draw(Purposes::cue));
    });
    return s.step == steps ? Ended::terminated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, PerGroup<Observation, 2> const& out) {
    team.each(cues, [&](int cue) { out[0].own(0, cue) = out[1].own(0, cue) = float(s.cue == cue); });
    team.each(answers_a, [&](int answer) { out[1].own(0, cues + answer) = float(!s.hidden && s.last == answer); });
    if (p.disjoint) team.once([&] { out[1].own(0, cues + answers_a) = float(s.hidden); });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const&, State const& s, Scratch&, Metrics out) {
    team.once([&] {
      out(0) = float(s.right[0] + s.right[1]);
      for (int i = 0; i < 2; ++i) out(1 + i) = float(s.right[i]);
    });
  }

  /// The right answer. Where B sees none of A's, that is for m = 1.
  SHOAL_FN static void heuristic(Params const&, int agent, Seen seen, Chosen out, Words) {
    State s = {};
    for (int cue = 0; cue < cues; ++cue)
      if (seen.own[cue] > 0) s.cue = std::uint8_t(cue);
    s.hidden = agent == 1;
    for (int answer = 0; agent == 1 && answer < answers_a; ++answer)
      if (seen.own[cues + answer] > 0) s.hidden = false, s.last = std::uint8_t(answer);
    out.discrete[0] = agent == 0 ? answer_a(s) : answer_b(s);
  }

  /// The cue, what B sees of A's last answer, the right answers, and how many were right.
  static void draw(Params const&, State const& s, Drawing& d) {
    d.width = 16, d.height = 4;
    d.labels = {{0.25f, 0.75f, "cue"}, {0.25f, 2, "A"}, {0.25f, 3.25f, "B"}};
    d.discs = {{4.5f, 0.75f, 0.42f, palette::agent(s.cue), std::to_string(s.cue)}};
    int const right[] = {answer_a(s), answer_b(s)};
    for (int i = 0; i < 2; ++i) {
      float const y = 2 + 1.25f * float(i);
      d.discs.push_back({4.5f, y, 0.42f, palette::agent(right[i]), std::to_string(right[i])});
      d.labels.push_back({8, y, std::to_string(s.right[i]) + " right"});
    }
    d.labels.push_back({5.75f, 0.75f, s.hidden ? "hidden" : "A's last answer " + std::to_string(s.last)});
    d.text = {"step " + std::to_string(s.step)};
  }

 private:
  SHOAL_FN static int answer_a(State const& s) { return s.cue % answers_a; }
  SHOAL_FN static int answer_b(State const& s) { return (s.cue + (s.hidden ? 1 : s.last)) % answers_b; }

  SHOAL_FN static void draw_cue(State& s, Words const& draw) {
    s.cue = std::uint8_t(one_of(draw.w[0], cues));
    s.hidden = one_of(draw.w[1], 2) != 0;
  }
};

}  // namespace shoal
