// Whether a spec says what all shapes can derive from.
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "src/env/properties.hpp"

namespace shoal {

namespace {

/// The first text that is not empty.
template <class Range, class F>
std::string first_of(Range const& range, F f) {
  for (auto const& item : range)
    if (std::string const text = f(item); !text.empty()) return text;
  return {};
}

std::string bad_names(std::string const& what, auto const& items, auto name_of) {
  std::set<std::string> seen;
  return first_of(items, [&](auto const& item) -> std::string {
    auto const& name = name_of(item);
    if (name.empty()) return fmt::format("{}: one has no name", what);
    return seen.insert(name).second ? "" : fmt::format("{}: \"{}\" is there twice", what, name);
  });
}

std::string bad_names(std::string const& what, auto const& items) {
  return bad_names(what, items, [](auto const& item) -> std::string const& { return item.name; });
}

std::string bad_group(Group const& g) {
  auto const of = fmt::format("group \"{}\"", g.name);
  if (g.agents < 1) return fmt::format("{}: {} agents, expected at least 1", of, g.agents);
  if (g.observation < 1) return fmt::format("{}: an observation of {} reals, expected at least 1", of, g.observation);
  if (g.type < 0) return fmt::format("{}: a type of {} reals, expected at least 0", of, g.type);
  if (g.continuous.empty() && g.discrete.empty()) return fmt::format("{}: no heads; expected at least one action", of);
  if (g.masked && g.discrete.empty()) return fmt::format("{}: masked, but without discrete heads", of);
  auto text = bad_names(of + ", continuous heads", g.continuous);
  if (text.empty()) text = bad_names(of + ", discrete heads", g.discrete);
  if (text.empty())
    text = first_of(g.continuous, [&](ContinuousHead const& h) -> std::string {
      if (std::isfinite(h.low) && std::isfinite(h.high) && h.low < h.high) return "";
      return fmt::format("{}, head \"{}\": in [{}, {}], expected low < high, both finite", of, h.name, h.low, h.high);
    });
  if (text.empty())
    text = first_of(g.discrete, [&](DiscreteHead const& h) -> std::string {
      return h.choices > 0 ? ""
                           : fmt::format("{}, head \"{}\": {} choices, expected at least 1", of, h.name, h.choices);
    });
  return text;
}

std::string bad_supertype(Supertype const& s) {
  auto const text = bad_names(fmt::format("supertype \"{}\", coordinates", s.name), s.coordinates);
  if (!text.empty()) return text;
  return first_of(s.coordinates, [&](Coordinate const& c) -> std::string {
    if (std::isfinite(c.low) && std::isfinite(c.high) && c.low <= c.initial && c.initial <= c.high) return "";
    return fmt::format("supertype \"{}\", coordinate \"{}\": {} in [{}, {}], expected finite low <= initial <= high",
                       s.name, c.name, c.initial, c.low, c.high);
  });
}

std::string bad_assignment(Spec const& spec) {
  if (int(spec.supertype_of.size()) != spec.agents())
    return fmt::format("supertype_of: {} values, expected {}, one for each agent", spec.supertype_of.size(),
                       spec.agents());
  return first_of(spec.supertype_of, [&](int s) -> std::string {
    if (s >= 0 && s < int(spec.supertypes.size())) return "";
    return fmt::format("supertype_of: {}, expected one in [0, {})", s, spec.supertypes.size());
  });
}

}  // namespace

Finding spec_is_consistent(Subject const& subject) {
  auto const simulator = subject.simulator({});
  auto const& spec = simulator->spec();
  if (spec.max_episode_steps < 1)
    return {false, fmt::format("max_episode_steps = {}: expected at least 1", spec.max_episode_steps)};
  auto text = first_of(spec.groups, bad_group);
  if (text.empty()) text = bad_names("groups", spec.groups);
  if (text.empty()) text = bad_names("supertypes", spec.supertypes);
  if (text.empty()) text = first_of(spec.supertypes, bad_supertype);
  if (text.empty()) text = bad_assignment(spec);
  auto const& metrics = simulator->metric_names();
  if (text.empty())
    text = bad_names("metrics", metrics, [](std::string const& name) -> std::string const& { return name; });
  return unless(text, fmt::format("{} {}, {} agents, {} metrics", spec.groups.size(),
                                  spec.groups.size() == 1 ? "group" : "groups", spec.agents(), metrics.size()));
}

}  // namespace shoal
