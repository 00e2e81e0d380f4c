// An actor that stays as it is, among those that learn: it acts in the rollouts that others learn from.
#pragma once

#include "shoal/learn/learner.hpp"

namespace shoal {

class FixedLearner final : public Learner {
 public:
  explicit FixedLearner(std::unique_ptr<Actor> actor) : actor_(std::move(actor)) {}

  using Learner::begin;
  Actor& actor() override { return *actor_; }
  bool learns() const override { return false; }
  void begin(std::int64_t stage, std::int64_t /*rate_stage*/) override { actor_->begin(stage); }
  void update(Rollout const& /*rollout*/) override {}
  std::vector<std::string> figure_names() const override { return {}; }
  at::Tensor figures() const override;
  void explore_again() override {}
  NamedTensors state() const override;

 private:
  std::unique_ptr<Actor> actor_;
};

}  // namespace shoal
