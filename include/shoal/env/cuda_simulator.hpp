// The CUDA backend's entry. Defined by env/cuda_simulator.cuh, in one unit for each environment
// (cmake/Environments.cmake).
#pragma once

#include <memory>

#include "shoal/env/simulator.hpp"

namespace shoal {

/// The simulator of the smallest variant that the parameters fit into. `params` must be prepared. Allocates on the
/// current CUDA device.
/// @throws InputError where there is no CUDA device
template <class Env>
std::unique_ptr<Simulator> make_cuda_simulator(typename Env::Params const& params, SimulatorOptions const& options);

}  // namespace shoal
