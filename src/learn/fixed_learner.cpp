#include "shoal/learn/fixed_learner.hpp"

#include <ATen/ATen.h>

namespace shoal {

at::Tensor FixedLearner::figures() const { return at::empty({0}, actor_->parameters().options().requires_grad(false)); }

NamedTensors FixedLearner::state() const {
  NamedTensors all{{"parameters", actor_->parameters()}};
  if (auto const memory = actor_->memory(); memory.defined()) all.push_back({"memory", memory, 0});
  return all;
}

}  // namespace shoal
