// Shows how a run goes: one live line on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "shoal/learn/trainer.hpp"

namespace shoal {

class Progress {
 public:
  /// @param first  the stage that this run begins with
  Progress(std::int64_t first, std::int64_t stages);

  void show(StageReport const& report);
  /// Ends the live line, so that other output can follow.
  void finish();

  /// "stage 120/1000  r_cal 0.871  return 41.2 35.0  2.1 M agent-steps/s  1:05 left"
  static std::string line(StageReport const& report, std::int64_t stages, double agent_steps_per_second,
                          double seconds_left);

 private:
  using Clock = std::chrono::steady_clock;

  std::int64_t first_, stages_;
  bool terminal_;
  bool live_ = false;
  std::int64_t first_agent_steps_ = 0;
  double first_seconds_ = 0;
  Clock::time_point last_shown_ = {};
  double interval_;  // seconds between lines
};

/// "1:05" or "2:03:10".
std::string clock_text(double seconds);

/// "2.1 M": three significant digits and a unit prefix.
std::string count_text(double x);

}  // namespace shoal
