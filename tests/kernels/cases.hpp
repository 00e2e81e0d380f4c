// The games that CPU and CUDA play against each other. Episodes are short: they end and begin again in a few steps.
#pragma once

#include <string>
#include <vector>

#include "player.hpp"
#include "support/driver.hpp"

namespace shoal {

struct Case {
  std::string name, environment;
  Settings params;
  ObservationOptions observation = {};
  Play play = Play::random;
  friend void PrintTo(Case const& c, std::ostream* out) { *out << c.name; }
};

inline Settings three_players() {
  std::vector<double> payoffs;
  for (int k = 0; k < 2 * 3 * 2 * 3; ++k) payoffs.push_back(0.37 * (k * 7 % 11) - 1.5);
  return {{"actions", std::vector<double>{2, 3, 2}},
          {"payoffs", payoffs},
          {"memory", std::int64_t(2)},
          {"rounds", std::int64_t(6)},
          {"continuation", 0.8},
          {"group_1", std::int64_t(1)},
          {"altruism_1", 0.25},
          {"altruism_sd_1", 0.125},
          {"altruism_sd_2", 0.5}};
}

inline Settings market(int merchants, Settings more = {}) {
  more.insert({{"merchants", std::int64_t(merchants)}, {"steps", std::int64_t(5)}});
  return more;
}

/// Every environment as tests/env has it, and what only a team of lanes can get wrong.
inline std::vector<Case> all_cases() {
  std::vector<Case> all = {
      {"market_5", "market", market(5)},
      {"matrix_game_3", "matrix_game", three_players()},
      {"market_16", "market", market(16, {{"arrival", 0.3}})},
      {"market_ties", "market", market(5, {{"arrival", 0.7}}), {}, Play::ties},
      {"market_discrete_ties", "market", market(16, {{"actions", std::string("discrete")}}), {}, Play::ties},
      {"market_options",
       "market",
       market(5, {{"penalty", std::string("expected")}, {"terminal_unwind", false}, {"type_uses_probabilities", true}}),
       {.indication = Indication::agent, .width = 40}},
      {"market_untyped", "market", market(5, {{"penalty", std::string("quadratic")}}), {.type = false}},
      {"matrix_game_padded",
       "matrix_game",
       three_players(),
       {.type = true, .indication = Indication::agent, .width = 64}},
      {"switch_state", "switch", {{"max_steps", std::int64_t(7)}}, {.central_critic = true}},
      {"pursuit_state", "pursuit", {{"max_cycles", std::int64_t(5)}}, {.width = 160, .central_critic = true}},
  };
  for (auto const& variant : all_variants())
    all.push_back({"any_" + variant.name, variant.environment, variant.params});
  return all;
}

inline std::vector<Case> const& cases() {
  static auto const all = all_cases();
  return all;
}

inline SimulatorOptions options_of(Case const& c, int instances, std::uint32_t seed, Device device) {
  SimulatorOptions options{.instances = instances, .seed = seed, .device = device, .observation = c.observation};
  options.observation.pad_groups = true;  // a DevicePlayer holds one group
  return options;
}

inline std::unique_ptr<Simulator> simulator(Case const& c, int instances, std::uint32_t seed, Device device) {
  return make_simulator(c.environment, c.params, options_of(c, instances, seed, device));
}

/// One environment of each kind, for what does not depend on parameters.
inline Case const& market_case() { return cases()[0]; }
inline Case const& matrix_game_case() { return cases()[1]; }

}  // namespace shoal
