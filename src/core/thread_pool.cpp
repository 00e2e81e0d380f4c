#include "shoal/core/thread_pool.hpp"

#include <algorithm>
#include <bit>

#include "shoal/core/resources.hpp"

namespace shoal {

namespace {
// A batch step takes tens of microseconds, as long as waking a sleeping thread: look again for a while before sleeping.
// Where threads share a core, the one that is waited for could not run meanwhile.
constexpr int most_spins = 4000;

/// What was gained long ago does not pay for what is lost now.
constexpr double most_gained = 5e-3;
constexpr double payback = 32;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Returns a value of which stay(value) is false.
template <class T, class Stay>
T wait_while(std::atomic<T> const& value, int spins, Stay stay) {
  for (int i = 0;; ++i) {
    T const seen = value.load();
    if (!stay(seen)) return seen;
    if (i < spins)
      relax();
    else
      value.wait(seen);
  }
}
}  // namespace

ThreadPool::ThreadPool(int threads)
    : spins_(threads <= available_cpus() ? most_spins : 0), shares_(std::size_t(threads)) {
  for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  ++round_;
  round_.notify_all();
}

/// Kinds that share a place are few.
ThreadPool::Account& ThreadPool::account_of(Task const& task) {
  auto const kind = (reinterpret_cast<std::uintptr_t>(task.call) >> 4) + task.kind + std::bit_width(unsigned(task.n));
  return accounts_[std::size_t(kind * 0x9E3779B97F4A7C15ull >> 58)];
}

/// A worker enters (inside_) before it looks whether the task is open, and the caller closes the task before it looks
/// whether anybody is inside: so either the worker leaves again, or the caller waits for it.
void ThreadPool::run_task(Task task) {
  auto& account = account_of(task);
  auto const begun = Clock::now();
  if (begun < account.alone_until) return task.call(task.context, 0, 0, task.n);
  task_ = task;
  for (auto& share : shares_) share.taken.store(false, std::memory_order_relaxed);
  ++round_;
  round_.notify_all();
  int const own = take_shares(0);
  auto const done = Clock::now();
  ++round_;
  wait_while(inside_, spins_, [](int inside) { return inside > 0; });
  auto const end = Clock::now();
  using Seconds = std::chrono::duration<double>;
  double const alone = Seconds(done - begun).count() * double(task.n) / std::max(own, 1);
  account.seconds_gained = std::min(account.seconds_gained + alone - Seconds(end - begun).count(), most_gained);
  if (account.seconds_gained >= 0) return;
  account.alone_until = end + std::chrono::duration_cast<Clock::duration>(Seconds(-account.seconds_gained * payback));
  account.seconds_gained = 0;
}

/// The thread's own share first: it has that memory in its caches. @return the items of all that it took
int ThreadPool::take_shares(int thread) {
  int items = 0;
  for (int i = 0; i < threads(); ++i) {
    int const share = (thread + i) % threads();
    if (shares_[std::size_t(share)].taken.exchange(true)) continue;
    int const begin = share_begin(task_.n, share, threads()), end = share_begin(task_.n, share + 1, threads());
    if (begin < end) task_.call(task_.context, thread, begin, end);
    items += end - begin;
  }
  return items;
}

void ThreadPool::work(int thread) {
  for (std::uint32_t last = 0;;) {
    auto const round = wait_while(round_, spins_, [&](std::uint32_t r) { return r % 2 == 0 || r == last; });
    if (stop_) return;
    last = round;
    ++inside_;
    if (round_.load() % 2 == 1) take_shares(thread);
    if (--inside_ == 0) inside_.notify_all();
  }
}

}  // namespace shoal
