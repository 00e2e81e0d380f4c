// Critics that see the environment's global state.
#include "shoal/calibrate/fit.hpp"
#include "support/errors.hpp"
#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;

TrainerConfig switch_run(Algorithm algorithm) {
  TrainerConfig c{.environment = "switch", .env = {{"max_steps", std::int64_t(9)}}};
  c.policy.algorithm = algorithm;
  c.policy.network.hidden = {1, {8}};
  c.policy.observation.central_critic = true;
  c.train = {.stages = 4, .instances = 6, .steps = 12, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  return c;
}

using CentralCriticFiles = Files;

TEST_F(CentralCriticFiles, RunsGoOnBitForBit) {
  for (auto const algorithm : {Algorithm::ppo, Algorithm::a2c}) {
    auto const config = switch_run(algorithm);
    Trainer whole(config), first(config), second(config);
    EXPECT_EQ(whole.learners()[0]->actor().network_shape().critic_only, 7);
    for (int m = 0; m < 2; ++m) whole.run_stage(), first.run_stage();
    first.save(path("checkpoint"), "configuration");
    second.load(path("checkpoint"), "configuration");
    for (int m = 0; m < 2; ++m) EXPECT_EQ(figures(second.run_stage()), figures(whole.run_stage()));
    EXPECT_EQ(play_episodes(whole.frozen_game({}), 8, 1).size(0), 8);
  }
}

TEST(CentralCritic, IsRefusedWhereThereIsNoSuchCritic) {
  std::string const expected =
      "policy.central_critic = true: needs a critic apart from the policy; expected policy.algorithm = \"ppo\" or "
      "\"a2c\", and policy.memory = \"none\"";
  auto recurrent = switch_run(Algorithm::ppo);
  recurrent.policy.memory = MemoryKind::gru;
  for (auto const& config : {switch_run(Algorithm::dqn), switch_run(Algorithm::reinforce), recurrent})
    EXPECT_EQ(message_of<SettingError>([&] { Trainer{config}; }), expected);
  auto stateless = switch_run(Algorithm::ppo);
  stateless.environment = "recall";
  stateless.env = {};
  EXPECT_EQ(message_of<SettingError>([&] { Trainer{stateless}; }),
            "policy.central_critic = true: the environment has no global state; expected false");
}

}  // namespace
}  // namespace shoal
