// What learns: an actor, and how it is updated from a rollout. Which algorithms there are: algorithms.hpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "shoal/data/named_tensors.hpp"
#include "shoal/learn/actor.hpp"

namespace shoal {

class Learner {
 public:
  virtual ~Learner() = default;

  virtual Actor& actor() = 0;
  Actor const& actor() const { return const_cast<Learner*>(this)->actor(); }

  /// false: its actor stays as it is, a given opponent of those who learn.
  virtual bool learns() const { return true; }

  /// Names the stage of the acts and updates that follow, for their random numbers, and the stage that the learning
  /// rate belongs to. Waits for nothing.
  virtual void begin(std::int64_t stage, std::int64_t rate_stage) = 0;
  void begin(std::int64_t stage) { begin(stage, stage); }

  /// One update from a rollout that its actor has acted in.
  virtual void update(Rollout const& rollout) = 0;

  /// What the last update showed: names, and their values on the device, f32 [names].
  virtual std::vector<std::string> figure_names() const = 0;
  virtual at::Tensor figures() const = 0;

  /// Explores as at the start, with what it has learned since. The optimizer starts anew.
  virtual void explore_again() = 0;

  /// Acts with these parameters from now on, and learns on from them. The optimizer starts anew.
  void take(at::Tensor const& parameters);

  /// Everything that an update changes, for checkpoints.
  virtual NamedTensors state() const = 0;
};

}  // namespace shoal
