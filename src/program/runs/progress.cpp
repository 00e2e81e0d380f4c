#include "program/runs/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>

#include "program/runs/console.hpp"

namespace shoal {

namespace {
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
  return fmt::format("{:.3g}", x);
}

LiveLine::LiveLine(double live_interval, double plain_interval)
    : terminal_(is_live_terminal()), interval_(terminal_ ? live_interval : plain_interval) {}

bool LiveLine::due() const { return std::chrono::duration<double>(Clock::now() - last_shown_).count() >= interval_; }

void LiveLine::show(std::string const& text) {
  last_shown_ = Clock::now();
  constexpr int patience = 0;  // the next line comes soon
  if (terminal_) {
    tell(fmt::format("\r{}\x1b[K", text.substr(0, terminal_width() - 1)), patience);
    live_ = true;
  } else {
    tell(text + "\n", patience);
  }
}

void LiveLine::note(std::string const& text) {
  tell(fmt::format("{}{}\n", live_ ? "\r\x1b[K" : "", text));
  live_ = false;
}

void LiveLine::finish() {
  if (live_) tell("\n");
  live_ = false;
}

std::string Progress::line(std::vector<StageReport> const& reports, std::int64_t stages, std::int64_t left, double rate,
                           double seconds_left) {
  std::string text = fmt::format("stage {}/{}", stages - left, stages), r_cal;
  for (auto const& report : reports)
    if (report.r_cal_mean) r_cal += fmt::format(" {:.3f}", *report.r_cal_mean);
  if (!r_cal.empty()) text += "  r_cal" + r_cal;
  if (reports.size() == 1 && !reports[0].returns.empty()) text += "  return";
  if (reports.size() == 1)
    for (auto const& r : reports[0].returns) text += fmt::format(" {:.4g}", r.mean);
  return text + fmt::format("  {} agent-steps/s  {} left", count_text(rate), clock_text(seconds_left));
}

void Progress::show(std::vector<StageReport> const& reports, std::int64_t stages, std::int64_t left) {
  ++rounds_;
  for (auto const& report : reports) agent_steps_ += double(report.agent_steps) / double(report.stage + 1);
  bool const first = rounds_ == 1;
  double const seconds = std::max(std::chrono::duration<double>(Clock::now() - start_).count(), 1e-9);
  if (first || left == 0 || line_.due()) {
    double const per_round = seconds / double(first ? 1 : rounds_ - 1);
    line_.show(line(reports, stages, left, agent_steps_ / seconds, per_round * double(left)));
  }
  if (!first) return;
  start_ = Clock::now();
  agent_steps_ = 0;
}

}  // namespace shoal
