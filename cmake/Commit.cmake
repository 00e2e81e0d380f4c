# Writes OUT, the source of shoal::commit(), if the commit is another than it says: cmake -D OUT=FILE -P Commit.cmake
execute_process(COMMAND git describe --always --dirty
  RESULT_VARIABLE failed OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(failed)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [[
#include "program/version.hpp"

char const* shoal::commit() { return "@commit@"; }
]])
