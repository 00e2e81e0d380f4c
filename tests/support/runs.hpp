// What tests of the trainer share: a small run, its figures, and files that vanish.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "shoal/train/checkpoint.hpp"
#include "shoal/train/trainer.hpp"
#include "support/helpers.hpp"

namespace shoal::test {

/// A small run of the repeated prisoner's dilemma; calibrated: to a cooperation rate of one half.
inline TrainerConfig small_run(bool calibrated, CalibratorKind kind = CalibratorKind::rl) {
  TrainerConfig c{.environment = "matrix_game"};
  c.env = {{"rounds", std::int64_t(6)}};
  c.policy.network.hidden = {1, {8}};
  c.policy.ppo.epochs = c.policy.ppo.minibatches = 2;
  c.train = {.stages = 100, .instances = 5, .seed = 1, .threads = 1, .device = DeviceChoice::cpu};
  if (!calibrated) return c;
  c.calibrator.emplace().kind = kind;
  c.calibrator->network.hidden = {1, {8}};
  c.targets = {{{"player_1.action_1", "player_2.action_1"}, {0.5, 0.5}, 1, 0.2}};
  return c;
}

/// One of the learners' figures; NaN if there is none of that name.
inline double figure(StageReport const& report, std::string const& name) {
  for (auto const& x : report.figures)
    if (x.name == name) return x.mean;
  return std::numeric_limits<double>::quiet_NaN();
}

/// All of a report that does not depend on the clock, but for its validated fits.
inline std::vector<double> figures(StageReport const& r) {
  std::vector<double> all = {double(r.stage), double(r.agent_steps), r.r_cal_mean.value_or(-1),
                             r.r_cal_sd.value_or(-1)};
  for (auto const& x : r.figures) all.push_back(x.mean);
  for (auto const& x : r.metrics) all.push_back(x.mean);
  for (auto const& x : r.targets) all.insert(all.end(), {x.target, x.value});
  for (auto const& x : r.returns) all.insert(all.end(), {x.mean, x.sd});
  for (auto const& x : r.profile) all.push_back(x.mean);
  return all;
}

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() /
        ("shoal_" + std::to_string(getpid()) + "_" + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(std::string const& name) const { return (folder_ / name).string(); }

  /// Everything that save() keeps, but for the seconds.
  std::map<std::string, at::Tensor> state_of(Trainer& trainer) const {
    trainer.save(path("state"), "");
    auto tensors = read_checkpoint(path("state")).tensors;
    tensors.at("progress")[2] = 0;
    return tensors;
  }
  static void expect_same(std::map<std::string, at::Tensor> const& a, std::map<std::string, at::Tensor> const& b) {
    ASSERT_EQ(a.size(), b.size());
    for (auto const& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  }
  static std::string bytes_of(std::string const& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }
  static void write(std::string const& path, std::string const& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace shoal::test
