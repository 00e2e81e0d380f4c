#include "shoal/learn/learner.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace shoal {

void Learner::take(at::Tensor const& parameters) {
  explore_again();
  at::NoGradGuard const no_grad;
  actor().parameters().copy_(parameters);
}

}  // namespace shoal
