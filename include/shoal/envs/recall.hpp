// Recall: each agent sees a cue once and has to name it after a delay. Agents do not interact, but for a shared reward.
//
// The task isolates memory and the sharing of a network: a policy without memory does no better than chance, and with
// `role` a network that all agents share does no better without the agent's id (the observation option `indication`).
// Exact success rates: docs/recall.md. Steps t count from 0 to `delay`, T; agents and cues count from 0.
//
//   action       [agents, 1] i32     the answer, one of K cues; counts in step T alone
//   observation  [agents, K + 2]     one-hot of the cue at t = 0, else zeros; noise, 1 or -1 for 0 < t < T, else 0; go,
//                                    1 at t = T, else 0. With T = 0 cue and go come together. All 0 after the last step
//   right answer                     the agent's cue; with `role` (cue + agent) mod K
//   reward       [agents]            0 before step T. In step T own: 1 for the right answer, else 0; shared: the mean
//                                    of own over the agents; mixed: half of each
//   end                              terminated after step T
#pragma once

#include <cstdint>

#include "shoal/env/contract.hpp"
#include "shoal/env/drawing.hpp"
#include "shoal/envs/grid.hpp"

namespace shoal {

struct Recall {
  static constexpr char const* name = "recall";
  static constexpr char const* summary = "each agent sees a cue and has to name it after a delay";
  static constexpr int lanes = 4;
  static constexpr bool writes_every_cell = true;

  static constexpr int max_agents = 64, max_cues = 16, max_delay = 1024;
  enum class Reward { own, shared, mixed };

  struct Purposes {
    static constexpr Purpose cue = environment_purpose(0);
    static constexpr Purpose noise = environment_purpose(1);
  };

  struct Params {
    int agents = 4, cues = 4, delay = 8;
    bool role = false;
    Reward reward = Reward::own;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("agents", p.agents, Range{1, max_agents}, "agents");
      visit("cues", p.cues, Range{2, max_cues}, "cues, which are the actions too");
      visit("delay", p.delay, Range{0, max_delay}, "steps from the cue to the answer");
      visit("role", p.role, "the right answer is (cue + agent) mod cues, not the cue");
      visit("reward", p.reward, Choices{"own", "shared", "mixed"},
            "for one's own answer, the mean over the agents, or half of each");
    }
  };

  struct State {
    std::uint64_t noise;  // bit i: agent i observes 1, not -1
    std::uint16_t step;   // delay + 1 after the last
    std::uint8_t cue[max_agents];
    bool right[max_agents];  // the answer was; false before
  };

  struct Scratch {};

  static void prepare(Params&) {}

  static Settings with_agents(int n) {
    if (n < 1 || n > max_agents)
      throw SettingError("agents", " = " + std::to_string(n) + ": expected 1 to " + std::to_string(max_agents));
    return {{"agents", std::int64_t(n)}};
  }

  static Spec spec(Params const& p) {
    Spec spec{.groups = {{.agents = p.agents, .observation = p.cues + 2}}};
    spec.groups[0].discrete = {{"answer", p.cues}};
    spec.max_episode_steps = p.delay + 1;
    spec.supertypes = {{"agent", {}}};
    spec.supertype_of.assign(std::size_t(p.agents), 0);
    spec.metrics = {"success"};
    return spec;
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes, Random random) {
    team.each(p.agents, [&](int i) {
      s.cue[i] = std::uint8_t(one_of(random.draw(Purposes::cue, std::uint32_t(i)).w[0], p.cues));
      s.right[i] = false;
    });
    team.once([&] {
      s.step = 0;
      s.noise = 0;
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch&, Actions actions, Rewards rewards,
                             Random random) {
    bool const go = s.step == p.delay;
    team.each(p.agents, [&](int i) {
      s.right[i] = go && actions.discrete(i, 0) == answer(p, s, i);
      rewards(i) = float(s.right[i]);
    });
    team.once([&] {
      ++s.step;
      s.noise = random.draw(Purposes::noise).bits64(0);
    });
    if (!go) return Ended::no;
    if (p.reward != Reward::own) {
      float const own = p.reward == Reward::mixed ? 0.5f : 0.0f;  // its weight
      float const mean = success(team, p, s);
      team.each(p.agents, [&](int i) { rewards(i) = own * rewards(i) + (1 - own) * mean; });
    }
    return Ended::terminated;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, Observation out) {
    team.each(p.agents, p.cues, [&](int i, int cue) { out.own(i, cue) = float(s.step == 0 && s.cue[i] == cue); });
    team.each(p.agents, [&](int i) {
      out.own(i, p.cues) = noise(p, s, i);
      out.own(i, p.cues + 1) = float(s.step == p.delay);
    });
  }

  /// The share of agents whose answer was right.
  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const& p, State const& s, Scratch&, Metrics out) {
    float const share = success(team, p, s);
    team.once([&] { out(0) = share; });
  }

  /// A row for each agent: its cue, pale once it is no longer seen; the right answer; the noise, or how it answered.
  static void draw(Params const& p, State const& s, Drawing& d) {
    d.width = 16, d.height = float(p.agents) + 1;
    d.labels = {{0.25f, 0.5f, "agent"}, {5, 0.5f, "cue"}, {8, 0.5f, "answer"}};
    for (int i = 0; i < p.agents; ++i) {
      float const y = float(i) + 1.5f;
      auto const cue = palette::agent(s.cue[i]);
      d.labels.push_back({0.25f, y, std::to_string(i)});
      d.discs.push_back(
          {5.75f, y, 0.42f, s.step == 0 ? cue : mix(palette::paper, cue, 0.35f), std::to_string(s.cue[i])});
      d.discs.push_back({9.5f, y, 0.42f, palette::agent(answer(p, s, i)), std::to_string(answer(p, s, i))});
      if (s.step > p.delay)
        d.labels.push_back({12.5f, y, s.right[i] ? "right" : "wrong", s.right[i] ? palette::green : palette::red});
      else if (noise(p, s, i) != 0)
        d.labels.push_back({12.5f, y, noise(p, s, i) > 0 ? "+1" : "-1", palette::grey});
    }
    d.text = {"step " + std::to_string(s.step) + (s.step == p.delay ? ", go" : s.step > p.delay ? ", over" : "")};
  }

 private:
  SHOAL_FN static int answer(Params const& p, State const& s, int i) {
    return p.role ? (s.cue[i] + i) % p.cues : s.cue[i];
  }

  SHOAL_FN static float noise(Params const& p, State const& s, int i) {
    if (s.step == 0 || s.step >= p.delay) return 0;
    return s.noise >> i & 1 ? 1.0f : -1.0f;
  }

  template <class Team>
  SHOAL_FN static float success(Team team, Params const& p, State const& s) {
    return float(team.sum(p.agents, [&](int i) { return int(s.right[i]); })) / float(p.agents);
  }
};

}  // namespace shoal
