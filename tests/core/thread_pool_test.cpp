#include "shoal/core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

namespace shoal {
namespace {

TEST(ThreadPool, CoversEveryIndexOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int n : {0, 1, 2, 5, 8, 1000}) {
      std::vector<int> visits(static_cast<std::size_t>(n));  // shares are disjoint: ThreadSanitizer would tell
      pool.run(n, [&](int, int begin, int end) {
        for (int i = begin; i < end; ++i) ++visits[std::size_t(i)];
      });
      EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), n) << threads << " threads";
    }
  }
}

// Each share waits for all others, so that no thread can have two.
TEST(ThreadPool, EveryThreadHasANumberOfItsOwn) {
  ThreadPool pool(4);
  std::barrier all(4);
  std::mutex mutex;
  std::set<int> numbers;
  std::set<std::thread::id> ids;
  pool.run(100, [&](int thread, int, int) {
    all.arrive_and_wait();
    std::lock_guard const lock(mutex);
    numbers.insert(thread);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(numbers, (std::set{0, 1, 2, 3}));
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_TRUE(ids.contains(std::this_thread::get_id()));
}

TEST(ThreadPool, RunsAgainAndAgain) {
  ThreadPool pool(3);
  std::vector<std::int64_t> sums(3);
  for (int round = 0; round < 3000; ++round)
    pool.run(30, [&](int thread, int begin, int end) {
      for (int i = begin; i < end; ++i) sums[std::size_t(thread)] += round;
    });
  EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), std::int64_t(0)), 30ll * 3000 * 2999 / 2);
}

// Workers that gave up spinning sleep; a later task has to wake them. A task that is done alone would wait for ever.
TEST(ThreadPool, WakesSleepingThreads) {
  ThreadPool pool(2, false);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::barrier both(2);
    pool.run(2, [&](int, int, int) { both.arrive_and_wait(); });
  }
}

// The calling thread ends at once, the other holds it up.
TEST(ThreadPool, WorksAloneAfterALoss) {
  ThreadPool pool(2);
  int shared = 0;
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> begun = false;
    pool.run(2, [&](int thread, int begin, int end) {
      if (end - begin == 2) return;
      if (thread == 0) {
        ++shared;
        begun.wait(false);
      } else {
        begun = true;
        begun.notify_all();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  EXPECT_LT(shared, 10);
}

TEST(ShareBegin, SharesDifferByAtMostOne) {
  for (int n : {0, 1, 7, 100, 1 << 30})
    for (int shares : {1, 3, 64}) {
      EXPECT_EQ(share_begin(n, 0, shares), 0);
      EXPECT_EQ(share_begin(n, shares, shares), n);
      for (int s = 0; s < shares; ++s) {
        int const size = share_begin(n, s + 1, shares) - share_begin(n, s, shares);
        EXPECT_TRUE(size == n / shares || size == n / shares + 1);
      }
    }
}

}  // namespace
}  // namespace shoal
