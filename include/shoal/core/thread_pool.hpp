// Threads that stay alive between the steps of a batch.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace shoal {

/// Where the contiguous share number `share` of [0, n) begins.
inline int share_begin(int n, int share, int shares) { return int(std::int64_t(n) * share / shares); }

/// Runs one task at a time on a fixed number of threads, the calling one included.
///
/// Each thread has a share of its own. A thread that is done takes a share that nobody has begun. So a thread whose CPU
/// runs another program is waited for only if it has begun a share. Tasks of one f with about as many items are a kind.
/// Where a kind takes longer on the whole than the calling thread alone would have taken, the calling thread does it
/// alone for 32 times as long as was lost, at most a second.
class ThreadPool {
 public:
  /// @param works_alone  false: no task is done alone, for tasks whose items differ much in what they take
  explicit ThreadPool(int threads, bool works_alone = true);
  ~ThreadPool();
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;

  int threads() const { return int(workers_.size()) + 1; }

  /// Calls f(thread, begin, end) for contiguous shares of [0, n), as many as there are threads or fewer; a thread may
  /// have several, or none. Two calls at once differ in `thread`. Returns when all are done. f must not throw.
  /// @param kind  tells tasks of one f apart that take different times
  template <class F>
  void run(int n, F const& f, std::uint64_t kind = 0) {
    if (threads() == 1 || n < 2) return f(0, 0, n);
    auto const call = [](void const* context, int thread, int begin, int end) {
      (*static_cast<F const*>(context))(thread, begin, end);
    };
    run_task({n, std::min(n, threads()), call, &f, kind});
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Task {
    int n = 0, shares = 0;
    void (*call)(void const* context, int thread, int begin, int end) = nullptr;
    void const* context = nullptr;
    std::uint64_t kind = 0;
  };
  /// What the threads were worth to a kind of tasks.
  struct Account {
    double seconds_gained = 0;
    Clock::time_point alone_until = {};
  };
  struct alignas(64) Share {
    std::atomic<bool> taken{true};
  };

  Account& account_of(Task const& task);
  void run_task(Task task);
  int do_share(int thread, int share);
  int take_shares(int thread);
  void settle(Account& account, double alone, double together);
  void work(int thread);

  bool works_alone_;
  int spins_;  // looks at a value before sleeping
  Task task_;
  std::vector<Share> shares_;
  std::atomic<std::uint32_t> round_{0};  // odd: a task is open, whose shares may be taken
  std::atomic<int> inside_{0};           // workers that may read the task
  std::atomic<bool> stop_{false};
  std::array<Account, 64> accounts_ = {};  // the calling thread's
  std::vector<std::jthread> workers_;
};

}  // namespace shoal
