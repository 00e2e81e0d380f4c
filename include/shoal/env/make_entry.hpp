// Makes an environment's entry in the registry. Included by one unit for each environment, which
// cmake/Environments.cmake writes, or cmake/AddEnvironment.cmake for a plugin.
#pragma once

#include <memory>

#include "shoal/env/cpu_simulator.hpp"
#include "shoal/env/cuda_simulator.hpp"
#include "shoal/env/entry.hpp"

// A plugin may be for the CPU alone where shoal::sim has CUDA.
#if defined(SHOAL_HAS_CUDA) && !defined(SHOAL_ENTRY_CPU_ONLY)
#define SHOAL_ENTRY_HAS_CUDA 1
#else
#define SHOAL_ENTRY_HAS_CUDA 0
#endif

namespace shoal {

namespace detail {

/// Prepared parameters. Where the environment has profiles, `profile` is read first: the others' defaults depend on it.
template <class Env>
typename Env::Params read_params(Settings const& settings) {
  typename Env::Params params;
  if constexpr (requires { Env::preset(params); }) {
    read_settings(params, settings);
    auto const profile = params.profile;
    params = {};
    params.profile = profile;
    Env::preset(params);
  }
  read_settings(params, settings);
  Env::prepare(params);
  return params;
}

/// The simulator of the smallest variant that the parameters fit into.
template <class Env>
std::unique_ptr<Simulator> make_on_cpu(typename Env::Params const& params, SimulatorOptions const& options) {
  if constexpr (requires { typename Env::Smaller; })
    if (Env::Smaller::fits(params)) return make_on_cpu<typename Env::Smaller>(params, options);
  return std::make_unique<CpuSimulator<Env>>(params, options);
}

[[noreturn]] inline void refuse_cuda() {
  throw InputError("device = \"cuda\": this build has no CUDA; expected \"cpu\"");
}

template <class Env>
std::unique_ptr<Heuristic> heuristic(Settings const& settings, Device device) {
  if constexpr (HasHeuristic<Env>) {
    auto const params = read_params<Env>(settings);
    if (device == Device::cpu) return std::make_unique<CpuHeuristic<Env>>(params);
#if SHOAL_ENTRY_HAS_CUDA
    return make_cuda_heuristic<Env>(params);
#else
    refuse_cuda();
#endif
  } else {
    return nullptr;
  }
}

template <class Env>
std::unique_ptr<Simulator> make(Settings const& settings, SimulatorOptions const& options) {
  auto const params = read_params<Env>(settings);
  if (options.device == Device::cpu) return make_on_cpu<Env>(params, options);
#if SHOAL_ENTRY_HAS_CUDA
  return make_cuda_simulator<Env>(params, options);
#else
  refuse_cuda();
#endif
}

template <class Env>
Settings with_agents(int agents) {
  if constexpr (requires { Env::with_agents(agents); })
    return Env::with_agents(agents);
  else
    throw SettingError("agents", " = " + std::to_string(agents) + ": " + Env::name + " has a fixed number of agents");
}

}  // namespace detail

template <class Env>
EnvironmentEntry environment_entry() {
  return {Env::name,
          [] {
            auto const params = detail::read_params<Env>({});
            return EnvironmentInfo{Env::name, Env::summary, list_fields<typename Env::Params>(), spec_of<Env>(params),
                                   HasHeuristic<Env>};
          },
          [](Settings const& settings) { return to_settings(detail::read_params<Env>(settings)); },
          detail::with_agents<Env>,
          detail::make<Env>,
          detail::heuristic<Env>};
}

}  // namespace shoal
