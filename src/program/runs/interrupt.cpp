#include "program/runs/interrupt.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "program/runs/console.hpp"

namespace shoal {

namespace {

// Two texts, so that the one that a handler may be writing is not written over.
struct Answer {
  char text[128];
  std::size_t size;
};
Answer answers[2] = {};
std::atomic<Answer const*> answer{nullptr};
std::atomic<bool> came{false};

constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};

void on_signal(int) {
  int const error = errno;
  came = true;
  for (int const number : signals)
    if (number != SIGHUP) std::signal(number, SIG_DFL);
  constexpr int patience = 0;
  if (auto const* const said = answer.load()) tell({said->text, said->size}, patience);
  errno = error;
}

}  // namespace

void catch_interrupts() {
  came = false;
  answer_interrupts("ending; again: stop now");
  for (int const number : signals)
    if (auto const before = std::signal(number, on_signal); number == SIGHUP && before == SIG_IGN)
      std::signal(number, SIG_IGN);
}

void answer_interrupts(std::string const& text) {
  auto& next = answer.load() == &answers[0] ? answers[1] : answers[0];
  auto const line = "\n" + text.substr(0, sizeof next.text - 2) + "\n";
  next.size = line.size();
  std::copy(line.begin(), line.end(), next.text);
  answer = &next;
}

bool interrupted() { return came; }

}  // namespace shoal
