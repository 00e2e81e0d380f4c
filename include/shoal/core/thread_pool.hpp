// Threads that stay alive between the steps of a batch.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace shoal {

/// Where the contiguous share number `share` of [0, n) begins.
inline int share_begin(int n, int share, int shares) { return int(std::int64_t(n) * share / shares); }

/// Runs one task at a time on a fixed number of threads, the calling one included.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;

  int threads() const { return int(workers_.size()) + 1; }

  /// Calls f(thread, begin, end) on each thread with its contiguous share of [0, n). Returns when all are done. f must
  /// not throw.
  template <class F>
  void run(int n, F const& f) {
    if (threads() == 1 || n < 2) return f(0, 0, n);
    struct Job {
      F const& f;
      int n, threads;
    } job{f, n, threads()};
    run_task({[](void* context, int thread) {
                auto const& j = *static_cast<Job*>(context);
                j.f(thread, share_begin(j.n, thread, j.threads), share_begin(j.n, thread + 1, j.threads));
              },
              &job});
  }

 private:
  struct Task {
    void (*call)(void* context, int thread) = nullptr;
    void* context = nullptr;
  };
  void run_task(Task task);
  void work(int thread);

  int spins_;  // looks at a value before sleeping
  Task task_;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<int> running_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::jthread> workers_;
};

}  // namespace shoal
