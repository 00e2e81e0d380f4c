# What plugins are compiled for: properties of shoal::sim, which AddEnvironment.cmake reads in this tree and in the
# installed package alike.

# The version, and a digest of the headers that the program and a plugin have to agree on.
set(digests "")
foreach(header ${sim_headers})
  # The same with and without CUDA, but for the header that is not public without it.
  if(header MATCHES "/include/shoal/(core|env)/" AND NOT header MATCHES "/cuda_check.hpp$")
    file(SHA256 ${header} digest)
    string(APPEND digests ${digest})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
  endif()
endforeach()
string(SHA256 digest "${digests}")
string(SUBSTRING ${digest} 0 8 digest)
set(SHOAL_INTERFACE ${PROJECT_VERSION}-${digest})
set_source_files_properties(src/envs/plugin.cpp PROPERTIES COMPILE_DEFINITIONS SHOAL_INTERFACE="${SHOAL_INTERFACE}")

set(nvcc "")
set(cuda_major "")
if(SHOAL_HAS_CUDA)
  set(nvcc ${CMAKE_CUDA_COMPILER})
  string(REGEX MATCH "^[0-9]+" cuda_major ${CMAKE_CUDA_COMPILER_VERSION})
endif()
set_target_properties(shoal_sim PROPERTIES SHOAL_INTERFACE ${SHOAL_INTERFACE} SHOAL_NVCC "${nvcc}"
  SHOAL_CUDA_MAJOR "${cuda_major}" SHOAL_CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}"
  EXPORT_PROPERTIES "SHOAL_INTERFACE;SHOAL_NVCC;SHOAL_CUDA_MAJOR;SHOAL_CUDA_ARCHITECTURES")
include(AddEnvironment)
