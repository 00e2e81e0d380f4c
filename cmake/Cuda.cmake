# Decides whether the CUDA part is built. Sets SHOAL_HAS_CUDA; then also enables the language and defines
# shoal::cudart, the shared CUDA runtime (the one that LibTorch loads) and its headers.
#
# The compiler: CMAKE_CUDA_COMPILER, $CUDACXX, the Python environment's, PATH's, $CUDA_HOME's; the first that fits.
# nvcc 12 is the first with C++20; beside a LibTorch with CUDA, the major versions have to agree.

function(_shoal_find_nvcc out_nvcc out_version out_refused)
  file(GLOB wheel ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/nvidia/cu*/bin/nvcc)
  find_program(path_nvcc nvcc HINTS $ENV{CUDA_HOME}/bin NO_CACHE)
  set(refused "")
  foreach(nvcc ${CMAKE_CUDA_COMPILER} $ENV{CUDACXX} ${wheel} ${path_nvcc})
    execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE failed)
    if(failed OR NOT text MATCHES "release [0-9.]+, V([0-9]+)([0-9.]+)")
      list(APPEND refused "${nvcc} does not run")
    elseif(CMAKE_MATCH_1 LESS 12)
      list(APPEND refused "${nvcc} is ${CMAKE_MATCH_1}${CMAKE_MATCH_2}, older than 12")
    elseif(LibTorch_CUDA_MAJOR AND NOT CMAKE_MATCH_1 EQUAL LibTorch_CUDA_MAJOR)
      list(APPEND refused "${nvcc} is ${CMAKE_MATCH_1}${CMAKE_MATCH_2}, LibTorch needs ${LibTorch_CUDA_MAJOR}")
    else()
      set(${out_nvcc} ${nvcc} PARENT_SCOPE)
      set(${out_version} ${CMAKE_MATCH_1}${CMAKE_MATCH_2} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  if(NOT refused)
    set(refused "no nvcc found")
  endif()
  list(JOIN refused "; " refused)
  set(${out_refused} ${refused} PARENT_SCOPE)
endfunction()

# AUTO: worth its build time where there is a GPU, or where a compiler was named.
set(_gpu FALSE)
foreach(_sign /dev/nvidiactl /dev/dxg /proc/driver/nvidia/version)
  if(EXISTS ${_sign})
    set(_gpu TRUE)
  endif()
endforeach()

set(SHOAL_HAS_CUDA FALSE)
set(_nvcc "")
if(NOT SHOAL_CUDA)
  set(_refused "SHOAL_CUDA is ${SHOAL_CUDA}")
elseif("${SHOAL_CUDA}" STREQUAL "AUTO" AND NOT (_gpu OR CMAKE_CUDA_COMPILER OR DEFINED ENV{CUDACXX}))
  set(_refused "no GPU found; -DSHOAL_CUDA=ON builds it")
elseif(SHOAL_LEARN AND NOT LibTorch_CUDA_MAJOR)
  set(_refused "LibTorch is a build without CUDA")
else()
  _shoal_find_nvcc(_nvcc _nvcc_version _refused)
endif()
if(_nvcc)
  set(SHOAL_HAS_CUDA TRUE)
  message(STATUS "CUDA: found nvcc ${_nvcc_version}, ${_nvcc}")
elseif("${SHOAL_CUDA}" STREQUAL "AUTO" OR NOT SHOAL_CUDA)
  message(STATUS "CUDA: left out, ${_refused}")
else()
  message(FATAL_ERROR
    "CUDA: ${_refused}. Run scripts/setup, or give -DCMAKE_CUDA_COMPILER=<nvcc>, or -DSHOAL_CUDA=AUTO.")
endif()

if(SHOAL_HAS_CUDA)
  set(CMAKE_CUDA_COMPILER ${_nvcc} CACHE FILEPATH "The CUDA compiler")
  set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "CUDA architectures, as CMake writes them")
  set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # shoal::cudart instead
  # For CMake's check of the compiler only: the Python packages have lib/, where nvcc itself looks into lib64/.
  cmake_path(SET _lib NORMALIZE ${_nvcc}/../../lib)
  set(ENV{LIBRARY_PATH} "${_lib}:$ENV{LIBRARY_PATH}")
  enable_language(CUDA)

  # LibTorch's own runtime first: one process must not hold two. The Python packages have no libcudart.so, only .so.13.
  string(REGEX MATCH "^[0-9]+" _major ${CMAKE_CUDA_COMPILER_VERSION})
  set(_torch_lib "")
  if(SHOAL_LEARN)
    cmake_path(GET LibTorch_torch_LIBRARY PARENT_PATH _torch_lib)
  endif()
  set(_cudart libcudart.so.${_major} cudart)
  if(SKBUILD)  # a wheel's own: it is imported where there is no CUDA, too
    set(_cudart cudart_static)
  endif()
  find_library(SHOAL_CUDART NAMES ${_cudart} NO_DEFAULT_PATH
    HINTS ${_torch_lib} ${_torch_lib}/../../nvidia/cu${_major}/lib ${CMAKE_CUDA_COMPILER_LIBRARY_ROOT}
    PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib)
  mark_as_advanced(SHOAL_CUDART)
  if(NOT SHOAL_CUDART)
    message(FATAL_ERROR "CUDA: no libcudart.so.${_major} below ${CMAKE_CUDA_COMPILER_LIBRARY_ROOT}")
  endif()
  if(SKBUILD)
    add_library(shoal::cudart STATIC IMPORTED)
    target_link_libraries(shoal::cudart INTERFACE ${CMAKE_DL_LIBS} rt)
  else()
    add_library(shoal::cudart SHARED IMPORTED)
  endif()
  set_target_properties(shoal::cudart PROPERTIES IMPORTED_LOCATION ${SHOAL_CUDART})
  target_include_directories(shoal::cudart SYSTEM INTERFACE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})

  if(TARGET Torch::torch)
    libtorch_link_cuda(shoal::cudart)
  endif()
endif()
