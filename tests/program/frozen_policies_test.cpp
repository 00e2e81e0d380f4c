#include "program/config/frozen_policies.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "program/commands/check_command.hpp"
#include "program/commands/evaluate_command.hpp"
#include "program/runs/stored_run.hpp"
#include "program/trained.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

/// Two supertypes of one player each.
constexpr char const* game = "[env]\nname = \"matrix_game\"\nrounds = 4\ngroup_1 = 1\n";
constexpr char const* frozen_second = "[policy.supertype_2]\nalgorithm = \"frozen\"\nrun = \"run\"\n";

std::vector<std::string> small() {
  return {"train.stages=2",   "train.instances=3", "train.threads=1",
          "train.device=cpu", "policy.hidden=[8]", "policy.minibatches=1"};
}

/// A run beside folder/run. @return its folder
std::string trained_beside(TemporaryFolder const& folder, std::string const& configuration) {
  TrainCommand command;
  command.config = folder.write("second.toml", configuration);
  command.out = folder.path() + "/second";
  command.overrides = small();
  EXPECT_EQ(train_quietly(command), 0);
  return command.out;
}

at::Tensor parameters(std::string const& run, std::size_t policy) {
  auto const stored = load_run(RunDirectory::open(run), {"train.device=cpu"});
  return stored.trainer.learners().at(policy)->actor().parameters().detach().clone();
}

std::string refusal(TemporaryFolder const& folder, std::string const& configuration,
                    std::vector<std::string> const& overrides = small()) {
  auto const path = folder.write("wrong.toml", configuration);
  return error_of([&] {
    auto const file = read_config(path, overrides);
    make_trainer(file, resolve(file));
  });
}

TEST(FrozenPolicies, ARunGoesOnWithoutTheFolderThatTheyCameFrom) {
  TemporaryFolder const folder;
  auto const other = trained(folder, std::string(game) + "[policy]\nmap = \"supertype\"\n");
  auto const theirs = parameters(other, 1);
  auto const run = trained_beside(
      folder, std::string(calibrated_game) + "[policy.supertype_2]\nalgorithm = \"frozen\"\nrun = \"run\"\n");
  fs::remove_all(other);
  EXPECT_TRUE(parameters(run, 1).equal(theirs));
  EXPECT_FALSE(parameters(run, 0).equal(theirs));
  EXPECT_THAT(text_of(run + "/config.toml"),
              HasSubstr("[policy.supertype_2]\nalgorithm = \"frozen\"\nrun = \"frozen/policy.supertype_2.pt\"\n"));
  EXPECT_THAT(text_of(run + "/config.toml"), HasSubstr("# policy.supertype_2: frozen policies of run\n"));

  TrainCommand resumed;
  resumed.resume = {run};
  resumed.overrides = {"train.stages=4"};
  EXPECT_EQ(train_quietly(resumed), 0);
  EXPECT_TRUE(parameters(run, 1).equal(theirs));
  EvaluateCommand evaluation{.directory = run};
  evaluation.episodes = 8;
  CheckCommand const checked{.directory = run, .options = {.instances = 4, .updates = 1, .evaluations = 8}};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(evaluate(evaluation), 0);
  EXPECT_EQ(check(checked), 0);
  testing::internal::GetCapturedStderr();
  testing::internal::GetCapturedStdout();
  EXPECT_THAT(text_of(run + "/check.json"), HasSubstr("\"discount\": 0.99"));
}

TEST(FrozenPolicies, TheResolvedConfigurationTrainsAnewAndServesOthers) {
  TemporaryFolder const folder;
  auto const other = trained(folder, std::string(game) + "[policy]\nmap = \"agent\"\n");
  auto const theirs = parameters(other, 0);
  auto const run =
      trained_beside(folder, std::string(game) + "[policy.agent_0]\nalgorithm = \"frozen\"\nrun = \"run\"\n");
  fs::remove_all(other);
  for (std::string const from : {"second/config.toml", "second"}) {  // anew, and a frozen policy of one that has one
    auto const config = from == "second" ? folder.write("third.toml", std::string(game) +
                                                                          "[policy]\nmap = \"agent\"\nalgorithm = "
                                                                          "\"frozen\"\nrun = \"second\"\n")
                                         : folder.path() + "/" + from;
    auto const file = read_config(config, {"train.device=cpu"});
    auto const trainer = make_trainer(file, resolve(file));
    EXPECT_TRUE(trainer.learners()[0]->actor().parameters().equal(theirs)) << from;
  }
}

TEST(FrozenPolicies, BadFoldersAreNamed) {
  TemporaryFolder const folder;
  trained(folder, std::string(game) + "[policy]\nmap = \"agent\"\n");
  auto const with = [&](std::string const& run) {
    return refusal(folder, std::string(game) + "[policy.supertype_2]\nalgorithm = \"frozen\"\n" + run);
  };
  auto const at = folder.path() + "/wrong.toml:7: policy.supertype_2.run = ";
  EXPECT_EQ(with("run = \"run\"\n"), "(no error)");
  EXPECT_EQ(with("run = \"none\"\n"),
            at + "\"none\": " + folder.path() + "/none: no config.toml there; expected the folder of a run");
  EXPECT_EQ(with(""), "policy.supertype_2.run is missing; expected the folder of a run");
  EXPECT_EQ(with("run = \"wrong.toml\"\n"),
            at + "\"wrong.toml\": " + folder.path() +
                "/wrong.toml: not a whole checkpoint: cut short, or not written by shoal");
  EXPECT_EQ(
      refusal(folder, "[env]\nname = \"recall\"\n[policy.agent_0]\nalgorithm = \"frozen\"\nrun = \"run\"\n"),
      folder.path() + "/wrong.toml:5: policy.agent_0.run = \"run\": a run in matrix_game; expected one in recall");
  EXPECT_THAT(refusal(folder, std::string(game) + "memory = 2\n" + frozen_second),
              StartsWith(folder.path() + "/wrong.toml:8: policy.supertype_2.run = \"run\": its policy has "));
  EXPECT_EQ(refusal(folder, std::string(game) + "[policy]\nalgorithm = \"frozen\"\nrun = \"run\"\n",
                    {"train.instances=3", "train.device=cpu"}),
            folder.path() +
                "/wrong.toml:7: policy.run = \"run\": none of its policies was trained for all of the agents "
                "0, 1; they were trained for the agents 0; 1");
  for (auto const& entry : fs::directory_iterator(folder.path() + "/run/checkpoints")) fs::remove(entry);
  EXPECT_EQ(with("run = \"run\"\n"),
            at + "\"run\": " + folder.path() + "/run: no checkpoint there; expected a run that has trained");
}

TEST(FrozenPolicies, AFolderThatNamesItselfIsRefused) {
  TemporaryFolder const folder;
  auto const config =
      folder.write("config.toml", std::string(game) + "[policy.supertype_2]\nalgorithm = \"frozen\"\nrun = \".\"\n");
  EXPECT_THAT(error_of([&] { resolve(read_config(config, {})); }),
              HasSubstr("policy.supertype_2.run = \".\": expected a file of the run's folder"));
}

}  // namespace
}  // namespace shoal
