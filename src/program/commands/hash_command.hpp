// `shoal hash`: one number for the trajectories of an environment under a fixed random policy. It is the same for any
// number of instances, threads, lanes and device; what changes it changes results.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

struct HashOptions {
  std::string environment;
  int instances = 1;  // that step together
  int threads = 1;
  std::string team = "serial";
  int steps = 100;
  std::uint32_t seed = 0;
  int show = 1;  // how many of the first instances the hash covers
  std::string device = "cpu";
  std::vector<std::string> params = {};  // "key=value"
};

/// Covers, of each of the first `show` instances: observations and masks after reset; then in every step rewards,
/// ended, final observations where an episode ended, observations and masks; at the end the metrics' sums.
/// @throws InputError naming the option at fault
std::uint64_t trajectory_hash(HashOptions const& options);

/// Prints the options and the hash on one line. @return the exit code
int hash_command(HashOptions const& options);

}  // namespace shoal
