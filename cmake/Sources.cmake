# Helpers that add sources and headers to targets.

# Files that match the patterns, relative to the project; looked up again at each build. CUDA: none without CUDA.
function(shoal_sources out)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CUDA" "" "")
  set(files "")
  if(SHOAL_HAS_CUDA OR NOT arg_CUDA)
    list(TRANSFORM arg_UNPARSED_ARGUMENTS PREPEND ${PROJECT_SOURCE_DIR}/)
    file(GLOB files CONFIGURE_DEPENDS ${arg_UNPARSED_ARGUMENTS})
  endif()
  set(${out} ${files} PARENT_SCOPE)
endfunction()

# Public headers; `<target>_verify_interface_header_sets` compiles each of them alone.
function(shoal_headers target)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${ARGN})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON LINKER_LANGUAGE CXX)
endfunction()

# The target's C++ files include ATen/ATen.h precompiled (27 s once, 3 s each). torch/torch.h would cost each 10 s: its
# templates are instantiated in every file. What is beyond ATen is included by name. Flags have to agree
# with shoal_learn's; GCC's -Winvalid-pch is an error here, so a mismatch is not slow but loud.
function(shoal_torch_pch target)
  target_precompile_headers(${target} REUSE_FROM shoal_learn)
  target_link_libraries(${target} PRIVATE fmt::fmt)  # shoal_learn's definitions hold FMT_SHARED
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fPIC>)  # a library's; programs would get -fPIE
endfunction()

# Device code that has to give the CPU's bits: no contraction of a * b + c.
function(shoal_device_exact)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS $<$<COMPILE_LANGUAGE:CUDA>:-fmad=false>)
  # Kernels take long one by one: in batches they would run after each other.
  set_property(SOURCE ${ARGN} PROPERTY SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
