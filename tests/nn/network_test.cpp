#include "shoal/nn/network.hpp"

#include "shoal/nn/activation.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

NetworkShape shape_of(std::vector<int> hidden, ActionLayout const& actions, double mean_limit = 0) {
  return {.inputs = 7, .hidden = std::move(hidden), .actions = actions, .log_sd = -0.5, .mean_limit = mean_limit};
}

std::vector<NetworkShape> some_shapes() {
  auto restoring = shape_of({9}, heads(7, {}), 0.1);
  restoring.restoring = 1.4;
  auto central = shape_of({6}, heads(1, {3}));
  central.critic_only = 4;
  return {shape_of({16, 8}, heads(2, {3, 2})),
          shape_of({5}, heads(0, {4})),
          shape_of({}, heads(3, {})),
          shape_of({9, 9, 9}, heads(2, {3}), 0.1),
          restoring,
          central};
}

/// Moves every parameter away from its start: biases are 0 there, the actor's last layer nearly so.
void stir(ActorCritic const& network) {
  network.parameters().add_(random_normal(network.parameters().sizes(), 8) * 0.3);
}

TEST(Network, EqualsPerceptronsWrittenOut) {
  for (auto const& shape : some_shapes()) {
    ActorCritic const network(shape, 1, at::kCPU);
    stir(network);
    auto const x = random_normal({50, shape.inputs}, 2);
    PlainNetwork const plain(shape, network.parameters().to(at::kDouble));
    EXPECT_LT(distance(network.distribution(x), plain.distribution(x.to(at::kDouble))), 1e-5);
    EXPECT_LT(distance(network.value(x), plain.value(x.to(at::kDouble))), 1e-5);
    EXPECT_LT(distance(network.log_sd(), plain.log_sd), 1e-7);
  }
}

TEST(Network, WithoutGradientTheSameIntoGivenMemory) {
  for (auto const& shape : some_shapes()) {
    ActorCritic const network(shape, 1, at::kCPU);
    stir(network);
    auto const x = random_normal({50, shape.inputs}, 2);
    auto const slots = at::full({3, 50, shape.actions.parameters()}, 9.0f), values = at::full({3, 50}, 9.0f);
    network.distribution_out(x, slots[1]);
    network.value_out(x, values[1]);
    EXPECT_LT(distance(slots[1], network.distribution(x)), 1e-6);
    EXPECT_LT(distance(values[1], network.value(x)), 1e-6);
    for (int other : {0, 2})
      EXPECT_TRUE((slots[other] == 9).all().item<bool>() && (values[other] == 9).all().item<bool>());
  }
}

TEST(Network, BackwardAddsTheGradientOfEveryParameter) {
  for (auto const& shape : some_shapes()) {
    ActorCritic const network(shape, 1, at::kCPU);
    stir(network);
    auto const x = random_normal({20, shape.inputs}, 2);
    auto const parameters = network.parameters().to(at::kDouble).clone().set_requires_grad(true);
    PlainNetwork const plain(shape, parameters);
    auto const wide = x.to(at::kDouble);
    (plain.distribution(wide).square().sum() + 3 * plain.value(wide).square().sum() + plain.log_sd.exp().sum())
        .backward();
    for (int times = 1; times <= 2; ++times) {
      (network.distribution(x).square().sum() + 3 * network.value(x).square().sum() + network.log_sd().exp().sum())
          .backward();
      double const largest = number(parameters.grad().abs().max());
      EXPECT_LT(distance(network.gradients(), times * parameters.grad()), 1e-5 * largest);
    }
  }
}

TEST(Network, EveryParameterIsInUse) {
  for (auto const& shape : some_shapes()) {
    ActorCritic const network(shape, 1, at::kCPU);
    stir(network);
    auto const x = random_normal({20, shape.inputs}, 2);
    auto const output = [&] {
      at::NoGradGuard const no_grad;
      return at::cat({network.distribution(x).flatten(), network.value(x), network.log_sd()}).clone();
    };
    auto const before = output();
    for (std::int64_t i = 0; i < network.parameters().numel(); ++i) {
      auto const kept = network.parameters()[i].clone();
      network.parameters()[i] += 0.5;
      EXPECT_FALSE(at::equal(output(), before)) << "parameter " << i;
      network.parameters()[i] = kept;
    }
  }
}

TEST(Network, InitialWeightsAreOrthogonal) {
  for (auto const& shape : some_shapes()) {
    PlainNetwork const plain(shape, ActorCritic(shape, 3, at::kCPU).parameters());
    auto const check = [](std::vector<PlainNetwork::Layer> const& layers, double last_gain) {
      for (std::size_t i = 0; i < layers.size(); ++i) {
        double const gain = i + 1 == layers.size() ? last_gain : std::sqrt(2.0);
        auto const w = layers[i].weight.to(at::kDouble) / gain;
        auto const square = w.size(0) < w.size(1) ? at::matmul(w, w.t()) : at::matmul(w.t(), w);
        EXPECT_LT(distance(square, at::eye(square.size(0), at::kDouble)), 1e-6);
        EXPECT_TRUE((layers[i].bias == 0).all().item<bool>());
      }
    };
    check(plain.actor, 0.01);
    check(plain.critic, 1);
    EXPECT_TRUE((plain.log_sd == -0.5).all().item<bool>());
    if (plain.linear.defined()) {
      EXPECT_LT(distance(plain.linear, -1.4 * at::eye(7)), 1e-6);
    }
  }
}

TEST(Network, ParametersAreAFunctionOfTheSeed) {
  auto const shape = shape_of({16, 8}, heads(1, {3}));
  auto const parameters = [&](std::uint64_t seed) { return ActorCritic(shape, seed, at::kCPU).parameters(); };
  at::manual_seed(1);
  auto const first = parameters(4);
  at::manual_seed(2);
  EXPECT_TRUE(at::equal(first, parameters(4)));
  EXPECT_FALSE(at::equal(first, parameters(5)));
  PlainNetwork const plain(shape, first);
  EXPECT_FALSE(at::equal(plain.actor[0].weight, plain.critic[0].weight));
}

TEST(Network, MeanLimitBoundsTheMeansAndNothingElse) {
  auto const shape = shape_of({16}, heads(2, {3}), 0.1);
  ActorCritic const network(shape, 1, at::kCPU);
  network.parameters().mul_(100);
  auto const out = network.distribution(random_normal({100, shape.inputs}, 2));
  EXPECT_LE(number(out.narrow(1, 0, 2).abs().max()), 0.1 + 1e-7);
  EXPECT_GT(number(out.narrow(1, 0, 2).abs().max()), 0.09);
  EXPECT_GT(number(out.narrow(1, 2, 3).abs().max()), 1);
}

TEST(Activation, IsTanhWithItsGradient) {
  auto const x =
      at::cat({at::linspace(-10, 10, 70001), at::tensor({0.0f, 1e-30f, -1e30f, 1e30f})}).set_requires_grad(true);
  auto const reference = x.detach().to(at::kDouble).set_requires_grad(true);
  auto const weights = random_normal({x.numel()}, 1);
  auto const y = tanh_activation(x), expected = at::tanh(reference);
  EXPECT_LT(distance(y, expected), 1e-6);
  (y * weights).sum().backward();
  (expected * weights).sum().backward();
  EXPECT_LT(distance(x.grad(), reference.grad()), 5e-6);

  auto in_place = x.detach().clone();
  tanh_in_place(in_place);
  EXPECT_TRUE(at::equal(in_place, y));
  auto infinite = at::tensor({std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()});
  tanh_in_place(infinite);
  EXPECT_NEAR(number(infinite[0]), 1, 1e-6);
  EXPECT_TRUE(std::isnan(number(infinite[1])));
}

}  // namespace
}  // namespace shoal
