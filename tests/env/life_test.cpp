// What a step does for the environment: zeros before it writes, and the rows of agents that die.
#include <gtest/gtest.h>

#include "shoal/env/cpu_simulator.hpp"
#include "support/countdown.hpp"
#include "support/driver.hpp"

namespace shoal {
namespace {

using Countdown = test::Countdown<>;

Driver countdown(int max_steps = 100, SimulatorOptions const& options = {}) {
  Countdown::Params params{.max_steps = max_steps};
  Countdown::prepare(params);
  return Driver(std::make_unique<CpuSimulator<Countdown>>(params, options));
}

std::vector<int> row(View<std::uint8_t, 2> const& v, int i = 0) { return {&v(i, 0), &v(i, 0) + v.extents[1]}; }
std::vector<float> row(View<float, 2> const& v, int i = 0) { return {&v(i, 0), &v(i, 0) + v.extents[1]}; }

void step(Driver& d, std::vector<int> const& choices) {
  for (int a = 0; a < d.agents; ++a) d.discrete(0, a, 0) = choices[std::size_t(a)];
  std::fill_n(d.out.rewards.data, d.out.rewards.size(), Driver::garbage);
  d->step(d.in, d.out);
}

TEST(Life, ADeathEndsTheRowOfTheAgentAlone) {
  auto d = countdown();
  EXPECT_TRUE(d.spec().may_die);
  d.reset();
  EXPECT_EQ(row(d.out.alive), (std::vector{1, 1, 1, 1}));
  step(d, {1, 0, 0, 1});
  EXPECT_EQ(row(d.out.rewards), (std::vector<float>{2, 1, 0, 2})) << "the last action of agent 0 is paid";
  EXPECT_EQ(row(d.out.ended), (std::vector{1, 0, 0, 0}));
  EXPECT_EQ(row(d.out.alive), (std::vector{0, 1, 1, 1}));
  step(d, {1, 0, 0, 1});
  EXPECT_EQ(row(d.out.rewards), (std::vector<float>{0, 1, 0, 2})) << "agent 2's are never written";
  EXPECT_EQ(row(d.out.ended), (std::vector{0, 1, 0, 0}));
  EXPECT_EQ(row(d.out.alive), (std::vector{0, 0, 1, 1}));
}

TEST(Life, TheEndOfTheEpisodeIsInEveryRow) {
  auto d = countdown();
  d.reset();
  for (int t = 0; t < 4; ++t) step(d, {0, 0, 0, 0});
  EXPECT_EQ(row(d.out.ended), (std::vector{1, 1, 1, 1}));
  EXPECT_EQ(row(d.out.alive), (std::vector{1, 1, 1, 1})) << "of the next episode";
  EXPECT_FLOAT_EQ(d->metrics().sums(0, 1), (1 + 2 + 0 + 4) / 4.0f) << "the dead add nothing to the return";
}

TEST(Life, WhoIsDeadAtATruncationIsTerminatedToo) {
  auto d = countdown(2);
  d.reset();
  step(d, {0, 0, 0, 0});
  step(d, {0, 0, 0, 0});
  EXPECT_EQ(row(d.out.ended), (std::vector{3, 3, 2, 2})) << "agent 0 died a step ago, agent 1 in this one";
}

TEST(Life, RowsOfTheDeadAreZerosAndLegal) {
  Countdown::Params const params{.agents = 5, .max_steps = 4};
  Driver d(std::make_unique<CpuSimulator<Countdown>>(
      params, SimulatorOptions{.observation = {.indication = Indication::agent, .width = 10}}));
  d.reset();
  auto const zeros = std::vector<float>(10);
  auto const of = [](std::vector<float> const& all, int a) {
    return std::vector<float>(all.begin() + 10 * a, all.begin() + 10 * (a + 1));
  };
  EXPECT_EQ(d.out.masks(0, 3, 1), 0);
  for (int t = 0; t < 3; ++t) step(d, {0, 0, 0, 0, 0});
  for (int a = 0; a < 5; ++a) EXPECT_EQ(of(d.observation(0), a) == zeros, a < 3) << a;
  EXPECT_EQ(d.out.masks(0, 3, 1), 0);
  step(d, {0, 0, 0, 0, 0});
  for (int a = 0; a < 5; ++a) EXPECT_EQ(of(d.final_observation(0), a) == zeros, a < 4) << a;
  d.reset();
  for (int a = 0; a < 5; ++a) EXPECT_NE(of(d.observation(0), a), zeros) << a;
}

TEST(Life, MasksOfTheDeadAreAllLegal) {
  Countdown::Params const params{.agents = 5};
  Driver d(std::make_unique<CpuSimulator<Countdown>>(params, SimulatorOptions{}));
  d.reset();
  for (int t = 0; t < 4; ++t) step(d, {0, 0, 0, 0, 0});
  EXPECT_EQ(row(d.out.alive), (std::vector{0, 0, 0, 0, 1}));
  EXPECT_EQ(d.out.masks(0, 3, 1), 1) << "agent 3 is dead; its mask was 0";
}

TEST(Life, TeamsAndExportedStatesShowTheSameLives) {
  auto a = countdown(), b = countdown(100, {.team = "scrambled:3"});
  a.reset(), b.reset();
  a.steps(9), b.steps(9);
  EXPECT_EQ(a.hashes(), b.hashes());
  std::vector<std::byte> state(a->state_size());
  EXPECT_EQ(state.size(), sizeof(Clock) + sizeof(Countdown::State) + 4 * sizeof(float));
  a->export_state(0, state);
  auto c = countdown();
  c.reset();
  c->import_state(0, state);
  c->observe(c.out);
  EXPECT_EQ(row(c.out.alive), row(a.out.alive));
  EXPECT_EQ(row(c.out.alive), (std::vector{0, 1, 1, 1}));
}

TEST(Presets, CellsThatNobodyWritesAreZero) {
  auto d = countdown();
  d.reset();
  auto const luck = d.out.observations(0, 0, 0);
  EXPECT_GT(luck, 0);
  EXPECT_EQ(d.observation(0), (std::vector<float>{luck, 0, 1, luck, 1, 0, luck, 0, 0, luck, 0, 0}));
}

// ---- What the compiler refuses --------------------------------------------------------------------------------------

struct AliveOfTheStateAlone : Countdown {
  SHOAL_FN static bool alive(State const&, int) { return true; }
};
struct AliveAsANumber : Countdown {
  SHOAL_FN static int alive(Params const&, State const&, int) { return 1; }
};
struct TooManyLanes : Countdown {
  static constexpr int lanes = 64;
};
struct TooMuchScratch : Countdown {
  struct Scratch {
    float values[12289];
  };
};
struct ScratchWithInitialisers : Countdown {
  struct Scratch {
    int at = 0;
  };
};
struct TooManyParams : Countdown {
  struct Params : Countdown::Params {
    float values[7936];
  };
};

static_assert(Environment<Countdown> && MayDie<Countdown>);
static_assert(!AliveFits<AliveOfTheStateAlone> && !Environment<AliveOfTheStateAlone>);
static_assert(!AliveFits<AliveAsANumber> && !Environment<AliveAsANumber>);
static_assert(!WithinLimits<TooManyLanes> && !Environment<TooManyLanes>);
static_assert(!WithinLimits<TooMuchScratch> && !WithinLimits<ScratchWithInitialisers>);
static_assert(!WithinLimits<TooManyParams>);

}  // namespace
}  // namespace shoal
