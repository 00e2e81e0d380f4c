// What the contract (contract.hpp) asks of an environment and the compiler cannot see, tried on the CPU through a
// simulator: `shoal verify`, and the tests of shoal's own environments.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shoal/env/heuristic.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// What is verified: an environment with parameters.
struct Subject {
  std::function<std::unique_ptr<Simulator>(SimulatorOptions const&)> simulator;
  std::function<std::unique_ptr<Heuristic>()> heuristic = [] { return nullptr; };  // null: it has none
};

/// @throws as make_simulator
Subject subject(std::string const& environment, Settings const& params);

/// What came out of examining a property.
struct Finding {
  bool holds = true;
  /// Where it does not hold: instance, step (0: after the reset), agent (numbered through all groups) and values. Else
  /// what there was to try, empty if the property says all.
  std::string text = {};
};

/// One thing that is asked of every environment.
struct Property {
  char const* name;
  char const* meaning;  // what holds, in one line
  Finding (*examine)(Subject const&);
};

/// In the order in which they are to be examined. Where the first does not hold, the others may crash.
std::vector<Property> const& properties();

/// An exception counts as a finding: the property does not hold.
Finding examine(Property const& property, Subject const& subject);

}  // namespace shoal
