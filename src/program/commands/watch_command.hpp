// `shoal watch`: draws episodes of an environment under uniform random play or of a run under its policies. On the CPU.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

struct WatchCommand {
  std::string what;                         // an environment, or else the folder of a run
  std::vector<std::string> overrides = {};  // env.key=value, of an environment
  int episodes = 1;
  std::uint32_t seed = 0;
  double fps = 5;         // frames a second
  std::string gif = "";   // write a GIF there
  std::string page = "";  // write an HTML page there; neither: show frames on standard output
};

/// On a terminal each frame takes the place of the one before. Elsewhere they are printed one after another, without
/// waiting.
/// @return the exit code
/// @throws InputError naming what is at fault; Error if a file cannot be written whole, and then it stays as it was
int watch(WatchCommand const& command);

}  // namespace shoal
