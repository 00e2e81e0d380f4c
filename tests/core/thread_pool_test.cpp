#include "shoal/core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
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

TEST(ThreadPool, EveryThreadHasANumberOfItsOwn) {
  ThreadPool pool(4);
  std::mutex mutex;
  std::set<int> numbers;
  std::set<std::thread::id> ids;
  pool.run(100, [&](int thread, int, int) {
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
  std::vector<int> sums(3);
  for (int round = 0; round < 300; ++round)
    pool.run(30, [&](int thread, int begin, int end) { sums[std::size_t(thread)] += end - begin; });
  EXPECT_EQ(sums, (std::vector{3000, 3000, 3000}));
}

// Workers that gave up spinning sleep; a later task has to wake them.
TEST(ThreadPool, WakesSleepingThreads) {
  ThreadPool pool(2);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::vector<int> ran(2);
    pool.run(2, [&](int thread, int, int) { ran[std::size_t(thread)] = 1; });
    EXPECT_EQ(ran, (std::vector{1, 1}));
  }
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
