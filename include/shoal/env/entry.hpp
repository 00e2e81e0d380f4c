// What the registry knows of an environment.
#pragma once

#include <memory>

#include "shoal/env/heuristic.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

struct EnvironmentEntry {
  char const* name;
  EnvironmentInfo (*info)();
  Settings (*resolve)(Settings const&);
  Settings (*with_agents)(int agents);
  std::unique_ptr<Simulator> (*make)(Settings const&, SimulatorOptions const&);
  std::unique_ptr<Heuristic> (*heuristic)(Settings const&, Device);
};

/// Defined in one unit for each environment (make_entry.hpp), so that an edit of one compiles that one alone.
template <class Env>
EnvironmentEntry environment_entry();

}  // namespace shoal
