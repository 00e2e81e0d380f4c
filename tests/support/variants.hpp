// The environments and settings that the tests of every environment run on.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "shoal/env/simulator.hpp"

namespace shoal {

/// An environment with settings that are worth a test.
struct Variant {
  std::string name, environment;
  Settings params;
  friend void PrintTo(Variant const& v, std::ostream* out) { *out << v.name; }
};

/// Settings, beside the defaults, under which the tests of every environment run too. Short episodes, so that resets
/// happen.
inline std::vector<Variant> all_extra_variants() {
  using Reals = std::vector<double>;
  auto const whole = [](int x) { return std::int64_t(x); };
  auto const text = [](char const* x) { return std::string(x); };
  return {
      {"two_merchants", "market", {{"merchants", whole(2)}, {"steps", whole(5)}}},
      {"discrete",
       "market",
       {{"merchants", whole(16)},
        {"steps", whole(4)},
        {"actions", text("discrete")},
        {"arrival", 0.3},
        {"penalty", text("downside")},
        {"type_uses_probabilities", true}}},
      {"supertypes",
       "market",
       {{"merchants", whole(6)},
        {"steps", whole(4)},
        {"supertype_of", Reals{3, 1, 2, 2, 4, 1}},
        {"tolerance_variance_2", 0.0625}}},
      {"three_players",
       "matrix_game",
       {{"actions", Reals{2, 3, 1}},
        {"payoffs", Reals{1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3, -4, -5, -6, -7, -8, -9}},
        {"memory", whole(2)},
        {"rounds", whole(6)},
        {"continuation", 0.8},
        {"group_1", whole(2)},
        {"altruism_sd_1", 0.5},
        {"altruism_2", -0.25}}},
      {"no_memory", "matrix_game", {{"memory", whole(0)}, {"rounds", whole(3)}}},
      {"crowded",
       "pursuit",
       {{"x_size", whole(5)}, {"y_size", whole(7)}, {"n_evaders", whole(2)}, {"max_cycles", whole(6)}}},
      {"pairs",
       "pursuit",
       {{"n_pursuers", whole(12)},
        {"n_evaders", whole(10)},
        {"obs_range", whole(5)},
        {"surround", false},
        {"shared_reward", false},
        {"constraint_window", 0.6},
        {"max_cycles", whole(5)}}},
      {"paper",
       "pursuit",
       {{"profile", text("paper")}, {"stale", false}, {"x_size", whole(8)}, {"max_cycles", whole(7)}}},
      {"old", "checkers", {{"profile", text("old")}, {"max_steps", whole(9)}}},
      {"full", "checkers", {{"full", true}, {"clock", true}, {"max_steps", whole(9)}}},
      {"role",
       "recall",
       {{"agents", whole(5)}, {"cues", whole(3)}, {"delay", whole(3)}, {"role", true}, {"reward", text("mixed")}}},
      {"at_once", "recall", {{"agents", whole(2)}, {"delay", whole(0)}, {"reward", text("shared")}}},
      {"disjoint", "two_role", {{"disjoint", true}}},
      {"old", "switch", {{"profile", text("old")}, {"n_agents", whole(3)}, {"max_steps", whole(9)}}},
      {"full", "switch", {{"n_agents", whole(4)}, {"full", true}, {"clock", true}, {"max_steps", whole(9)}}},
  };
}

inline std::vector<Variant> extra_variants(std::string const& environment) {
  auto variants = all_extra_variants();
  std::erase_if(variants, [&](Variant const& v) { return v.environment != environment; });
  return variants;
}

/// Every environment with its defaults, each followed by its extra variants.
inline std::vector<Variant> all_variants() {
  std::vector<Variant> all;
  for (auto const& info : environments()) {
    all.push_back({info.name, info.name, {}});
    for (auto const& v : extra_variants(info.name)) all.push_back({info.name + "_" + v.name, info.name, v.params});
  }
  return all;
}

}  // namespace shoal
