// What holds for every environment behind the Simulator interface. A new environment joins by entering AllEnvironments.
#include "shoal/env/simulator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <thread>

#include "support/driver.hpp"

namespace shoal {
namespace {

class EveryEnvironment : public testing::TestWithParam<Variant> {
 protected:
  Driver driver(SimulatorOptions const& options = {}, int hashed = 1 << 30) const {
    return {GetParam().environment, GetParam().params, options, hashed};
  }

  // Hashes of the first instances after a reset and some steps.
  std::vector<std::uint64_t> trajectories(SimulatorOptions options, int first, int steps = 12) const {
    options.seed = 5;
    auto d = driver(options, first);
    d.reset();
    d.steps(steps);
    return d.hashes();
  }
};

INSTANTIATE_TEST_SUITE_P(All, EveryEnvironment, testing::ValuesIn(all_variants()),
                         [](auto const& test) { return test.param.name; });

TEST_P(EveryEnvironment, SpecIsConsistent) {
  auto const d = driver();
  auto const& spec = d.spec();
  EXPECT_GT(spec.agents(), 0);
  EXPECT_GT(spec.groups[0].observation, 0);
  EXPECT_GT(spec.max_episode_steps, 0);
  EXPECT_FALSE(spec.groups[0].continuous.empty() && spec.groups[0].discrete.empty());
  for (auto const& head : spec.groups[0].continuous) EXPECT_LT(head.low, head.high) << head.name;
  for (auto const& head : spec.groups[0].discrete) EXPECT_GT(head.choices, 0) << head.name;
  ASSERT_EQ(int(spec.supertype_of.size()), spec.agents());
  for (int const s : spec.supertype_of) EXPECT_TRUE(s >= 0 && s < int(spec.supertypes.size()));
  for (auto const& s : spec.supertypes)
    for (auto const& c : s.coordinates)
      EXPECT_TRUE(c.low <= c.initial && c.initial <= c.high) << s.name << "." << c.name;
  auto const& names = d->metric_names();
  EXPECT_EQ((std::set<std::string>(names.begin(), names.end())).size(), names.size());
}

// Through the actions at least: those of the default matrix game are its only source of variety.
TEST_P(EveryEnvironment, InstancesDiffer) {
  auto const hashes = trajectories({.instances = 16}, 16);
  EXPECT_EQ((std::set<std::uint64_t>(hashes.begin(), hashes.end())).size(), 16u);
}

TEST_P(EveryEnvironment, NumberOfInstancesDoesNotShow) {
  auto const seven = trajectories({.instances = 7}, 7);
  EXPECT_EQ(trajectories({.instances = 1}, 1)[0], seven[0]);
  EXPECT_EQ(trajectories({.instances = 4096}, 7), seven);
}

// Two processes of a distributed run: together they are one simulator with all instances.
TEST_P(EveryEnvironment, RangesOfInstancesJoin) {
  auto const whole = trajectories({.instances = 5}, 5);
  EXPECT_EQ(trajectories({.instances = 2, .first_instance = 3}, 2), (std::vector{whole[3], whole[4]}));
}

TEST_P(EveryEnvironment, NumberOfThreadsDoesNotShow) {
  auto const one = trajectories({.instances = 50}, 50);
  for (int threads : {2, 3, 64}) EXPECT_EQ(trajectories({.instances = 50, .threads = threads}, 50), one) << threads;
}

TEST_P(EveryEnvironment, ExecutorDoesNotShow) {
  Executor const on_threads = [](int shares, std::function<void(int)> const& job) {
    std::vector<std::jthread> threads;
    for (int s = 0; s < shares; ++s) threads.emplace_back([&job, s] { job(s); });
  };
  EXPECT_EQ(trajectories({.instances = 20, .threads = 3, .executor = on_threads}, 20),
            trajectories({.instances = 20}, 20));
}

// A GPU may visit indices in any order; no order may show in a trajectory.
TEST_P(EveryEnvironment, LaneOrderDoesNotShow) {
  auto const serial = trajectories({.instances = 20}, 20);
  for (char const* team : {"scrambled:2", "scrambled:7", "scrambled:32", "scrambled:64"})
    EXPECT_EQ(trajectories({.instances = 20, .team = team}, 20), serial) << team;
}

TEST(Seed, Shows) {
  for (auto const& v : {Variant{"", "market", {}}, Variant{"", "matrix_game", {{"altruism_sd_1", 0.5}}}}) {
    Driver a(v.environment, v.params, {.seed = 1}), b(v.environment, v.params, {.seed = 2});
    a.reset(), b.reset();
    a.steps(3), b.steps(3);
    EXPECT_NE(a.hashes(), b.hashes()) << v.environment;
  }
}

// In the middle of an episode, to the same index of another simulator: Random is keyed by the index.
TEST_P(EveryEnvironment, ImportedStateContinuesTheSame) {
  auto a = driver({.instances = 3, .seed = 4}), b = driver({.instances = 5, .seed = 4});
  a.reset(), b.reset();
  for (float* s = a->supertypes().data; s != a->supertypes().data + a->supertypes().size(); ++s) *s *= 0.5f;
  a.steps(8);
  b.steps(3);
  std::vector<std::byte> bytes(a->state_size());
  for (int i = 0; i < 3; ++i) {
    a->export_state(i, bytes);
    b->import_state(i, bytes);
  }
  b->observe(b.out);
  EXPECT_EQ(b.observation(2), a.observation(2));
  b.time = a.time;
  for (int t = 0; t < 100; ++t) {
    a.step(), b.step();
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(a.observation(i), b.observation(i)) << "step " << t;
      ASSERT_EQ(a.out.rewards(i, 0), b.out.rewards(i, 0)) << "step " << t;
      ASSERT_EQ(a.ended(i), b.ended(i)) << "step " << t;
    }
  }
}

TEST_P(EveryEnvironment, ExportedStateIsTheStateImported) {
  auto a = driver({.instances = 2}), b = driver({.instances = 2});
  a.reset();
  a.steps(3);
  std::vector<std::byte> before(a->state_size()), after(a->state_size());
  a->export_state(1, before);
  b->import_state(1, before);
  b->export_state(1, after);
  EXPECT_EQ(before, after);
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

// Where agents may die: Lives, in conformance_test.cpp.
TEST_P(EveryEnvironment, EndedIsOneFlagForAgentsThatCannotDie) {
  auto d = driver({.instances = 3});
  if (d.spec().may_die) return;
  d.reset();
  for (int t = 0; t < 2 * d.spec().max_episode_steps; ++t) {
    d.step();
    for (int i = 0; i < 3; ++i)
      for (int a = 0; a < d.agents; ++a) {
        ASSERT_EQ(d.out.ended(i, a), d.out.ended(i, 0));
        ASSERT_TRUE(d.out.ended(i, a) <= 1 || (d.out.ended(i, a) == 2 && d.spec().may_truncate));
      }
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

TEST_P(EveryEnvironment, MetricsAreFinite) {
  auto d = driver({.instances = 3});
  d.reset();
  d.steps(2 * d.spec().max_episode_steps);
  auto const sums = d->metrics().sums;
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < sums.extents[1]; ++k)
      EXPECT_TRUE(std::isfinite(sums(i, k))) << d->metric_names()[std::size_t(k)];
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

TEST_P(EveryEnvironment, SupertypesTakeEffectAtTheNextReset) {
  auto changed = driver({.instances = 2}), same = driver({.instances = 2});
  if (changed.group().type == 0 || changed.spec().coordinates() == 0) return;
  changed.reset(), same.reset();
  auto const values = changed->supertypes();
  for (int i = 0; i < 2; ++i)
    for (std::size_t s = 0; s < changed.spec().supertypes.size(); ++s) {
      auto const& coordinates = changed.spec().supertypes[s].coordinates;
      for (std::size_t c = 0; c < coordinates.size(); ++c) {
        EXPECT_EQ(values(i, s, c), coordinates[c].initial);
        values(i, s, c) = coordinates[c].initial < coordinates[c].high ? coordinates[c].high : coordinates[c].low;
      }
    }
  bool reset = false;
  for (int t = 0; t < changed.spec().max_episode_steps && !reset; ++t) {
    changed.step(), same.step();
    ASSERT_EQ(changed.out.rewards(0, 0), same.out.rewards(0, 0));
    ASSERT_EQ(changed.ended(0), same.ended(0));
    reset = changed.ended(0);
    if (!reset) {
      ASSERT_EQ(changed.observation(0), same.observation(0));
    }
  }
  ASSERT_TRUE(reset);
  EXPECT_NE(changed.observation(0), same.observation(0));
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

TEST_P(EveryEnvironment, MasksAreZeroOrOneAndLeaveAChoice) {
  auto d = driver({.instances = 2});
  if (d.group().discrete.empty()) return;
  d.reset();
  bool all_legal = true;
  for (int a = 0; a < d.agents; ++a) {
    int at = 0;
    for (auto const& head : d.group().discrete) {
      int legal = 0;
      for (int c = 0; c < head.choices; ++c, ++at) {
        ASSERT_LE(d.out.masks(1, a, at), 1);
        legal += d.out.masks(1, a, at);
      }
      EXPECT_GT(legal, 0);
      all_legal &= legal == head.choices;
    }
  }
  EXPECT_TRUE(all_legal || d.group().masked);
}

}  // namespace
}  // namespace shoal
