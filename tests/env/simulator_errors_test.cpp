// What a simulator refuses, and how it says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/driver.hpp"
#include "support/errors.hpp"

namespace shoal {
namespace {

using test::input_error;

std::string changed(Driver const& d, void (*change)(StepInput&, StepOutput&)) {
  auto in = d.in;
  auto out = d.out;
  change(in, out);
  return input_error([&] { d->step(in, out); });
}

TEST(ShapeErrors, NameViewShapeAndExpectation) {
  Driver d("market", {}, {.instances = 3});
  d.reset();
  EXPECT_EQ(changed(d, [](auto& in, auto&) { in.continuous.extents[0] = 2; }),
            "continuous actions: shape [2, 5, 3], expected shape [3, 5, 3]");
  EXPECT_EQ(changed(d, [](auto& in, auto&) { in.continuous = {}; }),
            "continuous actions: no memory, expected shape [3, 5, 3]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.observations.extents[2] = 20; }),
            "observations: shape [3, 5, 20], expected shape [3, 5, 21]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.observations = {}; }),
            "observations: no memory, expected shape [3, 5, 21]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.rewards = {}; }), "rewards: no memory, expected shape [3, 5]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.ended.extents[1] = 4; }),
            "ended: shape [3, 4], expected shape [3, 5]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.final_observations.extents[0] = 1; }),
            "final observations: shape [1, 5, 21], expected shape [3, 5, 21]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.observations.strides[2] = 2; }),
            "observations: the last extent has stride 2, expected 1");
}

TEST(ShapeErrors, NameDiscreteActionsMasksAndLives) {
  Driver d("matrix_game", {}, {.instances = 3});
  d.reset();
  EXPECT_EQ(changed(d, [](auto& in, auto&) { in.discrete.extents[1] = 1; }),
            "discrete actions: shape [3, 1, 1], expected shape [3, 2, 1]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.masks.extents[2] = 5; }),
            "masks: shape [3, 2, 5], expected shape [3, 2, 2]");
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.alive.extents[1] = 3; }),
            "alive: shape [3, 3], expected shape [3, 2]");
}

TEST(ShapeErrors, MasksLivesAndFinalObservationsMayBeEmpty) {
  Driver d("matrix_game", {}, {.instances = 3});
  d.reset();
  EXPECT_EQ(changed(d, [](auto&, auto& out) { out.masks = {}, out.alive = {}, out.final_observations = {}; }),
            "no error");
}

TEST(ShapeErrors, ResetNeedsObservationsOnly) {
  Driver d("matrix_game", {}, {.instances = 3});
  EXPECT_EQ(input_error([&] { d->reset(StepOutput{.observations = d.out.observations}); }), "no error");
  EXPECT_EQ(input_error([&] { d->reset(StepOutput{}); }), "observations: no memory, expected shape [3, 2, 6]");
}

TEST(ActionErrors, NameEnvironmentInstanceAgentHeadAndValue) {
  Driver d("market", {}, {.instances = 4});
  d.reset();
  d.continuous(3, 1, 0) = std::nanf("");
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }),
            "market: instance 3, agent 1, eps_buy: action nan, expected a finite number");
  d.continuous(2, 4, 2) = -INFINITY;
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }),
            "market: instance 2, agent 4, hedge: action -inf, expected a finite number");
}

TEST(ActionErrors, NameTheChoicesOfAHead) {
  Driver d("matrix_game", {{"actions", std::vector<double>{5, 2}}, {"payoffs", std::vector<double>(20)}},
           {.instances = 600});
  d.reset();
  d.discrete(512, 1, 0) = 9;
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }),
            "matrix_game: instance 512, agent 1, action: 9, expected one in [0, 5)");
  d.discrete(512, 1, 0) = -1;
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }),
            "matrix_game: instance 512, agent 1, action: -1, expected one in [0, 5)");
}

TEST(ActionErrors, HeadsOfDifferentSizesAndStridesAreChecked) {
  Driver d("market", {{"actions", std::string("discrete")}}, {.instances = 2});
  d.reset();
  d.discrete(1, 2, 2) = 6;
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }),
            "market: instance 1, agent 2, hedge: 6, expected one in [0, 6)");
  d.discrete(1, 2, 2) = 0;
  d.discrete(1, 2, 1) = 10;
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }), "no error");

  Driver c("market", {}, {.instances = 2});
  c.reset();
  std::vector<float> transposed(2 * 3 * 5);
  c.in.continuous = {transposed.data(), {2, 5, 3}, {15, 1, 5}};
  EXPECT_EQ(input_error([&] { c->step(c.in, c.out); }), "no error");
  transposed[15 + 2 * 5 + 4] = std::nanf("");
  EXPECT_EQ(input_error([&] { c->step(c.in, c.out); }),
            "market: instance 1, agent 4, hedge: action nan, expected a finite number");
}

TEST(ActionErrors, ChangeNothing) {
  Driver d("market", {}, {.instances = 2});
  d.reset();
  auto const before = d.observation(0);
  d.continuous(1, 0, 0) = std::nanf("");
  EXPECT_NE(input_error([&] { d->step(d.in, d.out); }), "no error");
  d->observe(d.out);
  EXPECT_EQ(d.observation(0), before);
}

TEST(ActionErrors, StepNeedsAReset) {
  Driver d("market", {}, {});
  EXPECT_EQ(input_error([&] { d->step(d.in, d.out); }), "market: step() before the first reset()");
}

TEST(StateErrors, NameInstanceAndSize) {
  Driver d("matrix_game", {}, {.instances = 2});
  std::vector<std::byte> bytes(d->state_size() + 1);
  auto const size = std::to_string(d->state_size());
  EXPECT_EQ(input_error([&] {
              d->export_state(2, {bytes.data(), bytes.size() - 1});
            }),
            "instance 2: expected one in [0, 2)");
  EXPECT_EQ(input_error([&] { d->import_state(0, bytes); }),
            "an instance's state of " + std::to_string(bytes.size()) + " bytes: expected " + size);
}

TEST(OptionErrors, NameTheOption) {
  auto const make = [](SimulatorOptions const& o) {
    return input_error([&] { make_simulator("matrix_game", {}, o); });
  };
  EXPECT_EQ(make({.instances = 0}), "instances = 0: expected an integer of at least 1");
  EXPECT_EQ(make({.common = 0}), "common = 0: expected an integer of at least 1");
  EXPECT_EQ(make({.common = -1}), "common = -1: expected an integer of at least 1");
  EXPECT_EQ(make({.threads = 0}), "threads = 0: expected an integer of at least 1");
  EXPECT_EQ(make({.team = "scrambled:0"}),
            "team = \"scrambled:0\": expected \"serial\" or \"scrambled:W\" with W in [1, 1024]");
  EXPECT_EQ(make({.team = "warp"}), "team = \"warp\": expected \"serial\" or \"scrambled:W\" with W in [1, 1024]");
  EXPECT_EQ(make({.observation = {.width = 5}}), "width = 5: expected 0 or at least 6, the observation before padding");
}

}  // namespace
}  // namespace shoal
