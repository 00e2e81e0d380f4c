// The games that CPU and CUDA play against each other: short episodes, so that they end and begin again within a few steps.
#pragma once

#include <string>
#include <vector>

#include "player.hpp"

namespace shoal {

struct Case {
  char const* name;
  char const* environment;
  Settings params;
  ObservationOptions observation = {};
  Play play = Play::random;
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

inline std::vector<Case> const& cases() {
  static std::vector<Case> const all = {
      {"market_2", "market", market(2)},
      {"market_5", "market", market(5)},
      {"market_16", "market", market(16, {{"arrival", 0.3}})},
      {"market_discrete", "market", market(5, {{"actions", std::string("discrete")}})},
      {"market_ties", "market", market(5, {{"arrival", 0.7}}), {}, Play::ties},
      {"market_discrete_ties", "market", market(16, {{"actions", std::string("discrete")}}), {}, Play::ties},
      {"market_options",
       "market",
       market(5, {{"penalty", std::string("expected")}, {"terminal_unwind", false}, {"type_uses_probabilities", true}}),
       {.indication = true, .width = 40}},
      {"market_untyped", "market", market(5, {{"penalty", std::string("quadratic")}}), {.type = false}},
      {"matrix_game_2", "matrix_game", {{"rounds", std::int64_t(4)}}},
      {"matrix_game_3", "matrix_game", three_players()},
      {"matrix_game_padded", "matrix_game", three_players(), {.type = true, .indication = true, .width = 64}},
  };
  return all;
}

inline SimulatorOptions options_of(Case const& c, int instances, std::uint32_t seed, Device device) {
  return {.instances = instances, .seed = seed, .device = device, .observation = c.observation};
}

inline std::unique_ptr<Simulator> simulator(Case const& c, int instances, std::uint32_t seed, Device device) {
  return make_simulator(c.environment, c.params, options_of(c, instances, seed, device));
}

/// One environment of each kind, for what does not depend on parameters.
inline Case const& market_case() { return cases()[1]; }
inline Case const& matrix_game_case() { return cases()[9]; }

}  // namespace shoal
