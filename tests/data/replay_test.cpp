#include "shoal/data/replay.hpp"

#include <rapidcheck.h>

#include <deque>
#include <set>

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;
using Ring = ReplayRing;

/// An observation of three numbers, an action and a reward of which each says which transition it belongs to.
std::vector<Ring::Field> const fields{
    {"observation", at::kFloat, {3}}, {"action", at::kInt, {}}, {"mask", at::kByte, {5}}, {"reward", at::kFloat, {}}};

Ring ring_of(std::int64_t capacity, std::optional<float> alpha = {}, bool stratified = false) {
  return {{.fields = fields, .capacity = capacity, .alpha = alpha, .stratified = stratified, .seed = 3}, at::kCPU};
}

/// Transitions [first, first + count) of a chunk that holds them in reverse order, `skipped` of others before them.
std::vector<Ring::Source> transitions(std::int64_t first, std::int64_t count, std::int64_t skipped = 2) {
  auto const tags = at::arange(first + count - 1 + skipped, first - 1, -1);
  auto const index = at::arange(count + skipped - 1, skipped - 1, -1);
  return {{at::stack({tags, tags + 0.25, tags + 0.5}, 1).to(at::kFloat), index},
          {tags.to(at::kInt), index},
          {(tags.unsqueeze(1) * at::arange(1, 6)).to(at::kByte), index},
          {-tags.to(at::kFloat), index}};
}

/// The fields of a batch are those of the transitions with these tags.
void expect_transitions(std::vector<at::Tensor> const& batch, at::Tensor const& tags) {
  auto const real = tags.to(at::kFloat);
  EXPECT_TRUE(at::equal(batch[0], at::stack({real, real + 0.25, real + 0.5}, 1)));
  EXPECT_TRUE(at::equal(batch[1], tags.to(at::kInt)));
  EXPECT_TRUE(at::equal(batch[2], (tags.unsqueeze(1) * at::arange(1, 6)).to(at::kByte)));
  EXPECT_TRUE(at::equal(batch[3], -real));
}

at::Tensor priorities_of(Ring const& ring) {
  for (auto const& [name, tensor, axis] : ring.state())
    if (name == "priorities") return tensor;
  return {};
}

TEST(Replay, HoldsTheNewestRowsInTheOrderOfTheirInsertion) {
  EXPECT_TRUE(rc::check([] {
    auto const capacity = *rc::gen::inRange<std::int64_t>(1, 40);
    auto ring = ring_of(capacity);
    std::deque<std::int64_t> kept;
    std::int64_t tag = 0;
    for (int k = *rc::gen::inRange(1, 6); k > 0; --k) {
      auto const count = *rc::gen::inRange<std::int64_t>(0, capacity + 1);
      ring.insert(transitions(tag, count));
      for (auto const end = tag + count; tag < end; ++tag) kept.push_back(tag);
      while (std::int64_t(kept.size()) > capacity) kept.pop_front();
    }
    RC_ASSERT(ring.inserted() == tag && ring.rows() == std::int64_t(kept.size()));
    auto const tags = at::tensor(std::vector<std::int64_t>(kept.begin(), kept.end()), at::kLong);
    auto batch = ring.make_batch(ring.rows());
    ring.gather(tags % capacity, batch.fields);
    expect_transitions(batch.fields, tags);
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

TEST(Replay, FieldsMayHaveIndicesOfTheirOwn) {
  Ring ring({.fields = {{"observation", at::kFloat, {2}}, {"next", at::kFloat, {2}}, {"reward"}}, .capacity = 5},
            at::kCPU);
  auto const observations = at::arange(24).to(at::kFloat).view({4, 3, 2});  // [T + 1, columns, width]
  auto const rewards = at::arange(9).to(at::kFloat).view({3, 3});
  auto const now = at::tensor({0, 4, 8}, at::kLong);
  ring.insert({{observations, now}, {observations, now + 3}, {rewards, now}});
  EXPECT_TRUE(at::equal(ring.field(0).narrow(0, 0, 3), observations.view({12, 2}).index_select(0, now)));
  EXPECT_TRUE(at::equal(ring.field(1).narrow(0, 0, 3), observations.view({12, 2}).index_select(0, now + 3)));
  EXPECT_TRUE(at::equal(ring.field(2).narrow(0, 0, 3), now.to(at::kFloat)));
}

TEST(Replay, UniformBatchesHoldTheFilledRowsAlike) {
  auto ring = ring_of(20);
  ring.insert(transitions(0, 8));
  auto batch = ring.make_batch(80000);
  ring.sample(batch, 0.4f);
  expect_transitions(batch.fields, batch.rows);
  auto const counts = at::bincount(batch.rows, {}, 8).to(at::kDouble);
  ASSERT_EQ(counts.numel(), 8);
  EXPECT_LT(number(((counts - 10000).square() / 10000).sum()), 7 + 5 * std::sqrt(14.0));
  EXPECT_TRUE(at::equal(batch.weights, at::ones({80000})));
  auto const first = batch.rows.clone();
  ring.sample(batch);
  EXPECT_FALSE(at::equal(batch.rows, first));
  ring.update(batch, at::zeros({80000}));
}

TEST(Replay, PrioritizedBatchesFollowTheErrors) {
  auto ring = ring_of(6, 1.0f);
  ring.insert(transitions(0, 3), at::tensor({1.0f, -2.0f, 5.0f}));
  ring.insert(transitions(3, 1));  // of the largest error that update() has seen: 1
  auto batch = ring.make_batch(90000);
  for (int k = 0; k < 2; ++k) {
    ring.sample(batch, 1);
    expect_transitions(batch.fields, batch.rows);
    auto const p = k == 0 ? at::tensor({1.0, 2.0, 5.0, 1.0}) : at::tensor({1.5, 1.5, 3.0, 3.0});
    auto const expected = p / p.sum() * 90000;
    auto const counts = at::bincount(batch.rows, {}, 4).to(at::kDouble);
    ASSERT_EQ(counts.numel(), 4);
    EXPECT_LT(number(((counts - expected).square() / expected).sum()), 3 + 5 * std::sqrt(6.0)) << counts;
    EXPECT_LT(distance(batch.weights, p.min() / p.index_select(0, batch.rows)), 1e-5);
    ring.update(batch, at::where(batch.rows < 2, 1.5, -3.0).to(at::kFloat));
  }
}

// A batch is drawn, rows come in, then the batch's errors: those of rows that have gone must not fall upon the new
// ones.
TEST(Replay, ErrorsOfOverwrittenRowsAreDropped) {
  EXPECT_TRUE(rc::check([] {
    auto const capacity = *rc::gen::inRange<std::int64_t>(1, 30);
    auto ring = ring_of(capacity, 1.0f);
    auto const insert = [&](int times, float error) {
      for (; times > 0; --times) {
        auto const count = *rc::gen::inRange<std::int64_t>(1, capacity + 1);
        ring.insert(transitions(ring.inserted(), count), at::full({count}, error));
      }
    };
    insert(*rc::gen::inRange(1, 4), 4.0f);
    auto const before = ring.inserted();
    auto batch = ring.make_batch(50);
    ring.sample(batch);
    std::set<int> drawn;  // transitions
    for (int i = 0; i < 50; ++i) drawn.insert(batch.fields[1].data_ptr<std::int32_t>()[i]);
    insert(*rc::gen::inRange(0, 4), 2.0f);
    ring.update(batch, at::full({50}, 8.0f));
    auto const priorities = priorities_of(ring);
    for (std::int64_t row = 0; row < ring.rows(); ++row) {
      auto const held = ring.field(1).data_ptr<std::int32_t>()[row];
      EXPECT_NEAR(priorities.data_ptr<float>()[row], held >= before ? 2 : drawn.count(held) ? 8 : 4, 1e-4);
    }
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

TEST(Replay, ThreadsDoNotChangeWhatIsDrawn) {
  auto const run = [](int threads) {
    at::set_num_threads(threads);
    auto ring = ring_of(30000, 0.6f, true);
    ring.insert(transitions(0, 25000), random_normal({25000}, 1));
    auto batch = ring.make_batch(3000);
    for (int k = 0; k < 3; ++k) {
      ring.sample(batch, 0.4f);
      ring.update(batch, random_normal({3000}, std::uint64_t(k)));
      ring.insert(transitions(25000 + 4000 * k, 4000));
    }
    return std::vector{batch.rows, batch.weights, batch.fields[0], priorities_of(ring)};
  };
  auto const before = at::get_num_threads();
  auto const one = run(1), three = run(3);
  at::set_num_threads(before);
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(at::equal(one[i], three[i])) << i;
}

TEST(Replay, CopiesOfItsStateRestoreIt) {
  auto ring = ring_of(50, 0.6f), other = ring_of(50, 0.6f);
  auto batch = ring.make_batch(40);
  ring.insert(transitions(0, 45), random_normal({45}, 1));
  ring.sample(batch);
  ring.update(batch, random_normal({40}, 2));
  auto const from = ring.state(), to = other.state();
  ASSERT_EQ(from.size(), 3 + fields.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].name, to[i].name);
    to[i].tensor.copy_(from[i].tensor);
  }
  auto again = other.make_batch(40);
  for (auto* const both : {&ring, &other}) both->insert(transitions(45, 10));
  ring.sample(batch, 0.4f);
  other.sample(again, 0.4f);
  EXPECT_TRUE(at::equal(batch.rows, again.rows) && at::equal(batch.weights, again.weights));
  for (std::size_t f = 0; f < fields.size(); ++f) EXPECT_TRUE(at::equal(batch.fields[f], again.fields[f]));
}

TEST(Replay, WhatDoesNotFitIsNamed) {
  auto ring = ring_of(4, 0.6f);
  auto const insert_with = [&](std::size_t field, Ring::Source const& source) {
    auto sources = transitions(0, 3);
    sources[field] = source;
    return message_of<InputError>([&] { ring.insert(sources); });
  };
  auto const index = at::arange(3);
  EXPECT_EQ(message_of<InputError>([&] { ring.insert(transitions(0, 5)); }),
            "replay: 5 rows inserted at once: at most 4, the capacity");
  EXPECT_EQ(insert_with(0, {at::zeros({7, 2}), index}),
            "replay field \"observation\": Float [7, 2]: expected Float rows of [3]");
  EXPECT_EQ(insert_with(0, {at::zeros({3}), index}),
            "replay field \"observation\": Float [3]: expected Float rows of [3]");
  EXPECT_EQ(insert_with(1, {at::zeros({7}), index}), "replay field \"action\": Float [7]: expected Int rows of []");
  EXPECT_EQ(insert_with(3, {at::zeros({7}), at::arange(2)}),
            "replay field \"reward\": index Long [2]: expected Long [3]");
  EXPECT_EQ(insert_with(3, {at::zeros({7, 2}).select(1, 0), index}),
            "replay field \"reward\": expected contiguous tensors on cpu");
  EXPECT_EQ(message_of<InputError>([&] {
              ring.insert({{at::zeros({7, 3}), index}});
            }),
            "replay: 1 sources for 4 fields");
  EXPECT_EQ(message_of<InputError>([&] { ring.insert(transitions(0, 3), at::zeros({2})); }),
            "replay errors: Float [2] on cpu: expected Float [3], contiguous, on cpu");
  EXPECT_EQ(ring.inserted(), 0);
  auto batch = ring.make_batch(2);
  EXPECT_EQ(message_of<Error>([&] { ring.sample(batch); }), "replay: a batch is drawn before any row is inserted");
  EXPECT_EQ(message_of<InputError>([&] { ring.update(batch, at::zeros({2}, at::kDouble)); }),
            "replay errors: Double [2] on cpu: expected Float [2], contiguous, on cpu");
}

TEST(Replay, BadConfigurationsAreNamed) {
  auto const message = [](Ring::Config const& config) {
    return message_of<InputError>([&] { Ring(config, at::kCPU); });
  };
  EXPECT_EQ(message({.fields = fields, .capacity = 0}), "replay capacity 0: expected at least 1");
  EXPECT_EQ(message({.fields = {}, .capacity = 1}), "replay of 0 fields: expected 1 to 12");
  EXPECT_EQ(message({.fields = {{"a"}, {"b"}, {"a"}}, .capacity = 1}), "replay: two fields \"a\"");
}

// From a chunk to a batch: n-step returns of a chunk in which every second agent is dead, and the target that they
// give.
TEST(Replay, TakesNStepReturnsOfLiveAgents) {
  auto const rewards = at::ones({3, 4}), returns = at::empty({3, 4}), factors = at::empty({3, 4});
  auto const ended = at::zeros({3, 4}, at::kByte);
  auto const next = at::empty({3, 4}, at::kLong);
  ended[1][2] = 1;
  ops::nstep({.steps = 3,
              .columns = 4,
              .n = 3,
              .discount = 0.99f,
              .rewards = rewards.data_ptr<float>(),
              .ended = ended.data_ptr<std::uint8_t>(),
              .returns = returns.data_ptr<float>(),
              .factors = factors.data_ptr<float>(),
              .next = next.data_ptr<std::int64_t>()},
             at::kCPU);
  Ring ring({.fields = {{"next", at::kFloat, {1}}, {"return"}, {"factor"}}, .capacity = 10}, at::kCPU);
  auto const observations = at::arange(4 * 4).to(at::kFloat).view({4, 4, 1});  // row r says r
  auto const live = at::tensor({0, 2, 4, 6}, at::kLong);                       // agents 0 and 2 at steps 0 and 1
  ring.insert({{observations, next.view(-1).index_select(0, live)}, {returns, live}, {factors, live}});
  auto batch = ring.make_batch(4);
  ring.gather(at::arange(4), batch.fields);
  auto const targets = batch.fields[1] + 10 * batch.fields[2];
  EXPECT_LT(distance(targets, at::tensor({12.67309, 1.99, 1.99 + 9.801, 1.0})), 1e-5) << targets;
  EXPECT_TRUE(at::equal(batch.fields[0].view(-1), at::tensor({12.0f, 10.0f, 12.0f, 10.0f}))) << batch.fields[0];
}

}  // namespace
}  // namespace shoal
