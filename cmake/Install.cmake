# `cmake --install`: libraries, public headers, the program, and a package for find_package(shoal). Each component of
# the package (sim, learn, c) has a file of targets of its own: C projects need none of what C++ ones do.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/shoal)
set(shoal_components sim)

# shoal_install_component(<name> <targets>...): shoal_<name> is shoal::<name>, with its headers.
function(shoal_install_component name)
  foreach(target ${ARGN})
    string(REPLACE shoal_ "" exported ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${exported})
  endforeach()
  install(TARGETS ${ARGN} EXPORT shoal-${name} FILE_SET HEADERS FILE_SET kernels)
  install(EXPORT shoal-${name} NAMESPACE shoal:: DESTINATION ${package_dir} FILE shoal-${name}-targets.cmake)
endfunction()

# Where libraries lie that are not installed: INSTALL_RPATH_USE_LINK_PATH leaves out folders in the source tree, .venv
# too.
set(cudart_folder "")
if(SHOAL_HAS_CUDA)
  cmake_path(GET SHOAL_CUDART PARENT_PATH cudart_folder)
endif()

shoal_install_component(sim shoal_sim shoal_exact)
if(TARGET shoal_learn)
  list(APPEND shoal_components learn)
  shoal_install_component(learn shoal_learn)
  cmake_path(GET LibTorch_INCLUDE_DIR PARENT_PATH shoal_torch_root)
endif()
if(TARGET shoal_c)
  list(APPEND shoal_components c)
  shoal_install_component(c shoal_c)
  set_target_properties(shoal_c PROPERTIES INSTALL_RPATH "${cudart_folder}")
endif()
if(TARGET shoal)
  install(TARGETS shoal shoal_hosted)
  cmake_path(GET LibTorch_torch_LIBRARY PARENT_PATH torch_folder)
  set_target_properties(shoal shoal_hosted PROPERTIES INSTALL_RPATH "${torch_folder};${cudart_folder}")
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/plugin DESTINATION ${CMAKE_INSTALL_DATADIR}/shoal/examples)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/shoal)

set(shoal_cuda_major "")
set(shoal_cudart_dir "")
if(SHOAL_HAS_CUDA)
  string(REGEX MATCH "^[0-9]+" shoal_cuda_major ${CMAKE_CUDA_COMPILER_VERSION})
  set(shoal_cudart_dir ${cudart_folder})
endif()
# Host code for this processor ends elsewhere with an illegal instruction: nobody shall install it unawares.
set(shoal_processor "")
if(SHOAL_NATIVE)
  cmake_host_system_information(RESULT shoal_processor QUERY PROCESSOR_DESCRIPTION)
  install(CODE "message(WARNING \"shoal is compiled for this machine's processor (${shoal_processor}). For others, \"
    \"configure with -DSHOAL_NATIVE=OFF.\")")
endif()
configure_package_config_file(cmake/shoal-config.cmake.in ${PROJECT_BINARY_DIR}/shoal-config.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/shoal-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/shoal-config.cmake ${PROJECT_BINARY_DIR}/shoal-config-version.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindRandom123.cmake ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake
    ${PROJECT_SOURCE_DIR}/cmake/AddEnvironment.cmake ${PROJECT_SOURCE_DIR}/cmake/plugin.cpp.in
    ${PROJECT_SOURCE_DIR}/cmake/plugin.map
  DESTINATION ${package_dir})
