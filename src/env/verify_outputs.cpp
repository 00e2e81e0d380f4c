// What a step writes: every cell, nothing beside them, finite figures, masks, the global state.
#include <fmt/format.h>

#include <cmath>

#include "src/env/properties.hpp"

namespace shoal {

namespace {

/// Everything that rows of observations can hold.
SimulatorOptions with_all(Subject const& subject, int instances) {
  SimulatorOptions options{.instances = instances, .seed = 3};
  options.observation.central_critic = has_state(subject);
  return options;
}

std::string not_finite(Player const& p, int i) {
  return for_each_agent(p, [&](int g, int a) -> std::string {
    auto const& out = p.out[std::size_t(g)];
    auto const fail = [&](auto const& what, float x) { return fmt::format("{}, {}: {}", place(p, i, g, a), what, x); };
    for (int k = 0; k < out.observations.extents[2]; ++k) {
      if (float const x = out.observations(i, a, k); !std::isfinite(x))
        return fail(fmt::format("observation {}", k), x);
      if (float const x = out.final_observations(i, a, k); p.ended(i) && !std::isfinite(x))
        return fail(fmt::format("final observation {}", k), x);
    }
    if (float const x = out.rewards(i, a); p.steps > 0 && !std::isfinite(x)) return fail("reward", x);
    return "";
  });
}

std::string metrics_not_finite(Player const& p) {
  auto const sums = p->metrics().sums;
  for (int i = 0; i < p.instances(); ++i)
    for (int k = 0; k < sums.extents[1]; ++k)
      if (!std::isfinite(sums(i, k)))
        return fmt::format("instance {}, {} episodes, metric {}: {}", i, p.episodes(i),
                           p->metric_names()[std::size_t(k)], sums(i, k));
  return {};
}

std::string bad_mask(Player const& p, int i) {
  return for_each_agent(p, [&](int g, int a) -> std::string {
    int first = 0;
    for (auto const& head : p.group(g).discrete) {
      int legal = 0;
      for (int c = 0; c < head.choices; ++c) {
        auto const mask = p.out[std::size_t(g)].masks(i, a, first + c);
        auto const fail = [&](char const* why) {
          return fmt::format("{}, head \"{}\", choice {}: a mask of {}{}", place(p, i, g, a), head.name, c, mask, why);
        };
        if (mask > 1) return fail(", expected 0 or 1");
        if (mask == 0 && !p.group(g).masked) return fail(", but the spec says that the group is not masked");
        legal += mask;
      }
      if (legal == 0) return fmt::format("{}, head \"{}\": no choice is legal", place(p, i, g, a), head.name);
      first += head.choices;
    }
    return "";
  });
}

/// Bounds for `a`, and far beyond the same bounds for `b`; any choices for both, legal or not.
void choose_bounds(Player& a, Player& b) {
  a.choose();
  for (int g = 0; g < a.groups(); ++g)
    for (int i = 0; i < a.instances(); ++i)
      for (int agent = 0; agent < a.group(g).agents; ++agent) {
        for (std::size_t h = 0; h < a.group(g).continuous.size(); ++h) {
          auto const& head = a.group(g).continuous[h];
          bool const low = (a.steps + i + agent + int(h)) % 2 == 0;
          a.continuous(g, i, agent, h) = low ? head.low : head.high;
          b.continuous(g, i, agent, h) = low ? head.low - 1e6f : head.high + 1e6f;
        }
        for (std::size_t h = 0; h < a.group(g).discrete.size(); ++h)
          b.discrete(g, i, agent, h) = a.discrete(g, i, agent, h) =
              (a.steps + i + 3 * agent + int(h)) % a.group(g).discrete[h].choices;
      }
}

}  // namespace

Finding writes_all(Subject const& subject) {
  auto const options = with_all(subject, 3);
  auto a = play(subject, options), b = play(subject, options);
  b.poison = 0xc3;
  auto const text = difference_of_play(a, 0, b, 0, 3, some_steps(a.spec()));
  return unless(text.empty() ? text : text + ", as memory held other bytes");
}

Finding writes_nothing_else(Subject const& subject) {
  for (bool const typed : {true, false}) {
    auto options = with_all(subject, 3);
    options.observation.type = typed;
    auto p = play(subject, options);
    p.reset();
    for (int t = 0; t < some_steps(p.spec()) && p.written_beside().empty(); ++t) p.step();
    p->observe(p.out);
    if (auto const text = p.written_beside(); !text.empty())
      return {false, text + (typed ? "" : ", where types are not observed")};
  }
  return {};
}

/// Rewards and own observations are those of a player with all outputs.
Finding outputs_are_optional(Subject const& subject) {
  SimulatorOptions options{.instances = 3, .seed = 3};
  auto all = play(subject, options);
  options.observation.type = false;
  auto required = play(subject, options, Outputs::required);
  auto const unlike = [&](int i) {
    return for_each_agent(all, [&](int g, int a) -> std::string {
      auto const &x = all.out[std::size_t(g)], &y = required.out[std::size_t(g)];
      for (int k = 0; k < all.group(g).observation; ++k)
        if (x.observations(i, a, k) != y.observations(i, a, k))
          return fmt::format("{}, observation {}: {}, without types and masks {}", place(all, i, g, a), k,
                             x.observations(i, a, k), y.observations(i, a, k));
      if (all.steps > 0 && x.rewards(i, a) != y.rewards(i, a))
        return fmt::format("{}, reward: {}, without types and masks {}", place(all, i, g, a), x.rewards(i, a),
                           y.rewards(i, a));
      return "";
    });
  };
  all.reset(), required.reset();
  for (int t = 0; t < some_steps(all.spec()); ++t) {
    for (int i = 0; i < 3; ++i)
      if (auto const text = unlike(i); !text.empty()) return {false, text};
    all.step();
    required.act(all.in);
  }
  return {};
}

Finding figures_are_finite(Subject const& subject) {
  auto p = play(subject, with_all(subject, 16));
  p.reset();
  for (int t = 0; t < some_steps(p.spec()); ++t) {
    for (int i = 0; i < p.instances(); ++i)
      if (auto const text = not_finite(p, i); !text.empty()) return {false, text};
    p.step();
  }
  return unless(metrics_not_finite(p), fmt::format("{} instances, {} steps", p.instances(), p.steps));
}

Finding masks_leave_a_choice(Subject const& subject) {
  auto p = play(subject, {.instances = 16, .seed = 3});
  bool masked = false;
  for (auto const& group : p.spec().groups) masked |= group.masked;
  p.reset();
  for (int t = 0; t < some_steps(p.spec()); ++t) {
    for (int i = 0; i < p.instances(); ++i)
      if (auto const text = bad_mask(p, i); !text.empty()) return {false, text};
    p.step();
  }
  return {true, masked ? "" : "nothing is masked"};
}

Finding bounds_limit_actions(Subject const& subject) {
  auto const options = with_all(subject, 8);
  auto a = play(subject, options), b = play(subject, options);
  a.reset(), b.reset();
  for (int t = 0; t < some_steps(a.spec()); ++t) {
    choose_bounds(a, b);
    a.act(), b.act();
    for (int i = 0; i < a.instances(); ++i) {
      if (auto const text = not_finite(a, i); !text.empty()) return {false, text};
      if (auto const text = difference(a, i, b, i); !text.empty())
        return {false, text + ", where continuous actions are beyond their bounds"};
    }
    if (auto const text = b.written_beside(); !text.empty()) return {false, text};
  }
  return {};
}

Finding state_ends_rows(Subject const& subject) {
  auto plain = play(subject, {.instances = 4, .seed = 3});
  if (plain.spec().state == 0) return {true, "there is none"};
  auto both = play(subject, with_all(subject, 4));
  auto const wrong = [&](int i) {
    std::vector<float> first;  // that of the first agent that lives
    return for_each_agent(both, [&](int g, int a) -> std::string {
      if (!both.alive(i, both.spec().first_agent(g) + a)) return "";
      auto const& row = both.out[std::size_t(g)].observations;
      auto const own = row.extents[2] - both.spec().state;
      std::vector<float> const state(&row(i, a, own), &row(i, a, own) + both.spec().state);
      if (first.empty()) first = state;
      for (std::size_t k = 0; k < state.size(); ++k)
        if (state[k] != first[k])
          return fmt::format("{}, global state {}: {}, another agent's {}", place(both, i, g, a), k, state[k],
                             first[k]);
      return "";
    });
  };
  plain.reset(), both.reset();
  for (int t = 0; t < some_steps(plain.spec()); ++t) {
    for (int i = 0; i < 4; ++i) {
      if (auto const text = difference(both, i, plain, i); !text.empty()) return {false, text + " without the state"};
      if (auto const text = wrong(i); !text.empty()) return {false, text};
    }
    plain.step(), both.step();
  }
  return {true, fmt::format("{} reals", plain.spec().state)};
}

}  // namespace shoal
