// The same command line in a process of Python's, which is one of several: python/shoal/distributed.py.
#include <fmt/format.h>
#include <torch/version.h>

#include "program/commands/command_line.hpp"
#include "program/runs/console.hpp"

extern "C" {

/// The LibTorch that this library is compiled for, such as "2.11.0". Another one in the process may be laid out
/// otherwise.
char const* shoal_torch_version() { return TORCH_VERSION; }

/// @param argv   with the path of the program `shoal` as argv[0]
/// @param group  the name of torch.distributed's process group
/// @param here   how many of its processes run on this machine
int shoal_run(int argc, char** argv, char const* group, int here) try {
  return shoal::run_command_line(argc, argv, {.program = argv[0], .collective = shoal::Collective(group, here)});
} catch (std::exception const& error) {
  shoal::tell_error(shoal::description(error));
  return 1;
}
}
