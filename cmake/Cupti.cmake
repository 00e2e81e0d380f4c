# shoal::cupti, CUDA's profiling interface: of the CUDA toolkit, or of the Python packages beside LibTorch. Used by tests/cupti alone;
# where it is missing, a line says so and they are left out.

string(REGEX MATCH "^[0-9]+" _major ${CMAKE_CUDA_COMPILER_VERSION})
cmake_path(GET SHOAL_CUDART PARENT_PATH _cudart_lib)
find_path(SHOAL_CUPTI_INCLUDE_DIR cupti.h
  HINTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} ${_cudart_lib}/../include ${CMAKE_CUDA_COMPILER_LIBRARY_ROOT}
  PATH_SUFFIXES extras/CUPTI/include)
find_library(SHOAL_CUPTI NAMES libcupti.so.${_major} cupti
  HINTS ${_cudart_lib} ${CMAKE_CUDA_COMPILER_LIBRARY_ROOT} PATH_SUFFIXES extras/CUPTI/lib64 lib64 lib)
mark_as_advanced(SHOAL_CUPTI SHOAL_CUPTI_INCLUDE_DIR)

if(SHOAL_CUPTI AND SHOAL_CUPTI_INCLUDE_DIR)
  message(STATUS "CUPTI: found ${SHOAL_CUPTI}")
  add_library(shoal::cupti SHARED IMPORTED)
  set_target_properties(shoal::cupti PROPERTIES IMPORTED_LOCATION ${SHOAL_CUPTI})
  target_include_directories(shoal::cupti SYSTEM INTERFACE ${SHOAL_CUPTI_INCLUDE_DIR})
else()
  message(STATUS "CUPTI: not found, so the test that counts calls of CUDA is left out")
endif()
