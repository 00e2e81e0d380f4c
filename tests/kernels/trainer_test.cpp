// A stage on the device: as one graph it does what it does launched kernel by kernel, and it never waits for the
// device.
#include "shoal/train/trainer.hpp"

#include <ATen/ATen.h>
#include <c10/cuda/CUDAFunctions.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <cmath>

#include "support/runs.hpp"

namespace shoal {
namespace {

using test::figure;

TrainerConfig run_of(char const* environment, bool graphs, CalibratorKind kind = CalibratorKind::rl) {
  TrainerConfig c{.environment = environment};
  c.train = {.stages = 100, .instances = 32, .seed = 3, .threads = 1, .device = DeviceChoice::cuda};
  c.train.cuda_graphs = graphs;
  c.calibrator.emplace().kind = kind;
  bool const market = c.environment == "market";
  c.targets = {{{market ? "supertype_1.share" : "player_1.action_1"}, {0.3}, 1, 0.1}};
  return c;
}

class DeviceTrainer : public testing::TestWithParam<char const*> {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device";
  }
};

TEST_P(DeviceTrainer, AGraphDoesWhatItsLaunchesDo) {
  for (auto const kind : {CalibratorKind::rl, CalibratorKind::es}) {
    Trainer graph(run_of(GetParam(), true, kind)), launches(run_of(GetParam(), false, kind));
    for (int m = 0; m < 6; ++m) {
      auto const a = graph.run_stage(), b = launches.run_stage();
      EXPECT_NEAR(*a.r_cal_mean, *b.r_cal_mean, 1e-3) << "stage " << m;
      EXPECT_NEAR(figure(a, "entropy"), figure(b, "entropy"), 1e-3) << "stage " << m;
      EXPECT_NEAR(figure(a, "kl"), figure(b, "kl"), 1e-3 + 0.05 * std::abs(figure(b, "kl"))) << "stage " << m;
      EXPECT_EQ(a.agent_steps, b.agent_steps);
    }
  }
}

// The stages that settle have a graph of their own, with another simulator; validations run between two replays.
TEST_P(DeviceTrainer, AGraphSettlesAsItsLaunchesDo) {
  auto const run = [](bool graphs) {
    auto config = run_of(GetParam(), graphs, CalibratorKind::es);
    config.train.stages = 12;
    config.validation = ValidationOptions{.every = 2, .episodes = 64, .patience = 0, .final_episodes = 64};
    config.settling.share = 0.5;
    return config;
  };
  Trainer graph(run(true)), launches(run(false));
  for (int m = 0; m < 12; ++m) {
    auto const a = graph.run_stage(), b = launches.run_stage();
    EXPECT_NEAR(*a.r_cal_mean, *b.r_cal_mean, 1e-2) << "stage " << m;
    ASSERT_EQ(a.validation.has_value(), b.validation.has_value()) << "stage " << m;
    if (a.validation) {
      EXPECT_NEAR(a.validation->r_cal.mean, b.validation->r_cal.mean, 1e-2) << "stage " << m;
    }
    EXPECT_EQ(a.settled.has_value(), m == 11);
  }
  EXPECT_FALSE(graph.calibrating());
}

// A captured stage reads the profile where the host writes the next one.
TEST_P(DeviceTrainer, AGraphSeesTheProfilesOfASearch) {
  auto const run = [](bool graphs) {
    auto config = run_of(GetParam(), graphs);
    config.calibrator->kind = CalibratorKind::random;
    config.calibrator->period = 2;
    return config;
  };
  Trainer graph(run(true)), launches(run(false));
  for (int m = 0; m < 8; ++m) {
    auto const a = graph.run_stage(), b = launches.run_stage();
    for (std::size_t d = 0; d < a.profile.size(); ++d)
      EXPECT_NEAR(a.profile[d].mean, b.profile[d].mean, 1e-6) << "stage " << m;
    EXPECT_NEAR(*a.r_cal_mean, *b.r_cal_mean, 1e-3) << "stage " << m;
  }
}

// Each has its own stream and graph; the second's is captured while the first's runs.
TEST_P(DeviceTrainer, StagesBesideEachOtherAreThoseOfEach) {
  auto const run = [](std::int64_t seed) {
    auto config = run_of(GetParam(), true);
    config.train.seed = seed;
    return config;
  };
  Trainer a(run(3)), b(run(4)), a_alone(run(3)), b_alone(run(4));
  for (int m = 0; m < 6; ++m) {
    a.launch_stage();
    b.launch_stage();
    auto const expect_same = [&](StageReport const& x, StageReport const& y) {
      EXPECT_NEAR(*x.r_cal_mean, *y.r_cal_mean, 1e-3) << "stage " << m;
      EXPECT_NEAR(figure(x, "entropy"), figure(y, "entropy"), 1e-3) << "stage " << m;
    };
    auto const first = a.finish_stage(), second = b.finish_stage();
    expect_same(first, a_alone.run_stage());
    expect_same(second, b_alone.run_stage());
  }
}

// The one wait of a stage is the copy of its figures, outside what a capture would refuse and what this mode finds.
TEST_P(DeviceTrainer, ARolloutNeverWaitsForTheDevice) {
  Trainer trainer(run_of(GetParam(), false));
  for (int m = 0; m < 2; ++m) trainer.run_stage();
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR);
  EXPECT_NO_THROW(trainer.run_rollout());
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED);
}

INSTANTIATE_TEST_SUITE_P(Environments, DeviceTrainer, testing::Values("market", "matrix_game"));

using DeviceHeuristic = DeviceTrainer;

// Trajectories have the same bits, and the means over their episodes are taken in another order.
TEST_P(DeviceHeuristic, PlaysAsOnTheCpu) {
  auto const run = [](DeviceChoice device) {
    TrainerConfig config{.environment = GetParam()};
    config.policy.algorithm = Algorithm::heuristic;
    config.policy.map = PolicyMapKind::group;
    config.train = {.stages = 5, .instances = 100, .seed = 3, .threads = 1, .device = device};
    return config;
  };
  Trainer cpu(run(DeviceChoice::cpu)), cuda(run(DeviceChoice::cuda));
  for (int m = 0; m < 5; ++m) {
    auto const a = cpu.run_stage(), b = cuda.run_stage();
    ASSERT_EQ(a.metrics.size(), b.metrics.size());
    for (std::size_t k = 0; k < a.metrics.size(); ++k)
      EXPECT_NEAR(a.metrics[k].mean, b.metrics[k].mean, 1e-6 * (1 + std::abs(a.metrics[k].mean))) << a.metrics[k].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Environments, DeviceHeuristic, testing::Values("market", "pursuit", "two_role"));

}  // namespace
}  // namespace shoal
