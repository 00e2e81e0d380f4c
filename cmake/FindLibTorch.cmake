# Imported targets for LibTorch: Torch::torch, plus torch_cuda once CUDA is on (see Cuda.cmake).
#
# LibTorch's own package file pulls in compile options, the CUDA toolkit and a lot of output; this module does not.
# Looks in Torch_ROOT, CMAKE_PREFIX_PATH and the Python environment's `torch`, in this order. No version before 2.7:
# since then every Linux build uses the C++11 ABI, so there is nothing to choose.
#
# Sets LibTorch_CUDA_MAJOR, the CUDA major version that LibTorch was built for; empty: none.
# Also a part of the installed package.

set(_roots "")
if(Python3_EXECUTABLE)
  execute_process(  # find_spec does not import torch, which takes seconds
    COMMAND ${Python3_EXECUTABLE} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE _roots OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h
  HINTS ${Torch_ROOT} $ENV{Torch_ROOT} PATHS ${_roots} PATH_SUFFIXES include)
cmake_path(GET LibTorch_INCLUDE_DIR PARENT_PATH _prefix)
foreach(_name c10 torch_cpu torch c10_cuda torch_cuda)
  find_library(LibTorch_${_name}_LIBRARY ${_name} HINTS ${_prefix}/lib NO_DEFAULT_PATH)
  mark_as_advanced(LibTorch_${_name}_LIBRARY)
endforeach()

foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)  # the former since 2.10
  if(NOT LibTorch_VERSION AND EXISTS ${LibTorch_INCLUDE_DIR}/${_header})
    file(STRINGS ${LibTorch_INCLUDE_DIR}/${_header} _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX MATCHALL "[0-9]+" _numbers "${_lines}")
    list(JOIN _numbers . LibTorch_VERSION)
  endif()
endforeach()

# c10_cuda names the CUDA runtime that it needs, and is small enough to read.
set(LibTorch_CUDA_MAJOR "")
if(LibTorch_c10_cuda_LIBRARY AND LibTorch_torch_cuda_LIBRARY)
  file(STRINGS ${LibTorch_c10_cuda_LIBRARY} _runtime REGEX "libcudart[^ ]*\\.so\\.[0-9]+" LIMIT_COUNT 1)
  string(REGEX REPLACE ".*libcudart[^ ]*\\.so\\.([0-9]+).*" "\\1" LibTorch_CUDA_MAJOR "${_runtime}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_torch_LIBRARY LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE
    "Run scripts/setup, or give -DTorch_ROOT=<LibTorch>, or -DSHOAL_LEARN=OFF for the simulator alone.")

if(LibTorch_FOUND AND NOT TARGET Torch::torch)
  foreach(_name c10 torch_cpu c10_cuda torch_cuda)
    if(LibTorch_${_name}_LIBRARY)
      add_library(Torch::${_name} SHARED IMPORTED)
      set_target_properties(Torch::${_name} PROPERTIES IMPORTED_LOCATION ${LibTorch_${_name}_LIBRARY})
    endif()
  endforeach()
  add_library(Torch::torch INTERFACE IMPORTED)
  # Searched last: LibTorch brings headers of another fmt, which must not hide the one that we and spdlog link.
  foreach(_dir ${LibTorch_INCLUDE_DIR} ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
    target_compile_options(Torch::torch INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-idirafter${_dir}> $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-idirafter${_dir}>)
  endforeach()
  target_link_libraries(Torch::torch INTERFACE Torch::torch_cpu Torch::c10)
endif()

# Adds LibTorch's CUDA part to Torch::torch, with the CUDA runtime given.
function(libtorch_link_cuda cudart)
  # Nothing names a symbol of torch_cuda: it registers itself when it is loaded, so the linker must not drop it.
  target_link_options(Torch::torch INTERFACE LINKER:--no-as-needed)
  target_link_libraries(Torch::torch INTERFACE Torch::torch_cuda Torch::c10_cuda ${cudart})
endfunction()
