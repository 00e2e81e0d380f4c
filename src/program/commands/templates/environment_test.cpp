// Rules of @Name@. What holds for every environment is tested in tests/env.
#include "shoal/envs/@name@.hpp"

#include <gtest/gtest.h>

#include "support/one_instance.hpp"

namespace shoal {
namespace {

TEST(@Name@, ThoseInACellShareItsFood) {
  OneInstance<@Name@> game({.agents = 2, .cells = 3, .danger = 0});
  game.reset();
  auto const& appetite = game.state.appetite;
  game.discrete = {2, 1};
  EXPECT_EQ(game.step(), Ended::no);
  EXPECT_FLOAT_EQ(game.rewards[0], 0.5f * appetite[0]) << "alone, halfway to the deepest cell";
  EXPECT_EQ(game.rewards[1], 0) << "there is no food on the shore";
  game.discrete = {1, 2};
  game.step();
  EXPECT_FLOAT_EQ(game.rewards[0], 0.25f * appetite[0]);
  EXPECT_FLOAT_EQ(game.rewards[1], 0.25f * appetite[1]);
  EXPECT_FLOAT_EQ(game.metric("eaten"), 0.5f);
}

TEST(@Name@, TheDeepKillsAndTheShoreDoesNot) {
  OneInstance<@Name@> game({.agents = 2, .cells = 2, .max_steps = 2, .danger = 1});
  game.reset();
  game.observe();
  EXPECT_EQ(game.masks, (std::vector<std::uint8_t>{0, 1, 1, 0, 1, 1}));
  game.discrete = {2, 1};
  EXPECT_EQ(game.step(), Ended::no);
  EXPECT_EQ(game.rewards, (std::vector<float>{-1, 0}));
  EXPECT_FALSE(@Name@::alive(game.params, game.state, 0));
  EXPECT_TRUE(@Name@::alive(game.params, game.state, 1));
  EXPECT_EQ(game.step(), Ended::truncated);
  EXPECT_EQ(game.metric("survivors"), 1);
}

}  // namespace
}  // namespace shoal
