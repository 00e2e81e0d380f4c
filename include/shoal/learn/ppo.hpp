// Proximal policy optimisation with an adaptive KL penalty (Schulman et al., arXiv 1707.06347, sections 3 and 4): one learner owns
// one network and trains it on its agents' samples of a rollout. The shared policy and the calibrator are both learners.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "shoal/learn/network.hpp"
#include "shoal/learn/options.hpp"
#include "shoal/learn/ppo_loss.hpp"
#include "shoal/learn/rollout.hpp"

namespace shoal {

class FusedNetwork;

/// What one update did: a device tensor [4] with means over the last epoch, so that nothing waits for the device.
struct UpdateStats {
  enum { policy_loss, value_loss, kl, entropy, count };
  at::Tensor values;
};

class PpoLearner {
 public:
  struct Config {
    PpoOptions options;
    std::vector<int> agents;  // which agents of the rollout act with this network
    Purpose purpose = Purpose::action;
    std::uint32_t seed = 0;
    std::uint32_t stream = 0;  // tells learners of one run apart
    int common = 1;            // consecutive instances whose actions are drawn with the same random numbers
    bool fused = true;         // own kernels where they fit; false: LibTorch's operators
  };

  PpoLearner(Config config, NetworkShape network, RolloutShape const& rollout, at::Device device);
  PpoLearner(PpoLearner&&) noexcept;
  ~PpoLearner();

  /// Says which stage acts and updates belong to: their random numbers, and the learning rate. Waits for nothing.
  void begin(std::int64_t stage) { begin(stage, stage); }
  /// @param rate_stage  of the learning rate alone
  void begin(std::int64_t stage, std::int64_t rate_stage);

  /// Explores as at the start, with what it has learned since: the log standard deviations of continuous actions go back to
  /// their first value, and Adam starts anew.
  void explore_again();

  /// Acts with these parameters from now on, and learns on from them: Adam starts anew.
  void take(at::Tensor const& parameters);

  /// Config::common from now on.
  void set_common(int common) { config_.common = common; }

  /// Fills slot t: values, distribution parameters, actions, log-probabilities, entropies.
  void act(Rollout const& rollout, int t);

  /// Fills the values of slot T and of the final observations.
  void evaluate_end(Rollout const& rollout);

  /// One update from the rollout's advantages and returns (estimate_advantages). Standardises this learner's advantages in place.
  UpdateStats update(Rollout const& rollout);

  ActorCritic const& network() const { return network_; }
  PpoOptions const& options() const { return config_.options; }
  std::vector<int> const& agents() const { return config_.agents; }
  at::Tensor const& kl_coefficient() const { return kl_coefficient_; }

  /// Everything that an update changes, for checkpoints: parameters, Adam's two moments and step, KL coefficient.
  std::vector<at::Tensor> state() const;

 private:
  /// Where LibTorch's path keeps a minibatch's observations, and the gradients and terms of its loss.
  struct Minibatch {
    at::Tensor observations, d_parameters, d_values, d_log_sd, terms;
  };
  at::Tensor infer_slot(Rollout const& rollout, int t);
  at::Tensor own_rows(at::Tensor const& slot) const;
  void infer(at::Tensor const& observations, at::Tensor const& parameters, at::Tensor const& values);
  void standardize_advantages(Rollout const& rollout) const;
  at::Tensor const& order_of(int epoch);
  PpoLossArgs loss_args(Rollout const& rollout, at::Tensor const& index) const;
  void differentiate(PpoLossArgs args, Rollout const& rollout, bool count);
  void differentiate_with_autograd(PpoLossArgs args, Rollout const& rollout, bool count);
  void descend();
  void adapt_kl_coefficient();

  Config config_;
  bool alone_;  // this learner's agents are all agents
  ActorCritic network_;
  at::Tensor agents_;           // [members] i32 on the device
  at::Tensor samples_, order_;  // [T * N * members] i64: this learner's rows of the flattened rollout; shuffled
  at::Tensor stage_, rate_;     // one value each, on the device
  at::Tensor stats_;            // [UpdateStats::count]
  at::Tensor old_log_sd_;       // [continuous heads], when the rollout was drawn
  at::Tensor moments_, norms_;  // scratch of standardize and adam
  at::Tensor mean_, variance_, adam_step_, kl_coefficient_;
  std::unique_ptr<FusedNetwork> fused_;  // null: LibTorch's path
  Minibatch minibatch_;                  // of LibTorch's path
};

/// Advantages and returns of all agents from rewards, values and ended (gae.hpp).
void estimate_advantages(Rollout const& rollout, double discount, double lambda);

}  // namespace shoal
