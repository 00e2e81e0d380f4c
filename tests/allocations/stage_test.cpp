// After the first stage nothing of the rollout's size is taken from the heap: the simulator's step takes nothing at
// all, acting and learning little but the small objects with which LibTorch describes a tensor, the same number
// whatever the batch. A program of its own, because it counts what all of its libraries take.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "allocations/heap.hpp"
#include "shoal/env/simulator.hpp"
#include "shoal/learn/ppo.hpp"
#include "shoal/train/trainer.hpp"

namespace shoal {
namespace {

using test::HeapCount;

class Allocations : public testing::Test {
 protected:
  void SetUp() override {
    if (!HeapCount::works) GTEST_SKIP() << "the heap cannot be counted in this build";
    at::set_num_threads(1);
  }
};

/// A market with a learner on the fused path.
struct Market {
  static constexpr int steps = 4;
  std::unique_ptr<Simulator> simulator;
  Rollout rollout = make_rollout(rollout_shape(*simulator, steps), at::kCPU);
  PpoLearner learner{{.epochs = 2, .minibatches = 2},
                     {.agents = {0, 1, 2, 3, 4}, .seed = 1},
                     {.inputs = rollout.shape.width, .hidden = {64, 64}, .actions = rollout.shape.actions},
                     rollout.shape,
                     at::kCPU};

  explicit Market(int instances) : simulator(make_simulator("market", {}, {.instances = instances, .seed = 1})) {
    simulator->reset(rollout.first());
    for (int stage = 0; stage < 2; ++stage) {
      for (int t = 0; t < steps; ++t) slot(t);
      update();
    }
  }
  void slot(int t) {
    learner.actor().act(rollout, t);
    simulator->step(rollout.input(t), rollout.output(t));
  }
  void update() {
    learner.actor().evaluate_end(rollout);
    learner.update(rollout);
  }
};

struct Taken {
  long blocks, bytes;
};
template <class F>
Taken taken_by(F f) {
  HeapCount const heap;
  f();
  return {heap.blocks(), heap.bytes()};
}

TEST_F(Allocations, AreSeen) {
  auto const taken = taken_by([] { at::empty({1000}); });
  EXPECT_GE(taken.blocks, 2);  // its memory and its description
  EXPECT_GE(taken.bytes, 4000);
}

TEST_F(Allocations, TheSimulatorTakesNothing) {
  for (char const* environment : {"market", "matrix_game"})
    for (int const threads : {1, 2}) {
      auto const simulator = make_simulator(environment, {}, {.instances = 16, .seed = 1, .threads = threads});
      auto const rollout = make_rollout(rollout_shape(*simulator, 1), at::kCPU);
      auto const in = rollout.input(0);
      auto const first = rollout.first(), out = rollout.output(0);
      simulator->reset(first);
      simulator->step(in, out);
      auto const taken = taken_by([&] {
        for (int t = 0; t < 100; ++t) simulator->step(in, out);  // episodes end and begin again
        simulator->observe(first);
        simulator->reset(first);
        simulator->clear_metrics();
      });
      EXPECT_EQ(taken.blocks, 0) << environment << ", threads: " << threads;
    }
}

TEST_F(Allocations, ASlotOfTheRolloutTakesNothingOfTheBatchsSize) {
  Market few(8), many(512);
  auto const of_few = taken_by([&] { few.slot(1); }), of_many = taken_by([&] { many.slot(1); });
  EXPECT_EQ(of_few.blocks, of_many.blocks);
  EXPECT_EQ(of_few.bytes, of_many.bytes);
  EXPECT_LE(of_many.blocks, 80);  // 73 when this was written: views of the rollout's slots
}

TEST_F(Allocations, AnUpdateTakesNothingOfTheRolloutsSize) {
  Market few(8), many(512);
  auto const of_few = taken_by([&] { few.update(); }), of_many = taken_by([&] { many.update(); });
  EXPECT_EQ(of_few.blocks, of_many.blocks);
  EXPECT_LE(of_many.blocks, 110);  // 104 when this was written
  // evaluate_end() makes the last slot's values in a tensor of its own.
  EXPECT_LE(of_many.bytes - of_few.bytes, long((512 - 8) * 5 * sizeof(float)));
}

}  // namespace
}  // namespace shoal
