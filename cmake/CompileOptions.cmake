# How our own code is compiled. shoal_exact goes to users too (bit equality depends on it), shoal_warnings never.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

set(cxx $<COMPILE_LANGUAGE:CXX>)
set(cuda $<COMPILE_LANGUAGE:CUDA>)

# A project that embeds shoal without a build type would get it at a thirteenth of its speed.
if(NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CXX_FLAGS MATCHES "(^| )-O")
  message(STATUS "shoal: no CMAKE_BUILD_TYPE, so shoal itself is compiled with -O3")
  add_compile_options($<${cxx}:-O3> $<${cuda}:-O3>)
endif()

# ---- Exactness: results are the same on CPU and GPU: never -ffast-math, a * b + c is rounded twice ------------------
# Nobody reads floating-point exceptions or errno: without them loops over clamp(), tanh() and sqrt() vectorise (tanh: 6 times
# as fast), with the same results.
add_library(shoal_exact INTERFACE)
add_library(shoal::exact ALIAS shoal_exact)
target_compile_features(shoal_exact INTERFACE cxx_std_20)
set(SHOAL_EXACT_FLAGS -ffp-contract=off -fno-trapping-math -fno-math-errno)
target_compile_options(shoal_exact INTERFACE
  "$<${cxx}:${SHOAL_EXACT_FLAGS}>"
  $<${cuda}:-Xcompiler=-ffp-contract=off>)

# ---- Warnings are errors --------------------------------------------------------------------------------------------
option(SHOAL_WERROR "Warnings stop the build; OFF for compilers that warn of more than ours" ${PROJECT_IS_TOP_LEVEL})
mark_as_advanced(SHOAL_WERROR)
add_library(shoal_warnings INTERFACE)
target_compile_options(shoal_warnings INTERFACE
  $<${cxx}:-Wall -Wextra -Wpedantic -Wshadow>
  # nvcc's host code is not pedantic. `default-stream-launch`, part of all-warnings: launches name their stream.
  "$<${cuda}:-Wdefault-stream-launch;-Xcompiler=-Wall,-Wextra>")
if(SHOAL_WERROR)
  target_compile_options(shoal_warnings INTERFACE
    $<${cxx}:-Werror> "$<${cuda}:-Werror=all-warnings;-Xcompiler=-Werror>")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Guesses of GCC's optimizer about inlined library code, often wrong: seen, but they stop no build.
  target_compile_options(shoal_warnings INTERFACE $<${cxx}:-Wno-restrict
    -Wno-error=maybe-uninitialized -Wno-error=array-bounds -Wno-error=stringop-overflow -Wno-error=stringop-overread -Wno-error=stringop-truncation>)
endif()

# ---- Device code ----------------------------------------------------------------------------------------------------
add_compile_options(
  # constexpr functions of the standard library and lambdas in kernels; lines for the profiler, at no cost in speed
  $<${cuda}:--expt-relaxed-constexpr> $<${cuda}:--extended-lambda> $<${cuda}:-lineinfo>)

# ---- Processor and sanitizers: for all of the tree ------------------------------------------------------------------
if(SHOAL_NATIVE)
  add_compile_options($<${cxx}:-march=native> $<${cuda}:-Xcompiler=-march=native>)
endif()
if(SHOAL_SANITIZE)
  add_compile_options(  # vptr checks would need type information that LibTorch hides
    $<${cxx}:-fsanitize=${SHOAL_SANITIZE}> $<${cxx}:-fno-sanitize-recover=all> $<${cxx}:-fno-omit-frame-pointer>
    $<${cxx}:-Wno-maybe-uninitialized> $<${cxx}:-D_GLIBCXX_ASSERTIONS>)
  add_link_options(-fsanitize=${SHOAL_SANITIZE})
  if(SHOAL_SANITIZE MATCHES undefined)
    add_compile_options($<${cxx}:-fno-sanitize=vptr>)
  endif()
endif()

# ---- Faster builds, where the tools are there -----------------------------------------------------------------------
find_program(SHOAL_CCACHE ccache)
mark_as_advanced(SHOAL_CCACHE)
if(SHOAL_CCACHE AND PROJECT_IS_TOP_LEVEL)
  foreach(language CXX CUDA)
    if(NOT CMAKE_${language}_COMPILER_LAUNCHER)  # the sloppiness is what precompiled headers need
      set(CMAKE_${language}_COMPILER_LAUNCHER
        env CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SHOAL_CCACHE})
    endif()
  endforeach()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<${cxx}:-fpch-preprocess>)
  endif()
endif()
find_program(SHOAL_MOLD mold)
mark_as_advanced(SHOAL_MOLD)
if(SHOAL_MOLD AND PROJECT_IS_TOP_LEVEL)
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=mold SHOAL_MOLD_WORKS)  # GCC knows it from 12 on
  if(SHOAL_MOLD_WORKS)
    add_link_options(-fuse-ld=mold)
  endif()
endif()
