#include "shoal/ops/infer.hpp"

#include "src/nn/fused_network.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

struct Case {
  NetworkShape shape;
  int rows;
};

std::vector<Case> const cases = {{{.inputs = 21, .hidden = {64, 64}, .actions = heads(3, {})}, 150},
                                 {{.inputs = 5, .hidden = {}, .actions = heads(0, {4, 3})}, 64},
                                 {{.inputs = 1, .hidden = {7}, .actions = heads(1, {})}, 3},
                                 {{.inputs = 30, .hidden = {9, 33, 2}, .actions = heads(2, {5})}, 65}};

struct Outputs {
  at::Tensor distribution, values;
};

template <class Team>
Outputs infer(Team team, ActorCritic const& network, at::Tensor const& observations) {
  auto const rows = observations.size(0);
  Outputs out{at::empty({rows, network.shape().actions.parameters()}), at::empty({rows})};
  auto const args = infer_args(network, observations, out.distribution, out.values);
  std::vector<float> memory(std::size_t(args.memory()), std::numeric_limits<float>::quiet_NaN());
  infer_begin(team, args, memory.data());
  for (std::int64_t tile = 0; tile * InferArgs::rows_of_tile < rows; ++tile)
    infer_tile(team, args, memory.data(), tile);
  return out;
}

TEST(Infer, EqualsLibTorch) {
  for (auto const& [shape, rows] : cases) {
    ActorCritic const network(shape, 1, at::kCPU);
    network.parameters().add_(random_normal(network.parameters().sizes(), 2) * 0.2);
    auto const x = random_normal({rows, shape.inputs}, 3);
    auto const out = infer(SerialTeam{}, network, x);
    EXPECT_LT(distance(out.distribution, network.distribution(x)), 1e-5);
    EXPECT_LT(distance(out.values, network.value(x)), 1e-5);
  }
}

TEST(Infer, AnyOrderOfLanesGivesTheSameBits) {
  ActorCritic const network(cases[0].shape, 1, at::kCPU);
  auto const x = random_normal({150, 21}, 3);
  auto const serial = infer(SerialTeam{}, network, x), scrambled = infer(ScrambledTeam(96), network, x);
  EXPECT_TRUE(at::equal(serial.distribution, scrambled.distribution) && at::equal(serial.values, scrambled.values));
}

TEST(Infer, EqualsTheCpusKernels) {
  for (auto const& [shape, rows] : cases) {
    ActorCritic const network(shape, 1, at::kCPU);
    network.parameters().add_(random_normal(network.parameters().sizes(), 2) * 0.2);
    auto const x = random_normal({rows, shape.inputs}, 3);
    auto const out = infer(SerialTeam{}, network, x);
    FusedNetwork fused(shape);
    fused.use(network.parameters());
    Outputs const cpu{at::empty_like(out.distribution), at::empty_like(out.values)};
    fused.forward(x.data_ptr<float>(), rows, cpu.distribution.data_ptr<float>(), cpu.values.data_ptr<float>());
    EXPECT_TRUE(at::allclose(out.distribution, cpu.distribution, 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(out.values, cpu.values, 1e-5, 1e-6));
  }
}

}  // namespace
}  // namespace shoal
