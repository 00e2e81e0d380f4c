// What holds for every team, run on each of those that a CPU can run.
#include "shoal/core/team.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <set>
#include <vector>

#include "shoal/core/random.hpp"
#include "shoal/core/thread_team.hpp"

namespace shoal {
namespace {

// Calls f(team) with a serial team, scrambled ones and teams of threads; with these, once on every lane.
template <class F>
void on_every_team(F f) {
  f(SerialTeam{});
  for (int lanes : {1, 2, 7, 32, 64}) f(ScrambledTeam(lanes));
  for (int lanes : {1, 3, 8}) run_threads(lanes, f);
}

float noise(int i) { return Random{1, 0, 0, 0}.draw(Purpose::test, std::uint32_t(i)).normal(0); }

// The documented association, written out: 32 partial sums, then halves onto halves.
float documented_sum(std::vector<float> const& x) {
  float lane[32] = {};
  for (std::size_t i = 0; i < x.size(); ++i) lane[i % 32] += x[i];
  for (int half : {16, 8, 4, 2, 1})
    for (int l = 0; l < half; ++l) lane[l] += lane[l + half];
  return lane[0];
}

TEST(Team, EachVisitsEveryIndexOnce) {
  for (int n : {0, 1, 5, 32, 100}) {
    on_every_team([n](auto team) {
      static std::vector<std::atomic<int>> visits;
      team.once([n] { visits = std::vector<std::atomic<int>>(std::size_t(n)); });
      team.each(n, [](int i) { ++visits[std::size_t(i)]; });
      for (auto const& v : visits) EXPECT_EQ(v, 1);
      team.each(1, [](int) {});
    });
  }
}

TEST(Team, EachOfRowsAndColumnsVisitsEveryPairOnce) {
  on_every_team([](auto team) {
    static std::atomic<int> visits[6][3];
    team.once([] {
      for (auto& v : visits)
        for (auto& x : v) x = 0;
    });
    team.each(6, 3, [](int row, int column) { ++visits[row][column]; });
    for (auto const& v : visits)
      for (auto const& x : v) EXPECT_EQ(x, 1);
    team.each(0, 3, [](int, int) { ADD_FAILURE(); });
    team.each(3, 0, [](int, int) { ADD_FAILURE(); });
  });
}

TEST(Team, OnceRunsOnce) {
  std::atomic<int> runs = 0;
  run_threads(5, [&](auto team) {
    team.once([&] { ++runs; });
    EXPECT_EQ(runs, 1) << "seen by every lane afterwards";
  });
  SerialTeam{}.once([&] { ++runs; });
  ScrambledTeam(7).once([&] { ++runs; });
  EXPECT_EQ(runs, 3);
}

TEST(Team, SumHasTheDocumentedAssociation) {
  for (int n : {0, 1, 2, 31, 32, 33, 64, 65, 500}) {
    std::vector<float> x;
    for (int i = 0; i < n; ++i) x.push_back(noise(i));
    float const expected = documented_sum(x);
    on_every_team([&](auto team) {
      float const sum = team.sum(n, [&](int i) { return x[std::size_t(i)]; });
      EXPECT_EQ(std::bit_cast<std::uint32_t>(sum), std::bit_cast<std::uint32_t>(expected)) << "n = " << n;
    });
  }
}

// Worked by hand: lanes 1 and 3 meet before they meet the large number of lane 0, which would swallow each alone.
TEST(Team, SumAddsPairwise) {
  float const x[] = {0x1p24f, 1, 0, 1};
  on_every_team([&](auto team) { EXPECT_EQ(team.sum(4, [&](int i) { return x[i]; }), 0x1p24f + 2); });
}

TEST(Team, SumOfIntegersIsExact) {
  on_every_team([](auto team) {
    EXPECT_EQ(team.sum(1001, [](int i) { return std::int64_t(i) << 32; }), std::int64_t(500500) << 32);
  });
}

// What the scrambled team is for: code with a race gives other results than the serial team.
TEST(ScrambledTeam, ShowsARace) {
  auto const prefix = [](auto team) {
    std::vector<int> x(10, 1);
    team.each(9, [&](int i) { x[std::size_t(i) + 1] += x[std::size_t(i)]; });
    return x;
  };
  EXPECT_NE(prefix(SerialTeam{}), prefix(ScrambledTeam(2)));
}

}  // namespace
}  // namespace shoal
