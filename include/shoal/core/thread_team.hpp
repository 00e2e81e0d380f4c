// A team of real threads, for tests under ThreadSanitizer: every lane runs the whole function, as threads of a GPU do,
// so a write outside each() and once(), or a read that no barrier orders, is reported as the race that it would be
// there.
#pragma once

#include <barrier>
#include <thread>
#include <vector>

#include "shoal/core/team.hpp"

namespace shoal {

/// One lane's handle. Made by run_threads.
class ThreadTeam {
 public:
  ThreadTeam(int lanes, int lane, std::barrier<>& barrier) : lanes_(lanes), lane_(lane), barrier_(&barrier) {}

  template <class F>
  void each(int n, F f) const {
    for (int i = lane_; i < n; i += lanes_) f(i);
    barrier_->arrive_and_wait();
  }
  template <class F>
  void each(int rows, int columns, F f) const {
    each(rows * columns, [&](int i) { f(i / columns, i % columns); });
  }
  template <class F>
  void once(F f) const {
    if (lane_ == 0) f();
    barrier_->arrive_and_wait();
  }
  /// Every lane computes the whole sum.
  template <class F>
  auto sum(int n, F f) const {
    auto const total = SerialTeam{}.sum(n, f);
    barrier_->arrive_and_wait();
    return total;
  }

 private:
  int lanes_, lane_;
  std::barrier<>* barrier_;
};

/// Calls f(team) on `lanes` threads at once and returns when all have.
template <class F>
void run_threads(int lanes, F f) {
  std::barrier<> barrier(lanes);
  std::vector<std::jthread> threads;
  for (int lane = 0; lane < lanes; ++lane) threads.emplace_back([&, lane] { f(ThreadTeam(lanes, lane, barrier)); });
}

}  // namespace shoal
