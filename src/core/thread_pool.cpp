#include "shoal/core/thread_pool.hpp"

#include <algorithm>
#include <bit>

#include "shoal/core/resources.hpp"

namespace shoal {

namespace {
// A batch step takes tens of microseconds, as long as waking a sleeping thread: look again for a while before sleeping.
// Where threads share a core, the one that is waited for could not run meanwhile.
constexpr int most_spins = 4000;

/// What was gained long ago does not pay for what is lost now: seconds, or four tasks if these are longer.
constexpr double most_gained = 5e-3;
constexpr double payback = 32, longest_alone = 1;

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

ThreadPool::ThreadPool(int threads, bool works_alone)
    : works_alone_(works_alone), spins_(threads <= available_cpus() ? most_spins : 0), shares_(std::size_t(threads)) {
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
  shares_[0].taken.store(true, std::memory_order_relaxed);
  ++round_;
  round_.notify_all();
  auto const started = Clock::now();
  int const own = do_share(0, 0) + take_shares(0);
  auto const done = Clock::now();
  ++round_;
  wait_while(inside_, spins_, [](int inside) { return inside > 0; });
  using Seconds = std::chrono::duration<double>;
  if (works_alone_)
    settle(account, Seconds(done - started).count() * double(task.n) / own, Seconds(Clock::now() - begun).count());
}

/// @param alone, together  seconds that the task would have taken on one thread, and took
void ThreadPool::settle(Account& account, double alone, double together) {
  account.seconds_gained = std::min(account.seconds_gained + alone - together, std::max(most_gained, 4 * together));
  if (account.seconds_gained >= 0) return;
  std::chrono::duration<double> const rest(std::min(-account.seconds_gained * payback, longest_alone));
  account.alone_until = Clock::now() + std::chrono::duration_cast<Clock::duration>(rest);
  account.seconds_gained = 0;
}

/// @return its items
int ThreadPool::do_share(int thread, int share) {
  int const begin = share_begin(task_.n, share, task_.shares), end = share_begin(task_.n, share + 1, task_.shares);
  task_.call(task_.context, thread, begin, end);
  return end - begin;
}

/// The thread's own share first: it has that memory in its caches. @return the items of all that it took
int ThreadPool::take_shares(int thread) {
  int items = 0;
  for (int i = 0; i < task_.shares; ++i) {
    int const share = (thread + i) % task_.shares;
    if (!shares_[std::size_t(share)].taken.exchange(true)) items += do_share(thread, share);
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
