// What `shoal bench` prints and writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "program/commands/bench_run.hpp"

namespace shoal {

struct BenchReport {
  std::string device;  // "cpu", or the CUDA device's name
  BenchTiming timing;
  std::optional<double> copy_bandwidth = {};  // bytes a second; CUDA
  std::vector<BenchResult> results = {};
  bool interrupted = false;
};

/// A table with a row for each result, and below it what the numbers belong to.
std::string to_text(BenchReport const& report);

std::string to_json(BenchReport const& report);

}  // namespace shoal
