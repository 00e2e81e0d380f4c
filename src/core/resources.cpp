#include "shoal/core/resources.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

namespace shoal {

namespace fs = std::filesystem;

namespace {

constexpr auto unlimited = std::numeric_limits<std::int64_t>::max();

std::string first_line(fs::path const& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The number in a file; nothing where there is none, or "max".
std::optional<double> number_in(fs::path const& path) {
  std::istringstream in(first_line(path));
  double x = 0;
  if (in >> x) return x;
  return {};
}

/// The folders of a controller's groups, from the process's own up to the root. @param controller  empty: version 2
std::vector<fs::path> control_groups(std::string const& controller) {
  std::ifstream file("/proc/self/cgroup");
  fs::path const root = fs::path("/sys/fs/cgroup") / controller;
  std::vector<fs::path> folders;
  for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/a/b", version 2: "0::/a/b"
    auto const first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    auto const names = "," + line.substr(first + 1, second - first - 1) + ",";
    bool const mine = controller.empty() ? names == ",," : names.find("," + controller + ",") != std::string::npos;
    if (!mine) continue;
    for (auto path = fs::path(line.substr(second + 1)).relative_path(); !path.empty(); path = path.parent_path())
      folders.push_back(root / path);
  }
  folders.push_back(root);  // in a container the group's own folder is mounted as the root
  return folders;
}

/// CPUs that the control groups' bandwidth allows.
double group_cpus() {
  double least = std::numeric_limits<double>::infinity();
  for (auto const& folder : control_groups("")) {
    std::istringstream in(first_line(folder / "cpu.max"));  // "200000 100000", or "max 100000"
    double quota = 0, period = 0;
    if (in >> quota >> period && period > 0) least = std::min(least, quota / period);
  }
  for (auto const& folder : control_groups("cpu")) {
    auto const quota = number_in(folder / "cpu.cfs_quota_us"), period = number_in(folder / "cpu.cfs_period_us");
    if (quota && period && *quota > 0 && *period > 0) least = std::min(least, *quota / *period);
  }
  return least;
}

std::int64_t group_memory() {
  std::int64_t least = unlimited;
  auto const limit = [&](fs::path const& most, fs::path const& used) {
    auto const m = number_in(most), u = number_in(used);
    if (m && u && *m < 1e18) least = std::min(least, std::int64_t(*m - *u));
  };
  for (auto const& folder : control_groups("")) limit(folder / "memory.max", folder / "memory.current");
  for (auto const& folder : control_groups("memory"))
    limit(folder / "memory.limit_in_bytes", folder / "memory.usage_in_bytes");
  return least;
}

std::int64_t machine_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string key;
    std::int64_t kilobytes = 0;
    if (in >> key >> kilobytes && key == "MemAvailable:") return kilobytes * 1024;
  }
  return unlimited;
}

std::int64_t address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  auto const pages = number_in("/proc/self/statm");
  return std::int64_t(limit.rlim_cur) - std::int64_t(pages.value_or(0)) * sysconf(_SC_PAGESIZE);
}

int affinity_cpus() {
  for (std::size_t count = 1024; count <= (1 << 20); count *= 2) {  // more CPUs than the set has room for are an error
    auto* const set = CPU_ALLOC(count);
    int const found =
        sched_getaffinity(0, CPU_ALLOC_SIZE(count), set) == 0 ? CPU_COUNT_S(CPU_ALLOC_SIZE(count), set) : 0;
    CPU_FREE(set);
    if (found > 0) return found;
  }
  return std::max(1, int(sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

int available_cpus() {
  double const allowed = std::min(double(affinity_cpus()), std::ceil(group_cpus() - 1e-9));
  return std::max(1, int(allowed));
}

std::int64_t available_memory() {
  return std::max<std::int64_t>(0, std::min({machine_memory(), group_memory(), address_space()}));
}

std::string too_many_threads(std::string const& key, int threads) {
  int const cpus = available_cpus();
  if (threads <= cpus) return {};
  return fmt::format("{} = {}: more than the {} this process may run on; they slow each other", key, threads,
                     cpus == 1 ? "one CPU that" : fmt::format("{} CPUs that", cpus));
}

std::string bytes_text(double bytes) {
  constexpr std::pair<double, char const*> units[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
  for (auto const& [unit, name] : units)
    if (bytes >= unit) return fmt::format("{:.3g} {}", bytes / unit, name);
  return fmt::format("{:.0f} bytes", bytes);
}

}  // namespace shoal
