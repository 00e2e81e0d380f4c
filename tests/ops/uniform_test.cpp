#include "shoal/ops/uniform.hpp"

#include <ATen/Parallel.h>

#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

struct Drawn {
  at::Tensor continuous, discrete;  // [instances, agents, heads]
};

Drawn undrawn(std::int64_t instances) {
  return {at::full({instances, 3, 2}, 99.0f), at::full({instances, 3, 2}, 99, at::kInt)};
}

/// Two continuous and two discrete heads for three agents: values straddle draws, and some words are left over.
UniformArgs arguments(Drawn const& drawn, std::uint32_t step, at::Tensor const& masks = {}) {
  return {.random = {7, 0, 0, step},
          .instances = drawn.discrete.size(0),
          .agents = 3,
          .continuous_heads = 2,
          .discrete_heads = 2,
          .total_choices = 7,
          .low = {-1, 2},
          .span = {2, 0.5f},
          .choices = {4, 3},
          .masks = masks.defined() ? masks.data_ptr<std::uint8_t>() : nullptr,
          .continuous = drawn.continuous.data_ptr<float>(),
          .discrete = drawn.discrete.data_ptr<std::int32_t>()};
}

Drawn draw(std::int64_t instances, std::uint32_t step, at::Tensor const& masks = {}) {
  auto const drawn = undrawn(instances);
  ops::uniform(arguments(drawn, step, masks), at::kCPU);
  return drawn;
}

TEST(Uniform, CoversEachHeadsRangeEvenly) {
  auto const drawn = draw(20000, 0);
  auto const eps = drawn.continuous.select(2, 0), other = drawn.continuous.select(2, 1);
  EXPECT_GE(test::number(eps.min()), -1);
  EXPECT_LT(test::number(eps.max()), 1);
  EXPECT_NEAR(test::number(eps.mean()), 0, 0.01);
  EXPECT_NEAR(test::number(eps.square().mean()), 1.0 / 3, 0.01);
  EXPECT_GE(test::number(other.min()), 2);
  EXPECT_LT(test::number(other.max()), 2.5);
  for (int head = 0; head < 2; ++head)
    for (int choices = head == 0 ? 4 : 3, c = 0; c < choices; ++c)
      EXPECT_NEAR(test::number((drawn.discrete.select(2, head) == c).to(at::kDouble).mean()), 1.0 / choices, 0.01);
}

TEST(Uniform, ChoosesAmongLegalChoicesOnly) {
  auto const masks = test::random_masks(test::heads(0, {4, 3}), 3 * 5000, 3);
  auto const chosen = draw(5000, 1, masks).discrete.view({-1, 2}).to(at::kLong);
  EXPECT_EQ(test::number(masks.narrow(1, 0, 4).gather(1, chosen.narrow(1, 0, 1)).min()), 1);
  EXPECT_EQ(test::number(masks.narrow(1, 4, 3).gather(1, chosen.narrow(1, 1, 1)).min()), 1);
}

TEST(Uniform, IsAFunctionOfInstanceAndStep) {
  auto const many = draw(1000, 2), few = draw(10, 2), later = draw(10, 3);
  EXPECT_TRUE(many.continuous.narrow(0, 0, 10).equal(few.continuous));
  EXPECT_TRUE(many.discrete.narrow(0, 0, 10).equal(few.discrete));
  EXPECT_FALSE(later.continuous.equal(few.continuous));
  EXPECT_FALSE(few.continuous[0].equal(few.continuous[1]));
}

// Heads of one kind take a path of their own on the CPU.
TEST(Uniform, BlocksEqualElements) {
  for (bool const discrete : {false, true}) {
    std::vector<float> reals(7 * 5 * 3, 99), real_elements = reals;
    std::vector<std::int32_t> picks(7 * 5 * 3, 99), pick_elements = picks;
    UniformArgs args{.random = {7, 0, 0, 4},
                     .instances = 7,
                     .agents = 5,
                     .continuous_heads = discrete ? 0 : 3,
                     .discrete_heads = discrete ? 3 : 0,
                     .total_choices = discrete ? 9 : 0,
                     .low = {-1, 2, 0},
                     .span = {2, 0.5f, 1},
                     .choices = {4, 3, 2},
                     .masks = nullptr,
                     .continuous = reals.data(),
                     .discrete = picks.data()};
    auto const pattern = make_uniform_pattern(args);
    for (std::int64_t block = 0; block * uniform_block < args.draws(); ++block) uniform_draws(args, pattern, block);
    args.continuous = real_elements.data();
    args.discrete = pick_elements.data();
    for (std::int64_t i = 0; i < args.draws(); ++i) uniform_element(args, i);
    EXPECT_EQ(reals, real_elements);
    EXPECT_EQ(picks, pick_elements);
  }
}

// Agents 2 and 0 of three.
TEST(Uniform, SomeAgentsDrawAndTheOthersKeepWhatTheyHave) {
  constexpr std::int64_t instances = 5;
  auto const masks = test::random_masks(test::heads(0, {4, 3}), 3 * instances, 3);
  std::vector<std::int32_t> const which{2, 0};
  std::uint32_t const stage = 6;
  auto const play = [&](int common, std::uint32_t const* on_device, bool blocks) {
    auto const drawn = undrawn(instances);
    auto args = arguments(drawn, 2, masks);
    args.random.episode = on_device ? 1 : stage;
    args.agents = 2;
    args.which = which.data();
    args.all_agents = 3;
    args.stage = on_device;
    args.common = common;
    if (blocks)
      ops::uniform(args, at::kCPU);
    else
      for (std::int64_t i = 0; i < args.draws(); ++i) uniform_element(args, i);
    return drawn;
  };
  auto const drawn = play(1, &stage, true);
  EXPECT_TRUE(drawn.continuous.select(1, 1).eq(99).all().item<bool>());
  EXPECT_TRUE(drawn.discrete.select(1, 1).eq(99).all().item<bool>());
  EXPECT_LT(test::number(at::cat({drawn.continuous.select(1, 0), drawn.continuous.select(1, 2)}).max()), 2.5);
  auto const chosen = drawn.discrete.index_select(1, at::tensor({0, 2})).to(at::kLong).view({-1, 2});
  auto const legal = masks.view({instances, 3, 7}).index_select(1, at::tensor({0, 2})).view({-1, 7});
  EXPECT_EQ(test::number(legal.narrow(1, 0, 4).gather(1, chosen.narrow(1, 0, 1)).min()), 1);
  EXPECT_EQ(test::number(legal.narrow(1, 4, 3).gather(1, chosen.narrow(1, 1, 1)).min()), 1);
  for (int const common : {1, 2}) {
    auto const blocks = play(common, &stage, true);
    for (auto const& same : {play(common, &stage, false), play(common, nullptr, true)}) {
      EXPECT_TRUE(same.continuous.equal(blocks.continuous));
      EXPECT_TRUE(same.discrete.equal(blocks.discrete));
    }
  }
  auto const pairs = play(2, &stage, true).continuous;
  EXPECT_TRUE(pairs[0].equal(pairs[1]) && pairs[2].equal(pairs[3]));
  EXPECT_FALSE(pairs[1].equal(pairs[2]) || pairs[3].equal(pairs[4]));
}

}  // namespace
}  // namespace shoal
