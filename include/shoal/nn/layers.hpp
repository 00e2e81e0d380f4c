// What networks are made of: leaves that lie in one flat tensor of parameters, so that Adam, clipping and checkpoints
// each handle one array, and perceptrons with tanh.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace shoal {

/// Leaves of autograd side by side in one tensor.
class FlatParameters {
 public:
  FlatParameters(std::int64_t size, at::Device device);

  /// The next part, zeros: a leaf whose gradient is the same part of gradients().
  at::Tensor take(at::IntArrayRef sizes);

  at::Tensor const& values() const { return values_; }        // every leaf is a view of it
  at::Tensor const& gradients() const { return gradients_; }  // backward() adds to it

 private:
  at::Tensor values_, gradients_;
  std::int64_t taken_ = 0;
};

/// An affine map.
struct Layer {
  at::Tensor weight, bias;  // [out, in], [out]
};

/// Orthogonal weights, with gain sqrt 2 but for the last layer, and zero biases; a function of `seed` alone.
std::vector<Layer> make_layers(FlatParameters& flat, int inputs, std::vector<int> const& widths, double last_gain,
                               std::uint64_t seed);

/// Parameters of such layers.
std::int64_t layers_size(int inputs, std::vector<int> const& widths);

/// With gradient: tanh(W x + b).
at::Tensor tanh_layer(Layer const& layer, at::Tensor const& x);

}  // namespace shoal
