// What this process may use of its machine.
#pragma once

#include <cstdint>
#include <string>

namespace shoal {

/// CPUs that the process may run on: its affinity, and the CPU time that its control groups allow, rounded up. At least
/// 1.
int available_cpus();

/// Bytes of host memory that the process can still take: the least of what the machine has available, what its control
/// groups leave, and RLIMIT_AS.
std::int64_t available_memory();

/// "1.5 GB"
std::string bytes_text(double bytes);

/// "train.threads = 8: more than the 2 CPUs that this process may run on; they slow each other", or empty if there are
/// as many.
/// @param key  what the user calls them
std::string too_many_threads(std::string const& key, int threads);

}  // namespace shoal
