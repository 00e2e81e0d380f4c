// Actor and critic on the CPU in one pass: inference for the rollout, and the gradients of a PPO minibatch with
// forward, loss and backward over blocks of rows that stay in cache. LibTorch owns the parameters; its own path
// (ActorCritic and autograd) serves every network and device, and is what this one is tested against
// (tests/learn/ppo_test.cpp).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "shoal/nn/network.hpp"
#include "shoal/ops/ppo_loss.hpp"
#include "src/nn/dense.hpp"

namespace shoal {

class FusedNetwork {
 public:
  explicit FusedNetwork(NetworkShape const& shape);

  /// Takes the parameters over, if they have changed since the last call.
  void use(at::Tensor const& parameters);

  /// @param observations [rows, inputs]  @param parameters [rows, P], null: the critic alone  @param values [rows]
  void forward(float const* observations, std::int64_t rows, float* parameters, float* values);

  /// The minibatch's gradients, and its terms summed over the rows.
  /// @param args  without outputs  @param observations [samples of the rollout, inputs]  @param gradients  flat,
  ///              overwritten
  PpoTerms gradients(PpoLossArgs const& args, at::Tensor const& observations, at::Tensor const& gradients);

 private:
  struct Worker {
    DenseMlp::Workspace actor, critic;
    AlignedFloats inputs, seen;   // [block, inputs]; [block, inputs of the actor] where those are fewer
    AlignedFloats log_sd;         // [block, continuous], gradients
    std::vector<PpoTerms> terms;  // [block]
  };
  /// Sums of one part of a minibatch: [actor | critic | log sd | restoring | terms].
  struct Part {
    float *actor, *critic, *log_sd, *restoring;
    PpoTerms* terms;
  };
  float const* seen_by_actor(Worker& worker, float const* inputs, int rows) const;
  float limited_mean(float output, int head, float const* observation) const;
  void through_limit(float const* means, float* gradient, float const* observation, float* restoring) const;
  Part part(int index) const;
  void prefetch(PpoLossArgs const& args, float const* observations, std::int64_t row) const;
  void limit_means(Worker& worker, int rows) const;
  void add_loss(PpoLossArgs const& args, NormalHead const* normals, Worker& worker, Part const& part,
                std::int64_t first, int rows) const;
  void add_part(PpoLossArgs const& args, float const* observations, Worker& worker, Part const& part,
                std::int64_t begin, std::int64_t end) const;
  void fold_parts(int parts);
  void make_workers();
  template <class F>
  void both(F f);

  MlpLayouts places_;
  DenseMlp actor_, critic_;
  ActionLayout layout_;
  float mean_limit_;              // 0: none
  std::vector<float> restoring_;  // [continuous, inputs], or empty
  std::vector<Worker> workers_;   // one a thread
  AlignedFloats parts_;
  int part_capacity_ = 0;
  std::int64_t part_size_;
  std::int64_t version_ = -1;
  void const* storage_ = nullptr;
};

}  // namespace shoal
