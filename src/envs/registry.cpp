#include <fmt/format.h>

#include "envs/list.hpp"
#include "shoal/core/text.hpp"
#include "src/envs/entry.hpp"

namespace shoal {

namespace {

template <class... Env>
std::vector<EnvironmentEntry> entries(std::tuple<Env...>*) {
  return {environment_entry<Env>()...};
}

std::vector<EnvironmentEntry> const& registry() {
  static auto const all = shoal::entries(static_cast<AllEnvironments*>(nullptr));
  return all;
}

EnvironmentEntry const& find(std::string const& name) {
  std::string known;
  for (auto const& e : registry()) {
    if (e.name == name) return e;
    known += (known.empty() ? "" : ", ") + fmt::format("\"{}\"", e.name);
  }
  throw SettingError("name", fmt::format(" = \"{}\": expected one of {}", printable(name, 80), known));
}

}  // namespace

std::vector<EnvironmentInfo> environments() {
  std::vector<EnvironmentInfo> all;
  for (auto const& e : registry()) all.push_back(e.info());
  return all;
}

std::unique_ptr<Simulator> make_simulator(std::string const& environment, Settings const& params,
                                          SimulatorOptions const& options) {
  return find(environment).make(params, options);
}

std::unique_ptr<Heuristic> make_heuristic(std::string const& environment, Settings const& params, Device device) {
  return find(environment).heuristic(params, device);
}

Settings resolve_params(std::string const& environment, Settings const& params) {
  return find(environment).resolve(params);
}

Settings params_with_agents(std::string const& environment, int agents) {
  return find(environment).with_agents(agents);
}

}  // namespace shoal
