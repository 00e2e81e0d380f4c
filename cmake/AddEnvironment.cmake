# shoal_add_environment(<target> <header> [STRUCT <struct>]): the environment in a header of one's own as a plugin, the
# shared library <target>.so, for the CPU, and for CUDA where shoal has CUDA and there is an nvcc of its major version.
# my_game.hpp defines MyGame, in namespace shoal or outside, unless STRUCT names another struct.
#
# Part of the installed package and of the source tree. Properties of shoal::sim say what it was built for.

# A macro: languages are enabled in the scope of the project.
macro(shoal_add_environment target header)
  get_target_property(_shoal_nvcc shoal::sim SHOAL_NVCC)
  if(_shoal_nvcc AND NOT CMAKE_CUDA_COMPILER_LOADED)
    _shoal_choose_nvcc(_shoal_nvcc)
    if(_shoal_nvcc)
      set(CMAKE_CUDA_COMPILER ${_shoal_nvcc} CACHE FILEPATH "The CUDA compiler")
      if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
        get_target_property(CMAKE_CUDA_ARCHITECTURES shoal::sim SHOAL_CUDA_ARCHITECTURES)
      endif()
      set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # shoal::cudart instead
      # For CMake's check of the compiler only: the Python packages have lib/, where nvcc itself looks into lib64/.
      cmake_path(SET _shoal_lib NORMALIZE ${_shoal_nvcc}/../../lib)
      set(ENV{LIBRARY_PATH} "${_shoal_lib}:$ENV{LIBRARY_PATH}")
      enable_language(CUDA)
    else()
      message(STATUS "shoal: no nvcc found, so ${target} runs on the CPU alone; -DCMAKE_CUDA_COMPILER=<nvcc> adds CUDA")
    endif()
  endif()
  _shoal_add_environment(${target} ${header} ${ARGN})
endmacro()

# The project's own compiler, the one that compiled shoal, PATH's or $CUDA_HOME's; empty: there is none.
function(_shoal_choose_nvcc out)
  find_program(path_nvcc nvcc HINTS $ENV{CUDA_HOME}/bin NO_CACHE)
  set(found "")
  foreach(nvcc ${path_nvcc} ${${out}} $ENV{CUDACXX} ${CMAKE_CUDA_COMPILER})
    if(EXISTS ${nvcc})
      set(found ${nvcc})
    endif()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

function(_shoal_add_environment target header)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "STRUCT" "")
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "shoal_add_environment(${target} ${header} ${ARGN}): expected "
      "shoal_add_environment(<target> <header> [STRUCT <struct>])")
  endif()
  cmake_path(ABSOLUTE_PATH header BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  if(NOT EXISTS ${header} OR IS_DIRECTORY ${header})
    message(FATAL_ERROR "shoal_add_environment(${target} ...): there is no file ${header}")
  endif()
  set(struct "${arg_STRUCT}")
  if(NOT struct)
    cmake_path(GET header STEM struct)
    string(REGEX MATCHALL "[^_]+" words ${struct})
    set(struct "")
    foreach(word ${words})
      string(SUBSTRING ${word} 0 1 initial)
      string(SUBSTRING ${word} 1 -1 rest)
      string(TOUPPER ${initial} initial)
      string(APPEND struct ${initial}${rest})
    endforeach()
  endif()

  get_target_property(interface shoal::sim SHOAL_INTERFACE)
  get_target_property(cuda_major shoal::sim SHOAL_CUDA_MAJOR)
  set(stem ${CMAKE_CURRENT_BINARY_DIR}/${target}_plugin)
  configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.cpp.in ${stem}.cpp @ONLY)
  file(CONFIGURE OUTPUT ${stem}.cu @ONLY CONTENT [[
// Written by shoal_add_environment().
#include "@header@"

#include "shoal/env/cuda_heuristic.cuh"
#include "shoal/env/cuda_simulator.cuh"

namespace shoal {
using PluginEnvironment = @struct@;
template std::unique_ptr<Simulator> make_cuda_simulator<PluginEnvironment>(PluginEnvironment::Params const&,
                                                                           SimulatorOptions const&);
template std::unique_ptr<Heuristic> make_cuda_heuristic<PluginEnvironment>(PluginEnvironment::Params const&);
}  // namespace shoal
]])
  set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)

  add_library(${target} MODULE ${stem}.cpp)
  target_link_libraries(${target} PRIVATE shoal::sim)
  # One symbol is visible, and none is missing until it is loaded.
  target_link_options(${target} PRIVATE LINKER:--version-script=${exports} LINKER:-z,defs)
  set_target_properties(${target} PROPERTIES PREFIX "" SUFFIX .so LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${exports})
  set(cuda $<COMPILE_LANGUAGE:CUDA>)
  if(NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CXX_FLAGS MATCHES "(^| )-O")
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-O3> $<${cuda}:-O3>)
  endif()

  if(NOT cuda_major)
    return()
  endif()
  if(NOT CMAKE_CUDA_COMPILER_LOADED)
    target_compile_definitions(${target} PRIVATE SHOAL_ENTRY_CPU_ONLY=1)
    return()
  endif()
  if(NOT CMAKE_CUDA_COMPILER_VERSION MATCHES "^${cuda_major}\\.")
    message(FATAL_ERROR "shoal_add_environment(${target} ...): ${CMAKE_CUDA_COMPILER} is "
      "${CMAKE_CUDA_COMPILER_VERSION}; shoal was built with CUDA ${cuda_major} and needs an nvcc of that version. "
      "Give -DCMAKE_CUDA_COMPILER=<nvcc>.")
  endif()
  target_sources(${target} PRIVATE ${stem}.cu)
  # As for shoal's own kernels: the CPU's bits, the standard library's constexpr functions.
  target_compile_options(${target} PRIVATE $<${cuda}:-fmad=false> $<${cuda}:--expt-relaxed-constexpr>
    $<${cuda}:--extended-lambda> $<${cuda}:-Xcompiler=-fvisibility=hidden>)
  set_target_properties(${target} PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_RUNTIME_LIBRARY None)
endfunction()
