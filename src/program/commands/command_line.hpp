// The command line of `shoal`: errors as one line, exit codes 0, 1 (failed), 2 (bad input), 130 (interrupted).
#pragma once

#include <string>

#include "shoal/data/collective.hpp"

namespace shoal {

/// Who runs the command line.
struct Host {
  std::string program;         // the path of the program `shoal`, which a study starts
  Collective collective = {};  // the processes that run the same command line
};

/// @return the exit code
int run_command_line(int argc, char** argv, Host const& host);

}  // namespace shoal
