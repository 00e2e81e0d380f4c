#include "program/commands/hash_command.hpp"

#include <gmock/gmock.h>

#include "program/helpers.hpp"

namespace shoal {
namespace {

std::vector<std::string> const masked_game{"actions=[2, 3]", "payoffs=[1,2,3,4,5,6,7,8,9,10,11,12]",
                                           "continuation=0.9"};

std::string error_with(HashOptions const& options) {
  return error_of([&] { trajectory_hash(options); });
}

TEST(HashCommand, DoesNotDependOnHowInstancesStep) {
  HashOptions const alone{.environment = "market", .instances = 3, .steps = 110, .seed = 5, .show = 3};
  auto const hash = trajectory_hash(alone);
  auto other = alone;
  other.instances = 7;
  EXPECT_EQ(trajectory_hash(other), hash);
  other.threads = 3;
  EXPECT_EQ(trajectory_hash(other), hash);
  other.team = "scrambled:7";
  EXPECT_EQ(trajectory_hash(other), hash);
}

TEST(HashCommand, DiscreteActionsWithMasksToo) {
  for (auto const& [name, params] : {std::pair<char const*, std::vector<std::string>>{"matrix_game", masked_game},
                                     {"market", {"actions=discrete", "steps=40"}}}) {
    HashOptions const alone{.environment = name, .instances = 2, .steps = 50, .show = 2, .params = params};
    HashOptions const many{.environment = name,
                           .instances = 9,
                           .threads = 2,
                           .team = "scrambled:3",
                           .steps = 50,
                           .show = 2,
                           .params = params};
    EXPECT_EQ(trajectory_hash(many), trajectory_hash(alone)) << name;
  }
}

TEST(HashCommand, DependsOnWhatChangesTrajectories) {
  HashOptions const base{.environment = "market", .instances = 2, .steps = 20};
  auto const hash = trajectory_hash(base);
  auto other = base;
  other.seed = 1;
  EXPECT_NE(trajectory_hash(other), hash);
  other = base;
  other.steps = 21;
  EXPECT_NE(trajectory_hash(other), hash);
  other = base;
  other.show = 2;
  EXPECT_NE(trajectory_hash(other), hash);
  other = base;
  other.params = {"arrival=0.25"};
  EXPECT_NE(trajectory_hash(other), hash);
}

TEST(HashCommand, PrintsOneLine) {
  testing::internal::CaptureStdout();
  HashOptions const options{
      .environment = "market", .instances = 7, .threads = 2, .team = "scrambled:7", .seed = 1, .params = {"steps=9"}};
  EXPECT_EQ(hash_command(options), 0);
  EXPECT_THAT(
      testing::internal::GetCapturedStdout(),
      testing::MatchesRegex(
          "market steps=9 instances=7 threads=2 team=scrambled:7 steps=100 seed=1 show=1 device=cpu  [0-9a-f]+\n"));
}

TEST(HashCommand, NamesTheOptionAtFault) {
  EXPECT_EQ(error_with({.environment = "market", .instances = 2, .show = 3}),
            "--show = 3: expected 1 to --instances, 2");
  EXPECT_EQ(error_with({.environment = "market", .instances = 0}),
            "--instances = 0: expected an integer in [1, 16777216]");
  EXPECT_EQ(error_with({.environment = "market", .steps = -1}), "--steps = -1: expected an integer of at least 0");
  EXPECT_EQ(error_with({.environment = "market", .device = "gpu"}), "--device = \"gpu\": expected \"cpu\" or \"cuda\"");
  EXPECT_EQ(error_with({.environment = "market", .team = "x"}),
            "--team = \"x\": expected \"serial\" or \"scrambled:W\" with W in [1, 1024]");
  EXPECT_THAT(error_with({.environment = "x"}),
              testing::StartsWith("hash: environment = \"x\": expected one of \"checkers\""));
  EXPECT_EQ(error_with({.environment = "market", .params = {"merchants=1"}}),
            "--set merchants = 1: expected an integer in [2, 16]");
  EXPECT_EQ(error_with({.environment = "market", .params = {"merchants"}}), "--set merchants: expected key=value");
  EXPECT_EQ(error_with({.environment = "matrix_game", .params = {"actions=[2, 3]"}}),
            "payoffs: 8 values, expected 12 for these actions");
}

}  // namespace
}  // namespace shoal
