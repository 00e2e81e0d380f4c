// Shows how a run goes: one live line on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "shoal/train/trainer.hpp"

namespace shoal {

/// A line on stderr about what goes on: one that replaces itself on a terminal, a plain one now and then elsewhere.
class LiveLine {
 public:
  /// Seconds between two lines, on a terminal and elsewhere.
  LiveLine(double live_interval, double plain_interval);

  /// Whether the last line is old enough for another.
  bool due() const;
  void show(std::string const& text);
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

/// Of runs that train side by side, a stage of each in turn.
class Progress {
 public:
  /// @param reports  of the stage that each run has just finished
  /// @param stages, left  of the run that has most left
  void show(std::vector<StageReport> const& reports, std::int64_t stages, std::int64_t left);
  void finish() { line_.finish(); }

  /// "stage 120/1000  r_cal 0.871  return 41.2 35.0  2.1 M agent-steps/s  1:05 left"; of several runs r_cal alone, of
  /// each.
  static std::string line(std::vector<StageReport> const& reports, std::int64_t stages, std::int64_t left,
                          double agent_steps_per_second, double seconds_left);

 private:
  using Clock = std::chrono::steady_clock;

  LiveLine line_{0.1, 10};
  // The first round warms up: rates count from its end.
  Clock::time_point start_ = Clock::now();
  std::int64_t rounds_ = 0;
  double agent_steps_ = 0;
};

/// "1:05" or "2:03:10".
std::string clock_text(double seconds);

/// "2.1 M": three significant digits and a unit prefix.
std::string count_text(double x);

}  // namespace shoal
