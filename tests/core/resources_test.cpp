#include "shoal/core/resources.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <thread>

namespace shoal {
namespace {

TEST(Resources, CpusFollowTheAffinity) {
  int const before = available_cpus();
  EXPECT_GE(before, 1);
  std::thread([] {  // affinity is a thread's
    cpu_set_t all, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(available_cpus(), 1);
  })
      .join();
  EXPECT_EQ(available_cpus(), before);
}

TEST(Resources, MemoryFollowsTheLimitOfTheAddressSpace) {
  auto const before = available_memory();
  EXPECT_GT(before, 1 << 20);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need address space of their own";
#endif
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &old), 0);
  rlimit const limit{rlim_t(1) << 46, old.rlim_max};  // far above what is used, sanitizers included
  ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
  EXPECT_GT(available_memory(), 1 << 20);
  rlimit const little{1, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &little), 0);
  auto const left = available_memory();
  setrlimit(RLIMIT_AS, &old);
  EXPECT_EQ(left, 0);
}

TEST(Resources, BytesAsText) {
  EXPECT_EQ(bytes_text(12), "12 bytes");
  EXPECT_EQ(bytes_text(1.5e9), "1.5 GB");
  EXPECT_EQ(bytes_text(2.345e12), "2.35 TB");
}

}  // namespace
}  // namespace shoal
