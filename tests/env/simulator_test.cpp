// What holds for every environment behind the Simulator interface, beside the properties of conformance_test.cpp. A new
// environment joins by entering AllEnvironments.
#include "shoal/env/simulator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "support/driver.hpp"

namespace shoal {
namespace {

class EveryEnvironment : public testing::TestWithParam<Variant> {
 protected:
  Driver driver(SimulatorOptions const& options = {}) const {
    return {GetParam().environment, GetParam().params, options};
  }
};

INSTANTIATE_TEST_SUITE_P(All, EveryEnvironment, testing::ValuesIn(all_variants()),
                         [](auto const& test) { return test.param.name; });

// Through the actions at least: those of the default matrix game are its only source of variety.
TEST_P(EveryEnvironment, InstancesDiffer) {
  auto d = driver({.instances = 16, .seed = 5});
  d.reset();
  d.steps(12);
  auto const hashes = d.hashes();
  EXPECT_EQ((std::set<std::uint64_t>(hashes.begin(), hashes.end())).size(), 16u);
}

TEST(Seed, Shows) {
  for (auto const& v : {Variant{"", "market", {}}, Variant{"", "matrix_game", {{"altruism_sd_1", 0.5}}}}) {
    Driver a(v.environment, v.params, {.seed = 1}), b(v.environment, v.params, {.seed = 2});
    a.reset(), b.reset();
    a.steps(3), b.steps(3);
    EXPECT_NE(a.hashes(), b.hashes()) << v.environment;
  }
}

// Episode 2's first observation is what a second reset shows: both are the same place in the random numbers.
TEST_P(EveryEnvironment, AnEpisodesEndShowsTheNextEpisodesFirstObservation) {
  auto fresh = driver({.instances = 4}), d = driver({.instances = 4});
  fresh.reset(), fresh.reset();
  d.reset();
  std::vector<bool> seen(4);
  int differ = 0;
  for (int t = 0; t < d.spec().max_episode_steps; ++t) {
    d.step();
    for (int i = 0; i < 4; ++i)
      if (d.ended(i) && !seen[std::size_t(i)]) {
        seen[std::size_t(i)] = true;
        EXPECT_EQ(d.observation(i), fresh.observation(i));
        differ += d.final_observation(i) != d.observation(i);
      }
  }
  EXPECT_EQ(seen, std::vector<bool>(4, true));
  EXPECT_GT(differ, 1) << "small observations may be equal by chance";
}

TEST_P(EveryEnvironment, FinalObservationsAreWrittenAtEndsOnly) {
  auto d = driver({.instances = 3});
  d.reset();
  for (int t = 0; t < d.spec().max_episode_steps; ++t) {
    for (float* x = d.out.final_observations.data; x != d.out.final_observations.data + d.out.final_observations.size();
         ++x)
      *x = Driver::garbage;
    d.step();
    for (int i = 0; i < 3; ++i)
      for (float const x : d.final_observation(i)) ASSERT_EQ(x == Driver::garbage, !d.ended(i));
  }
}

// NAME.return and episode_length, recomputed from what step() gave; the environments' own metrics are tested with them.
TEST_P(EveryEnvironment, ReturnsAndLengthsAreWhatTheStepsGave) {
  constexpr int n = 3;
  auto d = driver({.instances = n, .threads = 2});
  auto const& spec = d.spec();
  auto const groups = spec.supertypes.size();
  std::vector<std::vector<double>> sums(n, std::vector<double>(groups + 1)),
      running(n, std::vector<double>(groups + 1));
  std::vector<int> episodes(n);
  d.reset();
  for (int t = 0; t < 2 * spec.max_episode_steps + 1; ++t) {
    d.step();
    for (std::size_t i = 0; i < n; ++i) {
      for (int a = 0; a < d.agents; ++a) {
        auto const s = spec.supertype_of[std::size_t(a)];
        running[i][std::size_t(s)] +=
            double(d.out.rewards(i, a)) / double(std::count(spec.supertype_of.begin(), spec.supertype_of.end(), s));
      }
      running[i][groups] += 1;
      if (!d.ended(int(i))) continue;
      ++episodes[i];
      for (std::size_t k = 0; k <= groups; ++k) sums[i][k] += running[i][k], running[i][k] = 0;
    }
  }
  auto const metrics = d->metrics();
  auto const& names = d->metric_names();
  auto const own = spec.metrics.size();
  ASSERT_EQ(metrics.sums.extents[1], std::int64_t(names.size()));
  EXPECT_EQ(names.back(), "episode_length");
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_EQ(metrics.episodes(i), episodes[i]);
    EXPECT_GE(episodes[i], 2);
    for (std::size_t g = 0; g < groups; ++g) {
      EXPECT_EQ(names[own + g], spec.supertypes[g].name + ".return");
      EXPECT_NEAR(double(metrics.sums(i, own + g)), sums[i][g], 1e-3 + 1e-4 * std::abs(sums[i][g]));
    }
    EXPECT_EQ(double(metrics.sums(i, own + groups)), sums[i][groups]);
  }
}

TEST_P(EveryEnvironment, ClearMetricsForgetsEpisodesButNotTheRunningOne) {
  auto d = driver();
  d.reset();
  do d.step();
  while (!d.ended(0));
  auto const first = d->metrics().episodes(0);
  d->clear_metrics();
  auto const m = d->metrics();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(m.episodes(0), 0);
  for (int k = 0; k < m.sums.extents[1]; ++k) EXPECT_EQ(m.sums(0, k), 0);
}

TEST_P(EveryEnvironment, ResetAbandonsTheEpisodeUnrecorded) {
  auto d = driver();
  d.reset();
  d.step();
  bool const ended = d.ended(0);
  d.reset();
  EXPECT_EQ(d->metrics().episodes(0), ended ? 1 : 0);
}

TEST_P(EveryEnvironment, ObserveRepeatsTheLastObservation) {
  auto d = driver({.instances = 2});
  d.reset();
  d.steps(2);
  auto const last = d.observation(1);
  std::fill_n(d.out.observations.data, d.out.observations.size(), Driver::garbage);
  d->observe(d.out);
  EXPECT_EQ(d.observation(1), last);
}

TEST_P(EveryEnvironment, ObservationIsOwnThenTypeThenIndicationThenPadding) {
  auto const observe = [&](ObservationOptions const& o) {
    auto d = driver({.instances = 2, .observation = o});
    d.reset();
    d.step();
    return std::pair{d.observation(1), d->observation_width()};
  };
  auto lives = driver({.instances = 2});
  lives.reset();
  lives.step();
  auto const& spec = lives.spec();
  int const own = spec.groups[0].observation, type = spec.groups[0].type, agents = spec.agents(),
            full = own + type + agents;
  auto const [bare, bare_width] = observe({.type = false});
  auto const [typed, typed_width] = observe({.type = true});
  auto const [all, width] = observe({.type = true, .indication = Indication::agent, .width = full + 3});
  EXPECT_EQ(bare_width, own);
  EXPECT_EQ(typed_width, own + type);
  ASSERT_EQ(width, full + 3);
  for (int a = 0; a < agents; ++a) {
    if (!lives.out.alive(1, a)) continue;
    auto const at = [&](auto const& row, int w, int k) { return row[std::size_t(a * w + k)]; };
    for (int k = 0; k < own; ++k) {
      EXPECT_EQ(at(all, width, k), at(bare, own, k));
      EXPECT_EQ(at(typed, own + type, k), at(bare, own, k));
    }
    for (int k = 0; k < type; ++k) EXPECT_EQ(at(all, width, own + k), at(typed, own + type, own + k));
    for (int k = 0; k < agents; ++k) EXPECT_EQ(at(all, width, own + type + k), k == a ? 1 : 0);
    for (int k = full; k < width; ++k) EXPECT_EQ(at(all, width, k), 0);
  }
}

// A rollout's slot: the agents of an instance are not next to those of the one before.
TEST_P(EveryEnvironment, WritesThroughStridesAndNowhereElse) {
  auto d = driver({.instances = 3});
  d.reset();
  d.draw_actions();
  auto const width = d->observation_width();
  std::vector<float> memory(std::size_t(3 * (d.agents + 1) * (width + 2)), Driver::garbage);
  auto slots = view(memory.data(), 3, d.agents + 1, width + 2);
  auto rows = slots;
  rows.extents[1] = d.agents, rows.extents[2] = width;
  auto out = d.out;
  out.observations = rows;
  d->step(d.in, out);
  d->observe(d.out);
  for (int i = 0; i < 3; ++i)
    for (int a = 0; a <= d.agents; ++a)
      for (int k = 0; k < width + 2; ++k) {
        bool const inside = a < d.agents && k < width;
        ASSERT_EQ(slots(i, a, k), inside ? d.out.observations(i, a, k) : Driver::garbage);
      }
}

}  // namespace
}  // namespace shoal
