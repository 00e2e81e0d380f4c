// A stage that is replayed asks of CUDA: its graph, the numbers that changed since the last one, and one copy to the
// host with its wait. A program of its own: CUPTI has one subscriber a process, and tools that watch the other tests
// would take its place.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <optional>

#include "cupti/api_calls.hpp"
#include "shoal/train/trainer.hpp"

namespace shoal {
namespace {

using test::ApiCalls;

TrainerConfig run_of(char const* environment, std::optional<CalibratorKind> kind) {
  TrainerConfig c{.environment = environment};
  c.train = {.stages = 100, .instances = 32, .seed = 3, .threads = 1, .device = DeviceChoice::cuda};
  c.policy.ppo.epochs = 2;
  if (!kind) return c;
  c.calibrator.emplace().kind = *kind;
  bool const market = c.environment == "market";
  c.targets = {{{market ? "supertype_1.share" : "player_1.action_1"}, {0.3}, 1, 0.1}};
  return c;
}

TEST(ApiNames, LoseVersionAndDefaultStream) {
  EXPECT_EQ(test::plain_name("cudaStreamSynchronize"), "cudaStreamSynchronize");
  EXPECT_EQ(test::plain_name("cudaMemcpyAsync_v3020_ptsz"), "cudaMemcpyAsync");
  EXPECT_EQ(test::plain_name("cuMemcpyDtoHAsync_v2"), "cuMemcpyDtoHAsync");
  EXPECT_EQ(test::plain_name("cudaMemcpyAsync_ptsz"), "cudaMemcpyAsync");
}

class StageCalls : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device";
  }

  void expect_one_graph_and_one_copy(char const* environment, std::optional<CalibratorKind> kind) {
    Trainer trainer(run_of(environment, kind));
    for (int m = 0; m < 4; ++m) trainer.run_stage();  // two warm up, the third captures
    auto const learners = int(trainer.learners().size()) + (trainer.calibrator() ? 1 : 0);
    ApiCalls calls;
    trainer.run_stage();  // with CUPTI for the first time
    for (int m = 0; m < 3; ++m) {
      calls.clear();
      trainer.run_stage();
      SCOPED_TRACE(std::string(environment) + ", calls of a stage:\n" + calls.text());
      for (std::string const api : {"cuda", "cu"}) {
        EXPECT_EQ(calls.count(api, "GraphLaunch"), 1);
        EXPECT_LE(calls.count(api, "LaunchKernel") + calls.count(api, "Memset"), 2 * learners);  // stage and rate
        EXPECT_LE(calls.count(api, "Memcpy"), 1);
        EXPECT_LE(calls.count(api, "Synchronize"), 1);
        for (char const* memory : {"Malloc", "Free", "Alloc", "MemCreate", "MemMap", "HostRegister"})
          EXPECT_EQ(calls.count(api, memory), 0) << memory;
        EXPECT_EQ(calls.count(api, "GraphInstantiate"), 0);
        EXPECT_EQ(calls.count(api, "StreamBeginCapture"), 0);
      }
    }
  }
};

TEST_F(StageCalls, AReplayedStageIsOneGraphAndOneCopy) {
  for (char const* environment : {"market", "matrix_game"})
    for (auto const kind :
         {std::optional<CalibratorKind>(), std::optional(CalibratorKind::rl), std::optional(CalibratorKind::es)})
      expect_one_graph_and_one_copy(environment, kind);
}

// So that an empty count cannot pass for a good one.
TEST_F(StageCalls, WaitsCopiesAndAllocationsAreSeen) {
  auto const x = at::ones({8}, at::kCUDA);
  ApiCalls calls;
  EXPECT_EQ(x.sum().item<float>(), 8);
  torch::cuda::synchronize();
  auto const large = at::empty({std::int64_t(1) << 28}, at::kCUDA);  // more than LibTorch keeps
  SCOPED_TRACE(calls.text());
  EXPECT_GE(calls.count("cuda", "Synchronize"), 2);
  EXPECT_GE(calls.count("cuda", "Memcpy"), 1);
  EXPECT_GE(calls.count("cuda", "LaunchKernel"), 1);
  EXPECT_GE(calls.count("cuda", "Malloc") + calls.count("cu", "MemCreate"), 1);
}

}  // namespace
}  // namespace shoal
