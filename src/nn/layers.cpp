#include "shoal/nn/layers.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "shoal/nn/activation.hpp"

namespace shoal {

namespace {

at::Tensor orthogonal(std::int64_t out, std::int64_t in, double gain, at::Generator generator) {
  auto const options = at::TensorOptions().dtype(at::kDouble);
  auto const [q, r] = at::linalg_qr(at::randn({std::max(out, in), std::min(out, in)}, generator, options));
  auto const rows = q * at::sign(at::diagonal(r));  // makes the distribution uniform
  return (out >= in ? rows : rows.t()).mul(gain).to(at::kFloat);
}

}  // namespace

FlatParameters::FlatParameters(std::int64_t size, at::Device device)
    : values_(at::zeros({size}, at::TensorOptions().dtype(at::kFloat).device(device))),
      gradients_(at::zeros_like(values_)) {}

at::Tensor FlatParameters::take(at::IntArrayRef sizes) {
  auto const count = c10::multiply_integers(sizes);
  auto tensor = values_.narrow(0, taken_, count).view(sizes).detach();
  tensor.set_requires_grad(true);
  tensor.mutable_grad() = gradients_.narrow(0, taken_, count).view(sizes);
  taken_ += count;
  return tensor;
}

std::vector<Layer> make_layers(FlatParameters& flat, int inputs, std::vector<int> const& widths, double last_gain,
                               std::uint64_t seed) {
  at::NoGradGuard const no_grad;
  auto const generator = at::detail::createCPUGenerator(seed);
  std::vector<Layer> layers;
  int in = inputs;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    int const out = widths[i];
    Layer layer{flat.take({out, in}), flat.take({out})};
    layer.weight.copy_(orthogonal(out, in, i + 1 == widths.size() ? last_gain : std::sqrt(2.0), generator));
    layers.push_back(layer);
    in = out;
  }
  return layers;
}

std::int64_t layers_size(int inputs, std::vector<int> const& widths) {
  std::int64_t size = 0, in = inputs;
  for (int const width : widths) size += width * (in + 1), in = width;
  return size;
}

at::Tensor tanh_layer(Layer const& layer, at::Tensor const& x) {
  return tanh_activation(at::linear(x, layer.weight, layer.bias));
}

}  // namespace shoal
