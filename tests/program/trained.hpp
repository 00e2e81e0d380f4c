// Runs that tests of the program look into.
#pragma once

#include <gtest/gtest.h>

#include "program/commands/train_command.hpp"
#include "program/helpers.hpp"

namespace shoal {

/// Drops what is printed. @return the exit code
inline int train_quietly(TrainCommand const& command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  int const code = train(command);
  testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
  return code;
}

/// A run of two stages. `more` are overrides of its configuration. @return its folder
inline std::string trained(TemporaryFolder const& folder, std::string const& configuration,
                           std::vector<std::string> const& more = {}) {
  TrainCommand command;
  command.config = folder.write("run.toml", configuration);
  command.out = folder.path() + "/run";
  command.overrides = {"train.stages=2",   "train.instances=3", "train.threads=1",
                       "train.device=cpu", "policy.hidden=[8]", "policy.minibatches=1"};
  command.overrides.insert(command.overrides.end(), more.begin(), more.end());
  EXPECT_EQ(train_quietly(command), 0);
  return command.out;
}

inline std::string text_of(std::string const& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline constexpr char const* uncalibrated_game = "[env]\nname = \"matrix_game\"\nrounds = 4\n";

/// Two supertypes, and a calibrator that moves them from the first stage on.
inline constexpr char const* calibrated_game =
    "[env]\nname = \"matrix_game\"\nrounds = 4\ngroup_1 = 1\n[calibrator]\nkind = \"rl\"\nhidden = [8]\n"
    "[[calibrator.target]]\nmetrics = [\"player_1.action_1\"]\nvalues = [0.25]\n"
    "[validation]\nepisodes = 8\nfinal_episodes = 16\n";

}  // namespace shoal
