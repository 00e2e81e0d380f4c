// Episodes: their ends, who lives, what a reset and a profile change, and what scripted agents do.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "src/env/properties.hpp"

namespace shoal {

namespace {

constexpr int most_steps = 4000;  // of whole episodes

bool is_zero(View<float, 1> const& row) {
  bool zero = true;
  for (std::int64_t k = 0; k < row.extents[0]; ++k) zero &= row(k) == 0;
  return zero;
}

// ---- Ends -----------------------------------------------------------------------------------------------------------

/// The bits of Ended that all rows of an instance share where nobody dies.
std::string bad_end(Player const& p, int i) {
  return for_each_agent(p, [&](int g, int a) -> std::string {
    int const ended = p.out[std::size_t(g)].ended(i, a), first = p.out[0].ended(i, 0);
    if (ended > 3) return fmt::format("{}, ended: {}, expected at most 3", place(p, i, g, a), ended);
    if (ended & 2 && !p.spec().may_truncate)
      return fmt::format("{}: truncated, but the spec says that no episode is", place(p, i, g, a));
    if (!p.spec().may_die && ended != first)
      return fmt::format("{}, ended: {}, that of agent 0 is {}", place(p, i, g, a), ended, first);
    return "";
  });
}

std::string bad_count(Player const& p, std::vector<std::int64_t> const& steps_of_ended) {
  auto const metrics = p->metrics();
  auto const length = metrics.sums.extents[1] - 1;
  for (int i = 0; i < p.instances(); ++i) {
    if (metrics.episodes(i) != p.episodes(i))
      return fmt::format("instance {}: {} episodes are counted, {} have ended", i, metrics.episodes(i), p.episodes(i));
    if (auto const sum = metrics.sums(i, length); sum != float(steps_of_ended[std::size_t(i)]))
      return fmt::format("instance {}: episode_length sums to {}, its episodes have {} steps", i, sum,
                         steps_of_ended[std::size_t(i)]);
  }
  return {};
}

// ---- Life -----------------------------------------------------------------------------------------------------------

/// Of an agent that cannot act in the next step.
std::string bad_row(Player const& p, int i, int g, int a) {
  auto const& out = p.out[std::size_t(g)];
  if (!p.spec().may_die) return "is dead, but the spec says that nobody dies";
  if (!is_zero(out.observations(i, a))) return "is dead and observes";
  for (int c = 0; out.masks.data && c < out.masks.extents[2]; ++c)
    if (out.masks(i, a, c) != 1) return fmt::format("is dead and has a mask of {}", out.masks(i, a, c));
  return "";
}

/// Of an agent after a step.
std::string bad_step(Player const& p, int i, int g, int a) {
  auto const& out = p.out[std::size_t(g)];
  int const agent = p.spec().first_agent(g) + a;
  bool const lived = p.acted(i, agent), lives = p.alive(i, agent);
  if (!lived && out.rewards(i, a) != 0) return fmt::format("was dead and earns {}", out.rewards(i, a));
  if (p.ended(i)) return !lived && !is_zero(out.final_observations(i, a)) ? "was dead and observes the end" : "";
  if (!lived && lives) return "comes back to life";
  int const expected = lived && !lives ? 1 : 0;
  if (out.ended(i, a) != expected)
    return fmt::format("has ended = {}, expected {}: {}", out.ended(i, a), expected,
                       expected ? "it has died" : "the episode goes on");
  return "";
}

std::string bad_life(Player const& p, int i) {
  bool any = false;
  auto const text = for_each_agent(p, [&](int g, int a) -> std::string {
    bool const lives = p.alive(i, p.spec().first_agent(g) + a);
    any |= lives;
    auto problem = p.steps > 0 ? bad_step(p, i, g, a) : "";
    if (problem.empty() && !lives) problem = bad_row(p, i, g, a);
    return problem.empty() ? problem : fmt::format("{}: {}", place(p, i, g, a), problem);
  });
  if (!text.empty() || any) return text;
  return fmt::format("instance {}, step {}: nobody lives, and the episode goes on", i, p.steps);
}

void let_the_dead_choose_first(Player& p) {
  for (int g = 0; g < p.groups(); ++g)
    for (int i = 0; i < p.instances(); ++i)
      for (int a = 0; a < p.group(g).agents; ++a) {
        if (p.alive(i, p.spec().first_agent(g) + a)) continue;
        for (std::size_t h = 0; h < p.group(g).continuous.size(); ++h)
          p.continuous(g, i, a, h) = p.group(g).continuous[h].low;
        for (std::size_t h = 0; h < p.group(g).discrete.size(); ++h) p.discrete(g, i, a, h) = 0;
      }
}

// ---- Heuristic ------------------------------------------------------------------------------------------------------

/// What the heuristic takes and gives for a group: contiguous arrays.
struct HeuristicRows {
  std::vector<float> observations, continuous;
  std::vector<std::uint8_t> masks;
  std::vector<std::int32_t> discrete;
};

template <class T>
std::vector<T> contiguous(View<T, 3> const& rows) {
  std::vector<T> values;
  for (int i = 0; rows.data && i < rows.extents[0]; ++i)
    for (int a = 0; a < rows.extents[1]; ++a)
      for (int k = 0; k < rows.extents[2]; ++k) values.push_back(rows(i, a, k));
  return values;
}

HeuristicRows chosen(Player const& p, Heuristic const& heuristic, int g, bool all) {
  auto const& group = p.group(g);
  auto const& out = p.out[std::size_t(g)];
  auto const n = std::size_t(p.instances() * group.agents);
  HeuristicRows rows{contiguous(out.observations), {}, contiguous(out.masks), {}};
  rows.continuous.assign(n * group.continuous.size(), std::numeric_limits<float>::quiet_NaN());
  rows.discrete.assign(n * group.discrete.size(), -1);
  std::uint32_t const stage = 1;
  HeuristicArgs const args{.random = {5, 0, 0, std::uint32_t(p.steps)},
                           .stage = &stage,
                           .instances = p.instances(),
                           .agents = group.agents,
                           .all_agents = group.agents,
                           .first_agent = p.spec().first_agent(g),
                           .which = nullptr,
                           .observations = rows.observations.data(),
                           .width = int(out.observations.extents[2]),
                           .type_at = all && group.type > 0 ? group.observation : -1,
                           .masks = all && group.masked ? rows.masks.data() : nullptr,
                           .continuous = rows.continuous.data(),
                           .discrete = rows.discrete.data(),
                           .continuous_heads = int(group.continuous.size()),
                           .discrete_heads = int(group.discrete.size()),
                           .total_choices = group.choices(),
                           .common = 1};
  heuristic.act(args, 0, args.rows(), nullptr);
  return rows;
}

/// Enters the choices of one agent. @return what is wrong with them
std::string take(Player& p, HeuristicRows const& rows, int i, int g, int a, bool all) {
  auto const& group = p.group(g);
  auto const row = std::size_t(i * group.agents + a);
  for (std::size_t h = 0; h < group.continuous.size(); ++h) {
    auto const& head = group.continuous[h];
    float const x = p.continuous(g, i, a, h) = rows.continuous[row * group.continuous.size() + h];
    if (!(x >= head.low && x <= head.high))
      return fmt::format("head \"{}\": {}, expected a value in [{}, {}]", head.name, x, head.low, head.high);
  }
  int first = 0;
  for (std::size_t h = 0; h < group.discrete.size(); ++h) {
    auto const& head = group.discrete[h];
    auto const x = p.discrete(g, i, a, h) = rows.discrete[row * group.discrete.size() + h];
    if (x < 0 || x >= head.choices)
      return fmt::format("head \"{}\": {}, expected a choice in [0, {})", head.name, x, head.choices);
    if (all && group.masked && !p.out[std::size_t(g)].masks(i, a, first + x))
      return fmt::format("head \"{}\": {}, which is illegal", head.name, x);
    first += head.choices;
  }
  return "";
}

}  // namespace

Finding episodes_end(Subject const& subject) {
  auto p = play(subject, {.instances = 4, .seed = 3});
  int const longest = p.spec().max_episode_steps, steps = std::min(2 * longest + 1, most_steps);
  std::vector<std::int64_t> length(4), ended(4);
  p.reset();
  for (int t = 0; t < steps; ++t) {
    p.step();
    for (int i = 0; i < 4; ++i) {
      if (auto const text = bad_end(p, i); !text.empty()) return {false, text};
      if (++length[std::size_t(i)] >= longest && !p.ended(i))
        return {false, fmt::format("instance {}, step {}: step {} of an episode that goes on, max_episode_steps is {}",
                                   i, p.steps, length[std::size_t(i)], longest)};
      if (p.ended(i)) ended[std::size_t(i)] += std::exchange(length[std::size_t(i)], 0);
    }
  }
  return unless(bad_count(p, ended), fmt::format("{} steps, at most {} an episode", steps, longest));
}

Finding life_is_kept(Subject const& subject) {
  auto p = play(subject, {.instances = 16, .seed = 3});
  p.reset();
  for (int t = 0; t <= some_steps(p.spec()); ++t, p.step())
    for (int i = 0; i < p.instances(); ++i)
      if (auto const text = bad_life(p, i); !text.empty()) return {false, text};
  return {true, p.spec().may_die ? "" : "nobody dies"};
}

Finding dead_have_no_effect(Subject const& subject) {
  auto a = play(subject, {.instances = 32, .seed = 3}), b = play(subject, {.instances = 32, .seed = 3});
  if (!a.spec().may_die) return {true, "nobody dies"};
  a.reset(), b.reset();
  for (int t = 0; t < some_steps(a.spec()); ++t) {
    a.choose(), b.choose();
    let_the_dead_choose_first(b);
    a.act(), b.act();
    for (int i = 0; i < a.instances(); ++i)
      if (auto const text = difference(a, i, b, i); !text.empty())
        return {false, text + ", where the dead act otherwise"};
  }
  return {};
}

/// Two simulators begin different episodes, then play the same one. And what follows an episode's end is what follows a
/// reset.
Finding reset_forgets(Subject const& subject) {
  SimulatorOptions const options{.instances = 16, .seed = 3};
  auto a = play(subject, options), b = play(subject, options);
  a.reset(), b.reset();
  b.steps = 1000;  // other actions
  for (int t = 0; t < std::min(5, a.spec().max_episode_steps); ++t) {
    a.step();
    if (t < 3) b.step();
  }
  a.reset(), b.reset();
  std::vector<int> comparable;
  for (int i = 0; i < a.instances(); ++i)
    if (a.episodes(i) == b.episodes(i)) comparable.push_back(i);
  for (int t = 0; t <= some_steps(a.spec()); ++t, a.step(), b.step())
    for (int const i : comparable)
      if (auto const text = difference(a, i, b, i); !text.empty())
        return {false, text + ", after other first episodes"};

  auto fresh = play(subject, options), p = play(subject, options);
  fresh.reset(), fresh.reset();
  p.reset();
  for (int t = 0; t < std::min(p.spec().max_episode_steps, most_steps); ++t) {
    p.step();
    for (int i = 0; i < p.instances(); ++i)
      if (p.ended(i) && p.episodes(i) == 1)
        if (auto const text = difference(p, i, fresh, i); !text.empty())
          return {false, text + ", at an episode's end here, after a reset there"};
  }
  return {};
}

Finding supertypes_are_read(Subject const& subject) {
  SimulatorOptions const options{.instances = 16, .seed = 3};
  auto changed = play(subject, options), same = play(subject, options);
  auto const& spec = changed.spec();
  if (spec.coordinates() == 0) return {true, "there are no coordinates"};
  changed.reset(), same.reset();
  bool moved = false;
  auto const values = changed->supertypes();
  for (int i = 0; i < changed.instances(); ++i)
    for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
      for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c) {
        auto const& x = spec.supertypes[s].coordinates[c];
        if (values(i, s, c) != x.initial)
          return {false, fmt::format("{}.{} begins with {}, the spec says {}", spec.supertypes[s].name, x.name,
                                     values(i, s, c), x.initial)};
        values(i, s, c) = x.initial < x.high ? x.high : x.low;
        moved |= values(i, s, c) != x.initial;
      }
  if (!moved) return {true, "no coordinate can move"};
  for (int t = 0; t < std::min(5, spec.max_episode_steps); ++t) {
    changed.step(), same.step();
    for (int i = 0; i < changed.instances(); ++i)
      if (auto const text = difference(changed, i, same, i);
          !text.empty() && changed.episodes(i) == 0 && same.episodes(i) == 0)
        return {false, text + ", with a changed profile here, which the running episode should not read"};
  }
  changed.reset(), same.reset();
  for (int t = 0; t <= some_steps(spec); ++t, changed.step(), same.step())
    for (int i = 0; i < changed.instances(); ++i)
      if (changed.episodes(i) == same.episodes(i) && !difference(changed, i, same, i).empty()) return {};
  return {false, "with every coordinate at another bound, the next episodes are the same"};
}

Finding heuristic_is_legal(Subject const& subject) {
  auto const heuristic = subject.heuristic();
  if (!heuristic) return {true, "there is none"};
  for (bool const all : {true, false}) {
    SimulatorOptions options{.instances = 16, .seed = 3};
    options.observation.type = all;
    auto p = play(subject, options);
    p.reset();
    for (int t = 0; t < some_steps(p.spec()); ++t) {
      for (int g = 0; g < p.groups(); ++g) {
        auto const rows = chosen(p, *heuristic, g, all);
        for (int i = 0; i < p.instances(); ++i)
          for (int a = 0; a < p.group(g).agents; ++a)
            if (auto const text = take(p, rows, i, g, a, all); !text.empty())
              return {false, fmt::format("{}, {}{}", place(p, i, g, a), text,
                                         all ? "" : ", where it sees neither types nor masks")};
      }
      p.act();
    }
  }
  return {};
}

}  // namespace shoal
