// Policies that no longer learn, and the environment that they act in: what validation and the equilibrium check play.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "shoal/env/simulator.hpp"
#include "shoal/learn/actor.hpp"
#include "shoal/learn/options.hpp"

namespace shoal {

struct FrozenGame {
  /// A simulator of this process's share of `instances` instances, which `collective` divides; all are of one
  /// environment with the same parameters, on `device`.
  std::function<std::unique_ptr<Simulator>(int instances, std::uint32_t seed, Collective const& collective)>
      make_simulator;
  /// pi*: one actor, or one for each group of agents. They must outlive the game.
  std::vector<Actor const*> policies;
  /// [profiles, supertypes, coordinates]: instance i has row i % profiles.
  at::Tensor supertypes;
  at::Device device;
  /// How deviations from each policy learn; its discount values its agents' returns. Nothing: nobody deviates from that
  /// policy, a given opponent of the others.
  std::vector<std::optional<PpoOptions>> deviations = {};
  /// The stage that pi* would be trained in next: deviations from pi* begin with its learning rate.
  std::int64_t stage = 0;
};

}  // namespace shoal
