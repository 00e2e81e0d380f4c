// Runs that train in one process: each is the run that it would have been alone.
#include "program/runs/side_by_side.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "program/trained.hpp"
#include "shoal/train/checkpoint.hpp"

namespace shoal {
namespace {

using nlohmann::json;

/// Rows of metrics.jsonl without what a clock says.
std::vector<json> timeless_rows(std::string const& folder) {
  std::vector<json> rows;
  for (auto const& text : RunDirectory::open(folder).read_metrics()) {
    auto row = json::parse(text);
    for (auto const* clock : {"phases", "seconds", "agent_steps_per_second"}) row.erase(clock);
    rows.push_back(row);
  }
  return rows;
}

Checkpoint last_checkpoint(std::string const& folder) {
  return read_checkpoint(RunDirectory::open(folder).checkpoints().back());
}

class SideBySideTest : public testing::TestWithParam<char const*> {
 protected:
  /// Four stages; from eight instances on, threads have something to share.
  std::string train_seeds(std::string const& name, std::vector<std::string> const& seeds, int threads) const {
    TrainCommand command;
    command.config = folder_.write("run.toml", std::string(calibrated_game) + "[policy]\n" + GetParam());
    command.out = folder_.path() + "/" + name;
    command.seeds = seeds;
    command.overrides = {"train.stages=4", "train.instances=8", "train.device=cpu",
                         "train.threads=" + std::to_string(threads)};
    EXPECT_EQ(train_quietly(command), 0);
    return command.out;
  }

  TemporaryFolder folder_;
};

// Five runs on three threads: they wait for each other, and a thread does several.
TEST_P(SideBySideTest, EachRunIsTheRunAlone) {
  auto const together = train_seeds("together", {"1", "2", "3", "4", "5"}, 3);
  for (std::string const seed : {"1", "3", "5"}) {
    auto const alone = train_seeds("alone-" + seed, {seed}, 2);
    auto const beside = together + "/seed-" + seed;
    EXPECT_EQ(timeless_rows(beside), timeless_rows(alone)) << "seed " << seed;
    auto const expected = last_checkpoint(alone), found = last_checkpoint(beside);
    ASSERT_EQ(found.tensors.size(), expected.tensors.size());
    for (auto const& [name, tensor] : expected.tensors) {
      if (name == "progress") continue;  // holds seconds
      EXPECT_TRUE(found.tensors.at(name).equal(tensor)) << "seed " << seed << ": " << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Algorithms, SideBySideTest,
                         testing::Values("algorithm = \"ppo\"\nhidden = [8]\nminibatches = 1\n",
                                         "algorithm = \"a2c\"\nhidden = [8]\n",
                                         "algorithm = \"reinforce\"\nhidden = [8]\n",
                                         "algorithm = \"dqn\"\nhidden = [8]\nlearning_starts = 16\nbatch = 8\n"));

}  // namespace
}  // namespace shoal
