// Chase: chasers hunt an evader on a plane, the square [-1, 1]^2.
//
// All begin at uniform places. The evader moves first, then each chaser. Nobody leaves the square. A chaser that is
// within `reach` of the evader catches it.
//
//   chaser   observes  [4 + chasers]  own place, the way to the evader (x, y each); the distance of every chaser to it
//            acts      2 reals        x and y in [-1, 1]: `chaser_speed` times these, at most that far in all
//   evader   observes  [3 + 2 chasers]  own place, time passed / max_steps; the way to each chaser
//            type      [1]            its speed, uniform in [0.5, 1.5] times the supertype's speed_mean
//            acts      1 of 9         0 stays, 1 to 8 run in a direction, an eighth of a turn apart
//   reward   chaser: 1 for the catch, whoever makes it, and each step -distance / max_steps; evader: -1 for the catch,
//            and each step 1 / max_steps
//   end      terminated by the catch, truncated after max_steps
#pragma once

#include <cstdint>

#include "shoal/env/contract.hpp"
#include "shoal/env/drawing.hpp"

namespace shoal {

struct Chase {
  static constexpr char const* name = "chase";
  static constexpr char const* summary = "chasers hunt an evader on a plane";
  static constexpr int lanes = 4;
  static constexpr int groups = 2;
  static constexpr int max_chasers = 8;

  struct Purposes {
    static constexpr auto place = environment_purpose(0);
  };

  struct Params {
    int chasers = 2, max_steps = 100;
    float reach = 0.1f, chaser_speed = 0.06f, speed_mean = 0.06f;

    template <class Visit>
    static void fields(Visit& visit, Params& p) {
      visit("chasers", p.chasers, Range{1, max_chasers}, "chasers");
      visit("max_steps", p.max_steps, Range{1, 10000}, "steps after which an episode is truncated");
      visit("reach", p.reach, Range{0.01, 1}, "how near a chaser has to come");
      visit("chaser_speed", p.chaser_speed, Range{0, 1}, "of a chaser, a step");
      visit("speed_mean", p.speed_mean, Range{0, 0.2}, "mean speed of evaders at first; a calibrator may move it");
    }
  };

  struct State {
    float x[max_chasers + 1], y[max_chasers + 1];  // of the chasers, and of the evader behind them
    float speed;                                   // of the evader
    int step;
    bool caught;
  };

  struct Scratch {};

  static void prepare(Params&) {}

  static Spec spec(Params const& p) {
    Group const chasers{.name = "chasers",
                        .agents = p.chasers,
                        .observation = 4 + p.chasers,
                        .continuous = {{"x", -1, 1}, {"y", -1, 1}}};
    Group const evader{
        .name = "evader", .agents = 1, .observation = 3 + 2 * p.chasers, .type = 1, .discrete = {{"run", 9}}};
    Spec spec{.groups = {chasers, evader}};
    spec.may_truncate = true;
    spec.max_episode_steps = p.max_steps;
    spec.supertypes = {{"chaser", {}}, {"evader", {{"speed_mean", 0, 0.2f, p.speed_mean}}}};
    spec.supertype_of.assign(std::size_t(p.chasers), 0);
    spec.supertype_of.push_back(1);
    spec.metrics = {"caught"};
    return spec;
  }

  template <class Team>
  SHOAL_FN static void reset(Team team, Params const& p, State& s, Scratch&, Supertypes supertypes, Random random) {
    team.each(p.chasers + 1, [&](int i) {
      auto const draw = random.draw(Purposes::place, std::uint32_t(i));
      s.x[i] = 2 * draw.unit(0) - 1;
      s.y[i] = 2 * draw.unit(1) - 1;
    });
    team.once([&] {
      s.speed = supertypes(1, 0) * (0.5f + random.draw(Purpose::type).unit(0));
      s.step = 0;
      s.caught = false;
    });
  }

  template <class Team>
  SHOAL_FN static Ended step(Team team, Params const& p, State& s, Scratch&, PerGroup<Actions, 2> const& actions,
                             PerGroup<Rewards, 2> const& rewards, Random) {
    team.once([&] {
      int const run = max(0, min(actions[1].discrete(0, 0), 8));
      auto const direction = turn(float(run - 1) / 8);
      if (run > 0) move(s, p.chasers, s.speed * direction.cosine, s.speed * direction.sine);
      s.caught = false;
      ++s.step;
    });
    team.each(p.chasers, [&](int i) {
      float const x = clamp(actions[0].continuous(i, 0), -1, 1);
      float const y = clamp(actions[0].continuous(i, 1), -1, 1);
      float const share = p.chaser_speed / max(1.0f, sqrtf(x * x + y * y));
      move(s, i, share * x, share * y);
    });
    team.once([&] {
      for (int i = 0; i < p.chasers; ++i) s.caught = s.caught || distance(p, s, i) < p.reach;
    });
    float const moment = 1 / float(p.max_steps), prize = s.caught ? 1.0f : 0.0f;
    team.each(p.chasers, [&](int i) { rewards[0](i) = prize - moment * distance(p, s, i); });
    team.once([&] { rewards[1](0) = moment - prize; });
    if (s.caught) return Ended::terminated;
    return s.step >= p.max_steps ? Ended::truncated : Ended::no;
  }

  template <class Team>
  SHOAL_FN static void observe(Team team, Params const& p, State const& s, PerGroup<Observation, 2> const& out) {
    int const evader = p.chasers;
    team.each(p.chasers, [&](int i) {
      out[0].own(i, 0) = s.x[i], out[0].own(i, 1) = s.y[i];
      out[0].own(i, 2) = s.x[evader] - s.x[i], out[0].own(i, 3) = s.y[evader] - s.y[i];
      for (int j = 0; j < p.chasers; ++j) out[0].own(i, 4 + j) = distance(p, s, j);
      out[1].own(0, 3 + 2 * i) = s.x[i] - s.x[evader], out[1].own(0, 4 + 2 * i) = s.y[i] - s.y[evader];
    });
    team.once([&] {
      out[1].own(0, 0) = s.x[evader], out[1].own(0, 1) = s.y[evader];
      out[1].own(0, 2) = float(s.step) / float(p.max_steps);
      if (out[1].type.data) out[1].type(0, 0) = s.speed;
    });
  }

  template <class Team>
  SHOAL_FN static void metrics(Team team, Params const&, State const& s, Scratch&, Metrics out) {
    team.once([&] { out(0) = s.caught ? 1.0f : 0.0f; });
  }

  /// Chasers run to the evader, which runs away from the nearest of them.
  SHOAL_FN static void heuristic(Params const& p, int agent, Seen seen, Chosen out, Words) {
    if (agent < p.chasers) {
      float const length = max(1e-6f, sqrtf(seen.own[2] * seen.own[2] + seen.own[3] * seen.own[3]));
      for (int k = 0; k < 2; ++k) out.continuous[k] = clamp(seen.own[2 + k] / length, -1, 1);
      return;
    }
    int nearest = 0, best = 1;
    auto const way = [&](int i, int k) { return seen.own[3 + 2 * i + k]; };
    auto const square = [&](int i) { return way(i, 0) * way(i, 0) + way(i, 1) * way(i, 1); };
    for (int i = 1; i < p.chasers; ++i)
      if (square(i) < square(nearest)) nearest = i;
    auto const gain = [&](int run) {
      auto const direction = turn(float(run - 1) / 8);
      return -direction.cosine * way(nearest, 0) - direction.sine * way(nearest, 1);
    };
    for (int run = 2; run <= 8; ++run)
      if (gain(run) > gain(best)) best = run;
    out.discrete[0] = best;
  }

  /// The plane, 20 units wide; the chasers, blue, with their reach, and the evader, orange.
  static void draw(Params const& p, State const& s, Drawing& d) {
    d.width = d.height = 20;
    d.cells.fill(20, 20, palette::floor);
    auto const at = [](float x) { return 10 * (1 + x); };
    for (int i = 0; i < p.chasers; ++i) d.discs.push_back({at(s.x[i]), at(s.y[i]), 10 * p.reach, palette::sky});
    for (int i = 0; i <= p.chasers; ++i)
      d.discs.push_back({at(s.x[i]), at(s.y[i]), 0.4f, i < p.chasers ? palette::blue : palette::orange});
    d.text = {"step " + std::to_string(s.step) + (s.caught ? ", caught" : "")};
  }

 private:
  SHOAL_FN static void move(State& s, int i, float x, float y) {
    s.x[i] = clamp(s.x[i] + x, -1, 1);
    s.y[i] = clamp(s.y[i] + y, -1, 1);
  }

  /// From chaser i to the evader.
  SHOAL_FN static float distance(Params const& p, State const& s, int i) {
    float const x = s.x[i] - s.x[p.chasers], y = s.y[i] - s.y[p.chasers];
    return sqrtf(x * x + y * y);
  }
};

}  // namespace shoal
