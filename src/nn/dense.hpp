// Small multi-layer perceptrons on the CPU: forward and backward over blocks of rows that stay in cache, because
// LibTorch's operators cost more than their arithmetic at these sizes. Reference: ActorCritic's LibTorch path
// (tests/nn/dense_test.cpp).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace shoal {

/// Zeroed floats that start at a cache line.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::int64_t count);
  float* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float[], Free> memory_;
};

/// A perceptron with tanh after each hidden layer. Its parameters, as LibTorch keeps them, are for each layer weight
/// [out, in] and bias [out]; its gradients are summed in a layout of their own, so that several threads can each fill
/// one.
class DenseMlp {
 public:
  /// Most rows of a forward and backward pass.
  static constexpr int block = 128;

  /// @param widths  inputs, hidden layers, outputs
  explicit DenseMlp(std::vector<int> const& widths);

  /// Activations of one block and the gradients with respect to them. One a thread.
  class Workspace {
   public:
    float* output() const { return activations.back(); }         // [rows, output_stride()]
    float* output_gradient() const { return gradients.back(); }  // [rows, output_stride()], for the caller to fill

   private:
    friend DenseMlp;
    AlignedFloats memory;
    std::vector<float*> activations, gradients;  // of each layer's outputs
  };
  Workspace workspace() const;

  std::int64_t parameters() const { return parameters_; }
  std::int64_t gradient_sums() const { return sums_; }
  int inputs() const { return layers_.front().in; }
  int outputs() const { return layers_.back().out; }
  int output_stride() const { return layers_.back().out_stride; }

  /// Takes a copy of the parameters, laid out for the kernels.
  void pack(float const* parameters);

  /// w.output() = the perceptron of x [rows, inputs()].
  void forward(Workspace& w, float const* x, int rows) const;

  /// Adds the gradient of sum(output * w.output_gradient()) to `sums` [gradient_sums()], for the x of the last
  /// forward().
  void backward(Workspace& w, float const* x, int rows, float* sums) const;

  /// Writes sums [gradient_sums()] in the layout of the parameters.
  void unpack(float const* sums, float* gradients) const;

 private:
  struct Layer {
    int in, out, in_stride, out_stride;  // strides: widths rounded up to whole vectors
    bool transposed_sums;                // [out, in_stride] instead of [in, out_stride]: less of it is padding
    // Where the layer begins: in the parameters, in the sums, in packed_.
    std::int64_t parameters = 0, sums = 0, bias_sums = 0;
    std::int64_t forward = 0, bias = 0, backward = 0;  // [in, out_stride], [out_stride], [out, in_stride]
  };
  std::vector<Layer> layers_;
  std::int64_t parameters_ = 0, sums_ = 0;
  AlignedFloats packed_;
};

}  // namespace shoal
