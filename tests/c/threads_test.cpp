// Several threads: each with its own simulator, and two in one. The thread sanitizer watches.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "c/c_simulator.hpp"

namespace shoal {

namespace {

using test::CSimulator;

TEST(CThreads, EachWithItsOwnSimulator) {
  std::vector<float> rewards(4);
  {
    std::vector<std::jthread> threads;
    for (auto& reward : rewards)
      threads.emplace_back([&reward] {
        for (int again = 0; again < 3; ++again) {
          CSimulator const c("market", "steps = 9");
          ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
          for (int t = 0; t < 10; ++t) c.step(t);
          reward = c.data<float>(SHOAL_REWARDS)[0];
        }
      });
  }
  for (float const reward : rewards) EXPECT_EQ(reward, rewards[0]);
}

TEST(CThreads, TwoInOneSimulatorGetAnError) {
  CSimulator const c("market", nullptr, 64);
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  c.step(0);
  std::atomic<int> steps{0}, busy{0}, others{0};
  auto const work = [&] {
    while (busy == 0 && steps < 200000) {
      auto const status = shoal_step(c.handle);
      if (status == SHOAL_BUSY) {
        if (std::strstr(shoal_last_error(), "another thread is in a call on this simulator")) ++busy;
      } else if (status != SHOAL_OK) {
        ++others;
      }
      ++steps;
    }
  };
  { std::jthread const a(work), b(work); }
  EXPECT_GE(busy, 1);
  EXPECT_EQ(others, 0);
  EXPECT_EQ(shoal_step(c.handle), SHOAL_OK) << "free again";
}

TEST(CThreads, CloseAndStepAtOnceGiveAnErrorToOne) {
  for (int again = 0; again < 20; ++again) {
    shoal_simulator* simulator = nullptr;
    ASSERT_EQ(shoal_create(&simulator, "matrix_game", nullptr, nullptr), SHOAL_OK);
    shoal_array actions;
    ASSERT_EQ(shoal_get_array(simulator, SHOAL_DISCRETE_ACTIONS, 0, &actions, sizeof actions), SHOAL_OK);
    ASSERT_EQ(shoal_reset(simulator), SHOAL_OK);
    {
      std::jthread const stepping([&] {
        while (shoal_step(simulator) != SHOAL_CLOSED) {}
      });
      while (shoal_close(simulator) == SHOAL_BUSY) {}
    }
    EXPECT_EQ(shoal_step(simulator), SHOAL_CLOSED);
  }
}

TEST(CThreads, ErrorsAreOfTheirThread) {
  EXPECT_EQ(shoal_step(nullptr), SHOAL_CLOSED);
  std::string const here = shoal_last_error();
  std::jthread([] {
    EXPECT_STREQ(shoal_last_error(), "");
    EXPECT_EQ(shoal_create(nullptr, nullptr, nullptr, nullptr), SHOAL_INVALID);
  }).join();
  EXPECT_EQ(here, shoal_last_error());
}

}  // namespace

}  // namespace shoal
