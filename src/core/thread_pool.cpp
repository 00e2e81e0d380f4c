#include "shoal/core/thread_pool.hpp"

#include "shoal/core/resources.hpp"

namespace shoal {

namespace {
// A batch step takes tens of microseconds, as long as waking a sleeping thread: look again for a while before sleeping.
// Where threads share a core, the one that is waited for could not run meanwhile.
constexpr int most_spins = 4000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

template <class T>
void wait_while(std::atomic<T> const& value, T old, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}
}  // namespace

ThreadPool::ThreadPool(int threads) : spins_(threads <= available_cpus() ? most_spins : 0) {
  for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  ++generation_;
  generation_.notify_all();
}

void ThreadPool::run_task(Task task) {
  task_ = task;
  running_.store(int(workers_.size()), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  task.call(task.context, 0);
  for (int left = running_.load(std::memory_order_acquire); left > 0; left = running_.load(std::memory_order_acquire))
    wait_while(running_, left, spins_);
}

void ThreadPool::work(int thread) {
  for (std::uint32_t seen = 0;;) {
    wait_while(generation_, seen, spins_);
    seen = generation_.load(std::memory_order_acquire);
    if (stop_) return;
    task_.call(task_.context, thread);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_all();
  }
}

}  // namespace shoal
