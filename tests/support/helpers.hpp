// What the learners' tests share: tensors, errors, and a network written out.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "shoal/core/error.hpp"
#include "shoal/nn/network.hpp"

namespace shoal::test {

inline ActionLayout heads(int continuous, std::vector<int> const& choices) {
  ActionLayout layout;
  layout.continuous = continuous;
  for (int const n : choices) layout.choices[layout.discrete++] = n, layout.total_choices += n;
  return layout;
}

/// A head of each kind alone, several, and mixtures.
inline std::vector<ActionLayout> some_layouts() {
  return {heads(1, {}), heads(3, {}), heads(0, {4}), heads(0, {2, 5, 3}), heads(2, {3, 2})};
}

inline at::Tensor random_normal(at::IntArrayRef sizes, std::uint64_t seed, at::ScalarType type = at::kFloat) {
  return at::randn(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kDouble)).to(type);
}

inline at::Tensor random_unit(at::IntArrayRef sizes, std::uint64_t seed) {
  return at::rand(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kDouble));
}

/// Legal choices of `rows` rows, about two in three, at least one a head.
inline at::Tensor random_masks(ActionLayout const& layout, std::int64_t rows, std::uint64_t seed) {
  auto const masks = (random_unit({rows, layout.total_choices}, seed) < 2.0 / 3).to(at::kByte);
  std::int64_t at = 0;
  for (int h = 0; h < layout.discrete; ++h) {
    masks.select(1, at + h % layout.choices[h]).fill_(1);
    at += layout.choices[h];
  }
  return masks;
}

/// The largest absolute difference; NaN if there is one.
inline double distance(at::Tensor const& a, at::Tensor const& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.numel() == 0 ? 0 : (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

inline double number(at::Tensor const& x) { return x.item<double>(); }

/// The gradient of a scalar function by central differences, of double tensors.
inline at::Tensor numeric_gradient(std::function<double(at::Tensor const&)> const& f, at::Tensor const& x,
                                   double h = 1e-6) {
  auto const gradient = at::empty_like(x);
  auto const point = x.detach().clone();
  double* const p = point.data_ptr<double>();
  for (std::int64_t i = 0; i < point.numel(); ++i) {
    double const kept = p[i];
    p[i] = kept + h;
    double const above = f(point);
    p[i] = kept - h;
    double const below = f(point);
    p[i] = kept;
    gradient.data_ptr<double>()[i] = (above - below) / (2 * h);
  }
  return gradient;
}

/// What f() throws; a failure if it throws nothing or something that is not an E.
template <class E, class F>
std::string message_of(F f) {
  try {
    f();
  } catch (E const& error) {
    return error.what();
  } catch (std::exception const& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "no exception";
  return {};
}

/// An ActorCritic's parameters, and what it makes of observations x, from the flat tensor and in its precision: [log_sd
/// | actor's (weight, bias) layer by layer | critic's | linear map from observations to means, if there is one].
struct PlainNetwork {
  struct Layer {
    at::Tensor weight, bias;
  };
  at::Tensor log_sd, linear;
  std::vector<Layer> actor, critic;
  NetworkShape shape;

  PlainNetwork(NetworkShape const& s, at::Tensor const& parameters) : shape(s) {
    std::int64_t at = 0;
    auto const take = [&](std::int64_t rows, std::int64_t columns) {
      at += rows * columns;
      return parameters.narrow(0, at - rows * columns, rows * columns).view({rows, columns});
    };
    auto const layers = [&](std::int64_t in, int outputs) {
      std::vector<Layer> all;
      auto widths = s.hidden;
      widths.push_back(outputs);
      for (int const out : widths) {
        auto const weight = take(out, in);
        all.push_back({weight, take(1, out).squeeze(0)});
        in = out;
      }
      return all;
    };
    log_sd = take(1, s.actions.continuous).squeeze(0);
    actor = layers(s.actor_inputs(), s.actions.parameters());
    critic = layers(s.inputs, 1);
    if (s.restoring > 0) linear = take(s.actions.continuous, s.inputs);
    EXPECT_EQ(at, parameters.numel());
  }

  static at::Tensor run(std::vector<Layer> const& layers, at::Tensor x) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      x = at::matmul(x, layers[i].weight.t()) + layers[i].bias;
      if (i + 1 < layers.size()) x = at::tanh(x);
    }
    return x;
  }
  at::Tensor distribution(at::Tensor const& x) const {
    auto const out = run(actor, x.narrow(1, 0, shape.actor_inputs()));
    if (shape.mean_limit <= 0) return out;
    auto means = out.narrow(1, 0, shape.actions.continuous);
    if (linear.defined()) means = means + at::matmul(x, linear.t());
    return at::cat(
        {shape.mean_limit * at::tanh(means), out.narrow(1, shape.actions.continuous, shape.actions.total_choices)}, 1);
  }
  at::Tensor value(at::Tensor const& x) const { return run(critic, x).squeeze(1); }
};

}  // namespace shoal::test
