// The work of a stage, which is the same every time: called as it is on the CPU; on CUDA captured as one graph after
// two calls and replayed from then on. What changes between stages (rates, random numbers' stage) therefore lies in
// device memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

#include "shoal/ops/parallel.hpp"

namespace shoal {

class StageGraph {
 public:
  /// @param capture  false: call the work every time  @param threads  LibTorch's, inside a scope()
  StageGraph(at::Device device, bool capture, int threads);
  StageGraph(StageGraph&&) noexcept;
  ~StageGraph();

  /// Keeps LibTorch on this graph's stream and number of threads for as long as it lives. Everything that touches the
  /// run's tensors happens inside one.
  class Scope {
   public:
    ~Scope();

   private:
    friend StageGraph;
    struct Guard;
    Scope(int threads, std::unique_ptr<Guard> guard);
    std::unique_ptr<ThreadScope> threads_;
    std::unique_ptr<Guard> guard_;
  };
  Scope scope() const;

  /// For other work on the same stream.
  std::unique_ptr<StageGraph> beside() const;

  /// A cudaStream_t; null on the CPU.
  void* stream() const;

  /// Does the work once, inside a scope(). Tensors that it keeps are overwritten by the next call.
  void run(std::function<void()> const& work);

 private:
  struct Device;
  int threads_;
  std::unique_ptr<Device> device_;  // null on the CPU
};

}  // namespace shoal
