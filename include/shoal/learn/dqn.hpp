// Deep Q-learning from a replay memory: one network of action values for all agents of a learner, for one discrete
// head.
#pragma once

#include "shoal/data/replay.hpp"
#include "shoal/learn/learner.hpp"
#include "shoal/learn/optimizer.hpp"
#include "shoal/learn/options.hpp"
#include "shoal/learn/q_actor.hpp"

namespace shoal {

class DqnLearner final : public Learner {
 public:
  /// @throws SettingError for actions that are not one discrete head, a batch or a stage larger than the replay memory
  DqnLearner(DqnOptions const& options, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
             at::Device device);

  using Learner::begin;
  QActor& actor() override { return actor_; }
  QActor const& actor() const { return actor_; }
  void begin(std::int64_t stage, std::int64_t rate_stage) override;

  /// Inserts the samples of agents that live, then takes gradient steps on batches of the memory.
  void update(Rollout const& rollout) override;

  std::vector<std::string> figure_names() const override { return {"loss", "q", "epsilon", "replay"}; }
  at::Tensor figures() const override { return figures_; }
  void explore_again() override { optimizer_.reset(); }
  NamedTensors state() const override;

 private:
  void insert(Rollout const& rollout);
  at::Tensor mask(int field) const;
  at::Tensor targets() const;
  void step();

  DqnOptions options_;
  QActor actor_, target_;
  Optimizer optimizer_;
  ReplayRing ring_;
  ReplayRing::Batch batch_;
  at::Tensor samples_;  // [T * N * members] i64: this learner's rows of the flattened rollout
  at::Tensor updates_;  // one i64 on the host: gradient steps so far
  at::Tensor figures_;  // [4]
  double epsilon_ = 1;
};

}  // namespace shoal
