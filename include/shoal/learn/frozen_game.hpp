// Policies that no longer learn, and the environment that they act in: what validation and the equilibrium check play.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "shoal/learn/ppo.hpp"

namespace shoal {

struct FrozenGame {
  /// A simulator of `instances` instances; all are of one environment with the same parameters, on `device`.
  std::function<std::unique_ptr<Simulator>(int instances, std::uint32_t seed)> make_simulator;
  std::vector<PpoLearner> const& policies;  // pi*: one network, or one for each group of agents. Read only
  at::Tensor supertypes;                    // [profiles, supertypes, coordinates]: instance i has row i % profiles
  at::Device device;
  std::int64_t stage = 0;  // that pi* would be trained in next: deviations from pi* begin with its learning rate
};

}  // namespace shoal
