// What the contract (shoal/env/contract.hpp) asks of every environment and the compiler cannot see, but for keys of
// random numbers (draw_keys_test.cpp). Each check is first tried on a game with the fault that it is for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "shoal/env/cpu_simulator.hpp"
#include "support/countdown.hpp"
#include "support/driver.hpp"

namespace shoal {
namespace {

using test::Countdown;
using test::Fault;

template <Fault fault>
Driver faulty(int instances = 2) {
  return Driver(std::make_unique<CpuSimulator<Countdown<fault>>>(typename Countdown<fault>::Params{},
                                                                 SimulatorOptions{.instances = instances}));
}

class Conformance : public testing::TestWithParam<Variant> {
 protected:
  Driver driver(int instances, bool indication = false) const {
    return {GetParam().environment,
            GetParam().params,
            {.instances = instances,
             .seed = 3,
             .observation = {.indication = indication ? Indication::agent : Indication::none}}};
  }
};

INSTANTIATE_TEST_SUITE_P(All, Conformance, testing::ValuesIn(all_variants()),
                         [](auto const& test) { return test.param.name; });

/// After an episode of each instance, the longest there is, and the first steps of the next.
int long_enough(Driver const& d) { return d.spec().max_episode_steps + 3; }

// ---- Every output is written, whatever lay there --------------------------------------------------------------------

void fill(StepOutput const& out, int byte) {
  auto const each = [&](auto const& v) {
    if (v.data) std::memset(v.data, byte, std::size_t(v.size()) * sizeof *v.data);
  };
  each(out.observations), each(out.masks), each(out.alive);
  each(out.rewards), each(out.ended), each(out.final_observations);
}

/// The bits of all that the last reset or step has to have written.
std::vector<std::uint32_t> shown(Driver const& d, bool stepped) {
  std::vector<std::uint32_t> bits;
  auto const add = [&](auto const& values) {
    for (float const x : values) bits.push_back(std::bit_cast<std::uint32_t>(x));
  };
  for (int i = 0; i < d.instances; ++i) {
    add(d.observation(i));
    for (int a = 0; a < d.agents; ++a) {
      bits.push_back(d.out.alive(i, a));
      for (int c = 0; c < d.group().choices(); ++c) bits.push_back(d.out.masks(i, a, c));
      if (stepped) add(std::vector{d.out.rewards(i, a), float(d.out.ended(i, a))});
    }
    if (stepped && d.ended(i)) add(d.final_observation(i));
  }
  return bits;
}

/// Plays the same episodes into memory of two kinds.
std::string what_is_left_over(Driver a, Driver b) {
  fill(a.out, 0x5a), fill(b.out, 0xc3);
  a->reset(a.out), b->reset(b.out);
  if (shown(a, false) != shown(b, false)) return "after the reset";
  for (int t = 0; t < long_enough(a); ++t) {
    for (auto* d : {&a, &b}) d->draw_actions(), ++d->time;
    fill(a.out, 0x5a), fill(b.out, 0xc3);
    a->step(a.in, a.out), b->step(b.in, b.out);
    if (shown(a, true) != shown(b, true)) return fmt::format("after step {}", t + 1);
  }
  return "";
}

TEST(ConformanceChecks, FindCellsThatAreNotWritten) {
  constexpr auto fault = Fault::claims_every_cell;
  EXPECT_EQ(what_is_left_over(faulty<fault>(), faulty<fault>()), "after the reset");
  EXPECT_EQ(what_is_left_over(faulty<Fault::none>(), faulty<Fault::none>()), "");
}

TEST_P(Conformance, NothingOfTheOutputsMemoryIsLeftOver) {
  EXPECT_EQ(what_is_left_over(driver(2, true), driver(2, true)), "");
}

// ---- Masks ----------------------------------------------------------------------------------------------------------

std::string unasked_mask(Driver d) {
  if (d.group().masked || d.group().discrete.empty()) return "";
  d.reset();
  for (int t = 0; t < long_enough(d); ++t, d.step())
    for (int i = 0; i < d.instances; ++i)
      for (int a = 0; a < d.agents; ++a)
        for (int c = 0; c < d.group().choices(); ++c)
          if (d.out.masks(i, a, c) != 1) return fmt::format("step {}, agent {}, choice {}: a mask of 0", t, a, c);
  return "";
}

TEST(ConformanceChecks, FindMasksOfWhoSaysThatThereAreNone) {
  EXPECT_EQ(unasked_mask(faulty<Fault::masks_unasked>()), "step 0, agent 3, choice 1: a mask of 0");
}

TEST_P(Conformance, WhoDoesNotMaskLeavesEveryChoice) { EXPECT_EQ(unasked_mask(driver(2)), ""); }

// ---- Life -----------------------------------------------------------------------------------------------------------

bool is_zero(View<float, 1> const& row) {
  bool zero = true;
  for (std::int64_t k = 0; k < row.extents[0]; ++k) zero &= row(k) == 0;
  return zero;
}

/// Of an agent that is dead in the state that is shown.
std::string wrong_row(Driver const& d, int i, int a) {
  if (!is_zero(d.out.observations(i, a))) return "the dead observe";
  for (int c = 0; c < d.group().choices(); ++c)
    if (d.out.masks(i, a, c) != 1) return "a mask of the dead";
  return "";
}

/// Of an agent after a step. @param lived  before the step
std::string wrong_step(Driver const& d, int i, int a, bool lived) {
  bool const over = d.ended(i), lives = d.out.alive(i, a);
  if (!lived && d.out.rewards(i, a) != 0) return "the dead earn";
  if (over) return !lived && !is_zero(d.out.final_observations(i, a)) ? "the dead observe an end" : "";
  if (!lived && lives) return "back to life";
  if (d.out.ended(i, a) != (lived && !lives ? 1 : 0)) return "ended does not tell of deaths alone";
  return "";
}

std::string wrong_life(Driver d) {
  d.reset();
  std::vector<std::uint8_t> lived(d.out.alive.data, d.out.alive.data + d.out.alive.size());
  for (int t = 0; t < long_enough(d); ++t) {
    for (int i = 0; i < d.instances; ++i) {
      auto const before = lived.begin() + i * d.agents;
      if (std::count(before, before + d.agents, 1) == 0) return fmt::format("step {}: nobody lives", t);
      for (int a = 0; a < d.agents; ++a) {
        if (!d.spec().may_die && !before[a]) return "who cannot die is dead";
        if (!before[a])
          if (auto const wrong = wrong_row(d, i, a); !wrong.empty()) return fmt::format("step {}: {}", t, wrong);
      }
    }
    d.step();
    for (int i = 0; i < d.instances; ++i)
      for (int a = 0; a < d.agents; ++a)
        if (auto const wrong = wrong_step(d, i, a, lived[std::size_t(i * d.agents + a)]); !wrong.empty())
          return fmt::format("step {}: {}", t, wrong);
    std::copy_n(d.out.alive.data, d.out.alive.size(), lived.begin());
  }
  return "";
}

TEST(ConformanceChecks, FindWhoComesBackToLifeAndGamesWithoutPlayers) {
  EXPECT_EQ(wrong_life(faulty<Fault::none>()), "");
  EXPECT_EQ(wrong_life(faulty<Fault::revives>()), "step 1: back to life");
  EXPECT_EQ(wrong_life(faulty<Fault::outlives>()), "step 4: nobody lives");
}

TEST_P(Conformance, Lives) { EXPECT_EQ(wrong_life(driver(16)), ""); }

/// Plays the same episodes twice; in one, the dead choose what comes first.
std::string effect_of_the_dead(Driver a, Driver b) {
  a.reset(), b.reset();
  for (int t = 0; t < long_enough(a); ++t) {
    for (auto* d : {&a, &b}) d->draw_actions(), ++d->time;
    for (int i = 0; i < b.instances; ++i)
      for (int agent = 0; agent < b.agents; ++agent) {
        if (b.out.alive(i, agent)) continue;
        for (std::size_t h = 0; h < b.group().continuous.size(); ++h)
          b.continuous(i, agent, h) = b.group().continuous[h].low;
        for (std::size_t h = 0; h < b.group().discrete.size(); ++h) b.discrete(i, agent, h) = 0;
      }
    a->step(a.in, a.out), b->step(b.in, b.out);
    if (shown(a, true) != shown(b, true)) return fmt::format("after step {}", t + 1);
  }
  return "";
}

TEST(ConformanceChecks, FindActionsOfTheDead) {
  EXPECT_NE(effect_of_the_dead(faulty<Fault::minds_the_dead>(), faulty<Fault::minds_the_dead>()), "");
  EXPECT_EQ(effect_of_the_dead(faulty<Fault::none>(), faulty<Fault::none>()), "");
}

TEST_P(Conformance, ActionsOfTheDeadHaveNoEffect) {
  if (!driver(1).spec().may_die) return;
  EXPECT_EQ(effect_of_the_dead(driver(32), driver(32)), "");
}

}  // namespace
}  // namespace shoal
