// Inference on the device: both kernels against LibTorch, against f64, and against the body on the CPU.
#include <ATen/ATen.h>

#include "on_device.hpp"
#include "shoal/learn/policy_actor.hpp"
#include "shoal/nn/distribution.hpp"
#include "shoal/ops/launch.hpp"
#include "support/infer_problem.hpp"

namespace shoal {
namespace {

using namespace test;

struct Kernel {
  char const* name;
  bool (*can)(InferArgs const&);
  void (*run)(InferArgs const&, void*);
};
constexpr Kernel kernels[] = {{"tf32", cuda::can_infer_tf32, cuda::infer_tf32},
                              {"f32", cuda::can_infer_f32, cuda::infer_f32}};

class InferKernels : public CudaTest {
 protected:
  void expect_agreement(NetworkShape const& shape, std::int64_t rows) {
    InferProblem const problem(shape, rows, at::kCUDA);
    auto const distribution = problem.network.distribution(problem.observations).detach();
    auto const values = problem.network.value(problem.observations).detach();
    problem.distribution.copy_(distribution), problem.values.copy_(values);
    double const error = problem.error();
    for (auto const& kernel : kernels) {
      SCOPED_TRACE(std::string(kernel.name) + ", rows: " + std::to_string(rows) +
                   ", hidden: " + testing::PrintToString(shape.hidden));
      problem.forget();
      ASSERT_TRUE(kernel.can(problem.args()));
      kernel.run(problem.args(), nullptr);
      EXPECT_LT(distance(problem.distribution.cpu(), distribution.cpu()), 2e-5);
      EXPECT_LT(distance(problem.values.cpu(), values.cpu()), 2e-5);
      EXPECT_LT(problem.error(), 5 * error + 1e-7);
    }
  }
};

TEST_F(InferKernels, AgreeWithLibTorch) {
  for (auto const& shape : infer_shapes())
    for (std::int64_t const rows : {1, 15, 16, 17, 1000}) expect_agreement(shape, rows);
}

// So many rows that every warp of the device takes several tiles.
TEST_F(InferKernels, AgreeWithLibTorchOnManyRows) { expect_agreement(infer_shapes()[0], 100'003); }

TEST_F(InferKernels, TensorCoresDoWhatTheBodyDoes) {
  for (auto const& shape : infer_shapes()) {
    InferProblem const here(shape, 100), there(shape, 100, at::kCUDA);
    infer_emulated(here.args());
    cuda::infer_tf32(there.args(), nullptr);
    EXPECT_LT(distance(here.outputs(), there.outputs()), 5e-6) << testing::PrintToString(shape.hidden);
  }
}

TEST_F(InferKernels, TheCriticAlone) {
  for (auto const& kernel : kernels) {
    InferProblem const both(infer_shapes()[0], 77, at::kCUDA), alone(infer_shapes()[0], 77, at::kCUDA);
    kernel.run(both.args(), nullptr);
    auto args = alone.args();
    args.distribution = nullptr;
    kernel.run(args, nullptr);
    EXPECT_TRUE(at::equal(alone.values, both.values)) << kernel.name;
    EXPECT_TRUE(alone.distribution.isnan().all().item<bool>()) << kernel.name;
  }
}

TEST_F(InferKernels, RowsBeyondTheEndStayUntouched) {
  for (auto const& kernel : kernels) {
    InferProblem const problem(infer_shapes()[0], 40, at::kCUDA);
    auto args = problem.args();
    args.rows = 17;
    kernel.run(args, nullptr);
    EXPECT_FALSE(problem.values.narrow(0, 0, 17).isnan().any().item<bool>()) << kernel.name;
    EXPECT_TRUE(problem.values.narrow(0, 17, 23).isnan().all().item<bool>()) << kernel.name;
    EXPECT_TRUE(problem.distribution.narrow(0, 17, 23).isnan().all().item<bool>()) << kernel.name;
  }
}

// What acts writes log-probabilities; the update computes them anew through LibTorch, and their ratio has to be 1.
TEST_F(InferKernels, TheUpdateFindsTheStoredLogProbabilities) {
  constexpr int instances = 300, agents = 5;
  RolloutShape const shape{.steps = 1, .instances = instances, .agents = agents, .width = 21, .actions = heads(3, {4})};
  auto const rollout = make_rollout(shape, at::kCUDA);
  rollout.observations.copy_(random_normal(rollout.observations.sizes(), 1));
  PolicyActor actor({.agents = {0, 1, 2, 3, 4}}, {.inputs = 21, .hidden = {64, 64}, .actions = shape.actions}, shape,
                    at::kCUDA);
  actor.parameters().add_(random_normal(actor.parameters().sizes(), 2).to(at::kCUDA) * 0.2);
  actor.act(rollout, 0);
  auto const rows = [](at::Tensor const& x) { return x[0].flatten(0, 1); };
  auto const anew = log_probability(shape.actions, actor.network().distribution(rows(rollout.observations)),
                                    actor.network().log_sd(), {rows(rollout.continuous), rows(rollout.discrete), {}});
  EXPECT_LT(distance((anew - rows(rollout.log_probabilities)).exp().cpu(), at::ones({instances * agents})), 1e-4);
}

TEST_F(InferKernels, WhatTensorCoresCannotHoldGoesToTheOtherKernel) {
  InferProblem const problem(wide_shape(), 50, at::kCUDA);
  EXPECT_FALSE(cuda::can_infer_tf32(problem.args()));
  ASSERT_TRUE(cuda::can_infer(problem.args()));
  cuda::infer(problem.args(), nullptr);
  EXPECT_LT(distance(problem.values.cpu(), problem.network.value(problem.observations).detach().cpu()), 2e-5);
  InferProblem const wider(normal_policy(21, {256, 256}, 3), 1, at::kCUDA);
  EXPECT_FALSE(cuda::can_infer(wider.args()));  // LibTorch's
}

}  // namespace
}  // namespace shoal
