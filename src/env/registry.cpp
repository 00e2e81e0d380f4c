#include <fmt/format.h>

#include "shoal/core/text.hpp"
#include "shoal/env/cpu_simulator.hpp"
#include "shoal/env/cuda_simulator.hpp"
#include "shoal/envs/all.hpp"

namespace shoal {

namespace {

template <class Env>
typename Env::Params read_params(Settings const& settings) {
  typename Env::Params params;
  read_settings(params, settings);
  Env::prepare(params);
  return params;
}

template <class Env>
std::unique_ptr<Simulator> make(Settings const& settings, SimulatorOptions const& options) {
  auto const params = read_params<Env>(settings);
  if constexpr (requires { typename Env::Smaller; })
    if (Env::Smaller::fits(params)) return make<typename Env::Smaller>(settings, options);
  if (options.device == Device::cpu) return std::make_unique<CpuSimulator<Env>>(params, options);
#ifdef SHOAL_HAS_CUDA
  return make_cuda_simulator<Env>(params, options);
#else
  throw InputError("device = \"cuda\": this build has no CUDA; expected \"cpu\"");
#endif
}

struct Entry {
  char const* name;
  EnvironmentInfo (*info)();
  Settings (*resolve)(Settings const&);
  Settings (*with_agents)(int agents);
  std::unique_ptr<Simulator> (*make)(Settings const&, SimulatorOptions const&);
};

template <class Env>
Entry entry() {
  return {Env::name,
          [] {
            auto const params = read_params<Env>({});
            return EnvironmentInfo{Env::name, Env::summary, list_fields<typename Env::Params>(), Env::spec(params)};
          },
          [](Settings const& settings) { return to_settings(read_params<Env>(settings)); }, Env::with_agents,
          make<Env>};
}

template <class... Env>
std::vector<Entry> entries(std::tuple<Env...>*) {
  return {entry<Env>()...};
}

std::vector<Entry> const& registry() {
  static auto const all = entries(static_cast<AllEnvironments*>(nullptr));
  return all;
}

Entry const& find(std::string const& name) {
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

Settings resolve_params(std::string const& environment, Settings const& params) {
  return find(environment).resolve(params);
}

Settings params_with_agents(std::string const& environment, int agents) {
  return find(environment).with_agents(agents);
}

}  // namespace shoal
