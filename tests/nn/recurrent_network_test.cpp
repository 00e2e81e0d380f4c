#include "shoal/nn/recurrent_network.hpp"

#include "support/plain_recurrent.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr int inputs = 5, rows = 6, steps = 7;

std::vector<NetworkShape> some_shapes() {
  std::vector<NetworkShape> shapes;
  for (auto const kind : {MemoryKind::lstm, MemoryKind::gru})
    for (auto const& hidden : {std::vector<int>{}, {8}, {6, 4}})
      shapes.push_back({.inputs = inputs, .hidden = hidden, .actions = heads(1, {3, 2}), .memory = {kind, 4}});
  return shapes;
}

/// A network whose parameters have left their start, where biases are 0, and what it is shown.
struct Case {
  RecurrentNetwork network;
  at::Tensor observations = random_normal({steps, rows, inputs}, 2), state,
             resets = (random_unit({steps, rows}, 3) < 0.3).to(at::kByte);

  explicit Case(NetworkShape const& shape)
      : network(shape, 1, at::kCPU), state(random_normal({rows, shape.memory.state()}, 4)) {
    network.parameters().add_(random_normal(network.parameters().sizes(), 8) * 0.3);
  }
  PlainRecurrent plain() const { return {network.shape(), network.parameters().to(at::kDouble)}; }
};

TEST(RecurrentNetwork, EqualsCellsWrittenOut) {
  for (auto const& shape : some_shapes()) {
    Case const c(shape);
    auto const found = c.network.sequence(c.observations, c.state, c.resets);
    auto const expected = c.plain().sequence(c.observations.to(at::kDouble), c.state.to(at::kDouble), c.resets);
    EXPECT_LT(distance(found.distribution, expected.distribution), 1e-5);
    EXPECT_LT(distance(found.values, expected.values), 1e-5);
    EXPECT_LT(distance(found.state, expected.state), 1e-5);
    EXPECT_LT(distance(c.network.log_sd(), c.plain().log_sd), 1e-7);
  }
}

TEST(RecurrentNetwork, ASequenceIsItsStepsInTurnWhereverItIsCut) {
  for (auto const& shape : some_shapes()) {
    Case const c(shape);
    auto const whole = c.network.sequence(c.observations, c.state, c.resets);
    auto state = c.state;
    for (int l = 0; l < steps; ++l) {
      auto const out = c.network.step(c.observations[l], state * c.resets[l].eq(0).unsqueeze(1));
      EXPECT_LT(distance(out.distribution, whole.distribution[l]), 1e-6);
      EXPECT_LT(distance(out.values, whole.values[l]), 1e-6);
      state = out.state;
    }
    auto const cut = [&](at::Tensor const& x, int from, int to) { return x.narrow(0, from, to - from); };
    auto const first = c.network.sequence(cut(c.observations, 0, 3), c.state, cut(c.resets, 0, 3));
    auto const second = c.network.sequence(cut(c.observations, 3, steps), first.state, cut(c.resets, 3, steps));
    EXPECT_LT(distance(at::cat({first.distribution, second.distribution}), whole.distribution), 1e-6);
    EXPECT_LT(distance(at::cat({first.values, second.values}), whole.values), 1e-6);
    EXPECT_LT(distance(second.state, state), 1e-6);
  }
}

TEST(RecurrentNetwork, AResetIsAFreshStart) {
  for (auto const& shape : some_shapes()) {
    Case const c(shape);
    auto const resets = at::zeros_like(c.resets);
    resets[2].fill_(1);
    auto const whole = c.network.sequence(c.observations, c.state, resets);
    auto const later = c.observations.narrow(0, 2, steps - 2);
    auto const fresh =
        c.network.sequence(later, at::zeros_like(c.state), at::zeros_like(resets).narrow(0, 2, steps - 2));
    EXPECT_TRUE(at::equal(whole.distribution.narrow(0, 2, steps - 2), fresh.distribution));
    EXPECT_FALSE(at::equal(whole.distribution[2], c.network.step(c.observations[2], c.state).distribution));
  }
}

TEST(RecurrentNetwork, OtherRowsStatesLeaveARowAsItWas) {
  for (auto const& shape : some_shapes()) {
    Case const c(shape);
    auto const before = c.network.sequence(c.observations, c.state, c.resets);
    auto const zeroed = c.state.clone();
    zeroed[1].zero_();
    auto const resets = c.resets.clone();
    resets.select(1, 1).fill_(1);
    auto const after = c.network.sequence(c.observations, zeroed, resets);
    for (int row = 0; row < rows; ++row) {
      EXPECT_EQ(at::equal(after.distribution.select(1, row), before.distribution.select(1, row)), row != 1);
      EXPECT_EQ(at::equal(after.values.select(1, row), before.values.select(1, row)), row != 1);
    }
  }
}

TEST(RecurrentNetwork, BackwardGivesTheGradientOfEveryParameter) {
  for (auto const& shape : some_shapes()) {
    Case const c(shape);
    auto const loss_of = [&](RecurrentNetwork::Outputs const& out) {
      auto const weights = random_normal(out.distribution.sizes(), 6).to(out.distribution.scalar_type());
      return (out.distribution * weights).sum() + out.values.square().sum();
    };
    c.network.gradients().zero_();
    loss_of(c.network.sequence(c.observations, c.state, c.resets)).backward();
    auto const parameters = c.network.parameters().to(at::kDouble).clone().set_requires_grad(true);
    PlainRecurrent const plain(shape, parameters);
    auto const loss = loss_of(plain.sequence(c.observations.to(at::kDouble), c.state.to(at::kDouble), c.resets));
    loss.backward();
    EXPECT_LT(distance(c.network.gradients(), parameters.grad()), 1e-5 * number(parameters.grad().abs().max()));
  }
}

TEST(RecurrentNetwork, BeginsWithItsForgetGateOpenAndDependsOnTheSeedAlone) {
  for (auto const& shape : some_shapes()) {
    RecurrentNetwork const a(shape, 1, at::kCPU), b(shape, 1, at::kCPU), other(shape, 2, at::kCPU);
    EXPECT_TRUE(at::equal(a.parameters(), b.parameters()));
    EXPECT_FALSE(at::equal(a.parameters(), other.parameters()));
    PlainRecurrent const plain(shape, a.parameters());
    auto const expected = at::zeros_like(plain.input.bias);
    if (shape.memory.kind == MemoryKind::lstm) expected.narrow(0, 4, 4).fill_(1);
    EXPECT_TRUE(at::equal(plain.input.bias, expected));
    EXPECT_EQ(number(plain.state.bias.abs().max()), 0);
    EXPECT_LE(number(plain.state.weight.abs().max()), 0.5) << "1 / sqrt(4)";
    EXPECT_GT(number(plain.state.weight.abs().max()), 0.25);
  }
}

}  // namespace
}  // namespace shoal
