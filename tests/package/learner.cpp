// Trains for one stage with shoal::learn in a program of one's own.
#include <cstdio>

#include "shoal/train/trainer.hpp"

int main() {
  shoal::TrainerConfig config{.environment = "matrix_game"};
  config.policy.network.hidden = {1, {8}};
  config.train = {.stages = 1, .instances = 64, .threads = 1, .device = shoal::DeviceChoice::cpu};
  shoal::Trainer trainer(config);
  std::printf("%lld agent steps\n", static_cast<long long>(trainer.run_stage().agent_steps));
}
