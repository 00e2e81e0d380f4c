# Random123, which is headers alone, as Random123::Random123. Also a part of the installed package.

find_path(Random123_INCLUDE_DIR Random123/philox.h)
mark_as_advanced(Random123_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Random123
  REQUIRED_VARS Random123_INCLUDE_DIR
  REASON_FAILURE_MESSAGE
    "Install librandom123-dev (scripts/setup does), or give -DRandom123_INCLUDE_DIR=<folder of Random123/>.")

if(Random123_FOUND AND NOT TARGET Random123::Random123)
  add_library(Random123::Random123 INTERFACE IMPORTED)
  target_include_directories(Random123::Random123 SYSTEM INTERFACE ${Random123_INCLUDE_DIR})
  # Philox needs no vector types. Without these, every file that draws would include their header.
  target_compile_definitions(Random123::Random123 INTERFACE R123_USE_SSE=0 R123_USE_SSE4_1=0 R123_USE_SSE4_2=0)
endif()
