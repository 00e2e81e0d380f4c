#include "program/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace shoal {

namespace {
constexpr double live_interval = 0.1, plain_interval = 10;

std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
}  // namespace

std::string clock_text(double seconds) {
  auto const s = std::int64_t(std::llround(std::max(seconds, 0.0)));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string count_text(double x) {
  for (auto const& [unit, prefix] : {std::pair{1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (x >= unit) return fmt::format("{:.3g} {}", x / unit, prefix);
  return fmt::format("{:.3g} ", x);
}

LiveLine::LiveLine(double live_interval, double plain_interval)
    : terminal_(isatty(STDERR_FILENO) != 0), interval_(terminal_ ? live_interval : plain_interval) {}

bool LiveLine::due() const { return std::chrono::duration<double>(Clock::now() - last_shown_).count() >= interval_; }

void LiveLine::show(std::string text) {
  last_shown_ = Clock::now();
  if (terminal_) {
    text = text.substr(0, terminal_width() - 1);
    fmt::print(stderr, "\r{}\x1b[K", text);
    live_ = true;
  } else {
    fmt::print(stderr, "{}\n", text);
  }
  std::fflush(stderr);
}

void LiveLine::note(std::string const& text) {
  fmt::print(stderr, "{}{}\n", live_ ? "\r\x1b[K" : "", text);
  live_ = false;
}

void LiveLine::finish() {
  if (live_) fmt::print(stderr, "\n");
  live_ = false;
}

Progress::Progress(std::int64_t first, std::int64_t stages)
    : first_(first), stages_(stages), line_(live_interval, plain_interval) {}

std::string Progress::line(StageReport const& report, std::int64_t stages, double rate, double left) {
  std::string text = fmt::format("stage {}/{}", report.stage + 1, stages);
  if (report.r_cal_mean) text += fmt::format("  r_cal {:.3f}", *report.r_cal_mean);
  if (!report.returns.empty()) text += "  return";
  for (auto const& r : report.returns) text += fmt::format(" {:.4g}", r.mean);
  return text + fmt::format("  {}agent-steps/s  {} left", count_text(rate), clock_text(left));
}

void Progress::show(StageReport const& report) {
  bool const first = report.stage == first_, last = report.stage + 1 == stages_;
  if (!first && !last && !line_.due()) return;
  // The first stage warms up: rates count from its end.
  double const rate =
      first ? double(report.agent_steps) / std::max(report.seconds, 1e-9)
            : double(report.agent_steps - first_agent_steps_) / std::max(report.seconds - first_seconds_, 1e-9);
  double const per_stage = first ? report.seconds / double(report.stage + 1)
                                 : (report.seconds - first_seconds_) / double(report.stage - first_);
  if (first) {
    first_agent_steps_ = report.agent_steps;
    first_seconds_ = report.seconds;
  }
  line_.show(line(report, stages_, rate, per_stage * double(stages_ - report.stage - 1)));
}

}  // namespace shoal
