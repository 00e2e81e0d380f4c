// Shows how a run goes: one live line on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "shoal/learn/trainer.hpp"

namespace shoal {

/// A line on stderr about what goes on: one that replaces itself on a terminal, a plain one now and then elsewhere.
class LiveLine {
 public:
  /// Seconds between two lines, on a terminal and elsewhere.
  LiveLine(double live_interval, double plain_interval);

  /// Whether the last line is old enough for another.
  bool due() const;
  void show(std::string text);
  /// A plain line in any case.
  void note(std::string const& text);
  /// Ends the live line, so that other output can follow.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  bool terminal_;
  double interval_;
  bool live_ = false;
  Clock::time_point last_shown_ = {};
};

class Progress {
 public:
  /// @param first  the stage that this run begins with
  Progress(std::int64_t first, std::int64_t stages);

  void show(StageReport const& report);
  void finish() { line_.finish(); }

  /// "stage 120/1000  r_cal 0.871  return 41.2 35.0  2.1 M agent-steps/s  1:05 left"
  static std::string line(StageReport const& report, std::int64_t stages, double agent_steps_per_second,
                          double seconds_left);

 private:
  std::int64_t first_, stages_;
  LiveLine line_;
  std::int64_t first_agent_steps_ = 0;
  double first_seconds_ = 0;
};

/// "1:05" or "2:03:10".
std::string clock_text(double seconds);

/// "2.1 M": three significant digits and a unit prefix.
std::string count_text(double x);

}  // namespace shoal
