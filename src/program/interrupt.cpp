#include "program/interrupt.hpp"

#include <csignal>

namespace shoal {

namespace {

volatile std::sig_atomic_t came = 0;

void on_signal(int number) {
  came = 1;
  std::signal(number, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  came = 0;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupted() { return came != 0; }

}  // namespace shoal
