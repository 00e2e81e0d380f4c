# shoal_embed(OUT HEADER NAMESPACE FILE...) writes OUT, a C++ source that defines in NAMESPACE a std::string_view for
# each file: its text, named as the file without its extension. HEADER declares them. An edited file is embedded anew at
# the next build.
function(shoal_embed out header namespace)
  set(definitions "")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    cmake_path(GET file STEM name)
    file(READ ${file} text)
    string(APPEND definitions "std::string_view const ${name} = R\"~embedded~(${text})~embedded~\";\n")
  endforeach()
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[
#include "@header@"

namespace @namespace@ {
@definitions@}
]])
endfunction()
