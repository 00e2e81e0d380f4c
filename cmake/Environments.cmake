# The list of environments, by the names of their structs: MatrixGame is in include/shoal/envs/matrix_game.hpp.
# Each gets a unit for the CPU and one for CUDA in the build folder, so that an edit compiles that environment alone.
# envs/all.hpp has all of them as AllEnvironments, for tests and benchmarks.
set(SHOAL_ENVIRONMENTS Checkers Market MatrixGame Pursuit Recall Switch TwoRole)

set(environment_units "")
set(environment_kernels "")
set(environment_includes "")
foreach(environment ${SHOAL_ENVIRONMENTS})
  string(REGEX REPLACE "([a-z0-9])([A-Z])" "\\1_\\2" header ${environment})
  string(TOLOWER ${header} header)
  set(unit ${PROJECT_BINARY_DIR}/envs/${header}.cpp)
  set(kernel ${PROJECT_BINARY_DIR}/envs/${header}.cu)
  file(CONFIGURE OUTPUT ${unit} @ONLY CONTENT [[
#include "shoal/envs/@header@.hpp"

#include "shoal/env/make_entry.hpp"

template shoal::EnvironmentEntry shoal::environment_entry<shoal::@environment@>();
]])
  file(CONFIGURE OUTPUT ${kernel} @ONLY CONTENT [[
#include "shoal/envs/@header@.hpp"

#include "shoal/env/cuda_heuristic.cuh"
#include "shoal/env/cuda_simulator.cuh"

template std::unique_ptr<shoal::Simulator> shoal::make_cuda_simulator<shoal::@environment@>(
    shoal::@environment@::Params const&, shoal::SimulatorOptions const&);
template std::unique_ptr<shoal::Heuristic> shoal::make_cuda_heuristic<shoal::@environment@>(
    shoal::@environment@::Params const&);
]])
  list(APPEND environment_units ${unit})
  list(APPEND environment_kernels ${kernel})
  string(APPEND environment_includes "#include \"shoal/envs/${header}.hpp\"\n")
endforeach()
if(NOT SHOAL_HAS_CUDA)
  set(environment_kernels "")
endif()

list(JOIN SHOAL_ENVIRONMENTS ", " environments)
list(TRANSFORM SHOAL_ENVIRONMENTS REPLACE ".+" "struct \\0" OUTPUT_VARIABLE environment_structs)
list(JOIN environment_structs ";\n" environment_structs)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/envs/list.hpp @ONLY CONTENT [[
// Every environment's name alone. Written by cmake/Environments.cmake.
#pragma once

#include <tuple>

namespace shoal {
@environment_structs@;
using AllEnvironments = std::tuple<@environments@>;
}  // namespace shoal
]])
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/envs/all.hpp @ONLY CONTENT [[
// Every environment. Written by cmake/Environments.cmake.
#pragma once

@environment_includes@
#include "envs/list.hpp"
]])
