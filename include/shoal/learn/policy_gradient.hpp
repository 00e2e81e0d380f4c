// What PPO, A2C and REINFORCE share: a stochastic policy with a critic, its samples of a rollout, the gradient of a
// policy-gradient loss (ops/ppo_loss.hpp), and Adam.
#pragma once

#include "shoal/learn/learner.hpp"
#include "shoal/learn/optimizer.hpp"
#include "shoal/learn/options.hpp"
#include "shoal/learn/stochastic_actor.hpp"

namespace shoal {

class PolicyGradientLearner : public Learner {
 public:
  using Learner::begin;
  StochasticActor& actor() override { return *actor_; }
  StochasticActor const& actor() const { return *actor_; }
  void begin(std::int64_t stage, std::int64_t rate_stage) override;
  void explore_again() override;
  NamedTensors state() const override;

  /// Means over the samples; the entropy is that of the policy that acted.
  std::vector<std::string> figure_names() const override { return {"policy_loss", "value_loss", "kl", "entropy"}; }
  at::Tensor figures() const override { return figures_; }

 protected:
  PolicyGradientLearner(Schedule const& rate, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
                        at::Device device);

  /// Forgets the last update's figures, remembers the distribution that acted, and finds the samples' weights.
  /// @param counts  [T, N, A], of samples that count beside being of agents that live; undefined: all
  /// @param loss    of a mean, the weights have mean 1; of a sum, they are 0 or 1
  void begin_update(Rollout const& rollout, Loss loss, at::Tensor const& counts = {});
  /// Of the samples that `index` names, as samples_of() gives them; no clip and no penalty on KL.
  /// @param count  of the samples of all processes that the loss is a mean of
  PpoLossArgs loss_args(Rollout const& rollout, at::Tensor const& index, std::int64_t count) const;
  /// Overwrites the gradients by those of the samples of all processes.
  /// @param count  whether the minibatch enters the figures
  void differentiate(PpoLossArgs const& args, Rollout const& rollout, bool count);
  void descend(double max_grad_norm);
  /// @param batches  what the figures' sums are divided by
  void end_update(double batches);

  /// Where this learner's sequences begin, rows of the flattened rollout, i64 [sequences of the rollout * N * members].
  /// Without memory a sequence is one sample.
  at::Tensor const& starts() const { return starts_; }
  /// How many sequences all processes have.
  std::int64_t all_starts() const { return starts_.numel() * collective().size(); }
  /// This process's part of minibatch m of `minibatches`, each of all_starts() / minibatches sequences. A random order
  /// that the stage and `epoch` name is cut into them, the same for any number of processes.
  at::Tensor minibatch(int epoch, int m, int minibatches);
  /// All samples of some sequences, step by step, i64 [sequence * starts].
  at::Tensor samples_of(at::Tensor const& starts) const;
  /// All of this learner's samples: samples_of(starts()).
  at::Tensor const& samples() const { return samples_; }
  /// Makes the samples' advantages have mean 0 and standard deviation 1.
  void standardize_advantages(Rollout const& rollout) const;
  /// A view of the figure.
  at::Tensor const& mean_kl() const { return mean_kl_; }
  Collective const& collective() const { return actor_->collective(); }

 private:
  void weigh_samples(Rollout const& rollout, Loss loss, at::Tensor const& counts);
  void shuffle(int epoch);
  at::Tensor own_places(std::int64_t begins) const;
  void standardize_all(at::Tensor const& advantages) const;

  Schedule schedule_;
  std::unique_ptr<StochasticActor> actor_;
  Optimizer optimizer_;
  at::Tensor offsets_;  // [sequence, 1] i64: of a sequence's samples from its first; undefined without memory
  at::Tensor starts_, samples_;
  at::Tensor places_, order_;  // starts of all processes' sequences, -1 for those of others; shuffled
  at::Tensor stage_;           // one i32 on the device
  at::Tensor figures_;         // [4], PpoTerms
  at::Tensor mean_kl_;
  at::Tensor entropy_;     // of the policy that acted
  at::Tensor old_log_sd_;  // [continuous heads], when the rollout was drawn
  at::Tensor weights_;     // [T, N, A], of the samples; undefined: all 1
  at::Tensor moments_;     // scratch
  at::Tensor no_penalty_;  // one 0
};

/// Advantages and returns of an actor's agents from rewards, values and ended (ops/gae.hpp).
void estimate_advantages(Rollout const& rollout, Actor const& actor, double discount, double lambda);

}  // namespace shoal
