// Options of the policies and of the algorithms, with the defaults of a run. Each struct lists its fields
// (shoal/core/settings.hpp); a configuration's sections are made of them, and `shoal list` prints them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "shoal/core/settings.hpp"
#include "shoal/env/simulator.hpp"
#include "shoal/nn/memory.hpp"

namespace shoal {

/// rate(m) = base (1 + m / scale)^-exponent, m counting stages from 0; exponent 0 is a constant rate.
/// CALSHEQ's assumption 2 holds for exponents in (1/2, 1] if the calibrator's is the larger one.
struct Schedule {
  double base, exponent, scale;
  double rate(std::int64_t stage) const;
};

/// A multi-layer perceptron with tanh; actor and critic have one each.
struct NetworkOptions {
  List<std::int32_t, 4> hidden = {2, {64, 64}};

  template <class Visit>
  static void fields(Visit& visit, NetworkOptions& o) {
    visit("hidden", o.hidden, Range{1, 4096}, "widths of the hidden layers of actor and critic, tanh");
  }
};

template <class Visit>
void visit_rate(Visit& visit, Schedule& rate) {
  visit("learning_rate", rate.base, Range{0, 1}, "Adam's step size at stage 0");
  visit("rate_exponent", rate.exponent, Range{0, 4}, "it falls as (1 + stage / rate_scale)^-rate_exponent");
  visit("rate_scale", rate.scale, Range{1e-3, 1e9}, "stages");
}

/// PPO with a KL penalty whose weight adapts: KL > 2 target multiplies it by 1.5, KL < target / 2 by 0.5 (after each
/// update).
struct PpoOptions {
  Schedule learning_rate = {3e-4, 0.6, 200};
  double discount = 0.99, gae_lambda = 0.95;
  int epochs = 4, minibatches = 8;
  double clip = 0.3;
  double kl_target = 0.01, kl_coefficient = 0.2;
  double value_weight = 0.5, entropy_weight = 0, max_grad_norm = 0.5;

  template <class Visit>
  static void fields(Visit& visit, PpoOptions& o) {
    visit_rate(visit, o.learning_rate);
    visit("discount", o.discount, Range{0, 1}, "gamma, a step");
    visit("gae_lambda", o.gae_lambda, Range{0, 1}, "lambda of the generalised advantage estimate");
    visit("epochs", o.epochs, Range{1, 1000}, "passes over the rollout in one update");
    visit("minibatches", o.minibatches, Range{1, 1 << 20},
          "equal parts of a pass; the few samples left over by the division sit it out");
    visit("clip", o.clip, Range{0, 10}, "PPO's clip of the probability ratio; 0: none");
    visit("kl_target", o.kl_target, Range{1e-9, 10}, "KL(old || new) that the penalty steers to");
    visit("kl_coefficient", o.kl_coefficient, Range{0, 1e6}, "the penalty's weight at the start; 0: no penalty");
    visit("value_weight", o.value_weight, Range{0, 1e6}, "weight of the value loss (mean squared error / 2)");
    visit("entropy_weight", o.entropy_weight, Range{-1e6, 1e6}, "weight of the entropy bonus");
    visit("max_grad_norm", o.max_grad_norm, Range{0, 1e9}, "the gradient's norm is cut to this; 0: not");
  }
};

/// A2C: one step of the gradient of the summed loss for each rollout (Mnih et al., arXiv 1602.01783).
struct A2cOptions {
  Schedule learning_rate = {7e-4, 0.6, 200};
  double discount = 0.99, gae_lambda = 1;
  double value_weight = 0.5, entropy_weight = 0.01, max_grad_norm = 40;

  template <class Visit>
  static void fields(Visit& visit, A2cOptions& o) {
    visit_rate(visit, o.learning_rate);
    visit("discount", o.discount, Range{0, 1}, "gamma, a step");
    visit("gae_lambda", o.gae_lambda, Range{0, 1}, "lambda of the generalised advantage estimate; 1: n-step returns");
    visit("value_weight", o.value_weight, Range{0, 1e6}, "weight of the value loss (squared error / 2, summed)");
    visit("entropy_weight", o.entropy_weight, Range{-1e6, 1e6}, "weight of the entropy bonus");
    visit("max_grad_norm", o.max_grad_norm, Range{0, 1e9}, "the gradient's norm is cut to this; 0: not");
  }
};

/// How a policy-gradient loss combines its samples.
enum class Loss { mean, sum };

enum class ReinforceBaseline { none, batch, agents };
enum class ReinforceUpdate { joint, sequential };

/// REINFORCE: the gradient of whole episodes' returns, without a critic (Williams, 1992).
struct ReinforceOptions {
  Schedule learning_rate = {1e-3, 0, 200};
  double discount = 0.99;
  ReinforceBaseline baseline = ReinforceBaseline::batch;
  Loss loss = Loss::mean;
  ReinforceUpdate update = ReinforceUpdate::joint;
  double entropy_weight = 0.01, max_grad_norm = 10;

  template <class Visit>
  static void fields(Visit& visit, ReinforceOptions& o) {
    visit_rate(visit, o.learning_rate);
    visit("discount", o.discount, Range{0, 1}, "gamma, a step");
    visit("baseline", o.baseline, Choices{"none", "batch", "agents"},
          "what is subtracted from a return: nothing, the mean return of the same step over the batch, or over the "
          "instance's agents");
    visit("loss", o.loss, Choices{"mean", "sum"}, "over the steps of whole episodes");
    visit("update", o.update, Choices{"joint", "sequential"},
          "one step of the optimizer for all agents of a policy, or one for each of them in turn");
    visit("entropy_weight", o.entropy_weight, Range{-1e6, 1e6}, "weight of the entropy bonus");
    visit("max_grad_norm", o.max_grad_norm, Range{0, 1e9}, "the gradient's norm is cut to this; 0: not");
  }
};

/// Deep Q-learning from a replay memory (Mnih et al., 2015), double (arXiv 1509.06461), dueling (1511.06581),
/// prioritized (1511.05952), with n-step returns.
struct DqnOptions {
  Schedule learning_rate = {5e-4, 0, 200};
  double discount = 0.99;
  std::int64_t replay = 100000, batch = 512, learning_starts = 1000;
  int updates = 1, target_every = 1, n_step = 1;
  bool double_q = true, dueling = true, prioritized = true;
  double alpha = 0.6, beta = 0.4;
  double epsilon_start = 1, epsilon_end = 0.02, exploration_stages = 100;
  double max_grad_norm = 40;

  double epsilon(std::int64_t stage) const;

  template <class Visit>
  static void fields(Visit& visit, DqnOptions& o) {
    visit_rate(visit, o.learning_rate);
    visit("discount", o.discount, Range{0, 1}, "gamma, a step");
    visit("replay", o.replay, Range{1, 1e9}, "samples that the replay memory holds, at least those of a stage");
    visit("batch", o.batch, Range{1, 1e9}, "samples of an update, at most replay");
    visit("learning_starts", o.learning_starts, Range{1, 1e9}, "samples in the replay memory before the first update");
    visit("updates", o.updates, Range{1, 1 << 20}, "gradient steps of a stage");
    visit("target_every", o.target_every, Range{1, 1 << 30}, "updates between copies to the target network");
    visit("n_step", o.n_step, Range{1, 1 << 20}, "rewards of a return before it bootstraps");
    visit("double_q", o.double_q, "the online network chooses the action that the target network values");
    visit("dueling", o.dueling, "Q = V + A - mean A, with a network each for V and A; off: Q = A");
    visit("prioritized", o.prioritized, "samples are drawn by their errors; off: uniformly");
    visit("alpha", o.alpha, Range{0, 10}, "exponent of the priorities");
    visit("beta", o.beta, Range{0, 10}, "exponent of the importance weights");
    visit("epsilon_start", o.epsilon_start, Range{0, 1}, "probability of a uniform action at stage 0");
    visit("epsilon_end", o.epsilon_end, Range{0, 1}, "the same at the end");
    visit("exploration_stages", o.exploration_stages, Range{0, 1e9}, "stages over which it falls, linearly");
    visit("max_grad_norm", o.max_grad_norm, Range{0, 1e9}, "the gradient's norm is cut to this; 0: not");
  }
};

/// How policies learn, or act without learning. algorithms.hpp makes them.
enum class Algorithm { ppo, a2c, reinforce, dqn, uniform, heuristic, frozen };

/// Whether agents learn with it.
constexpr bool learns(Algorithm algorithm) { return algorithm < Algorithm::uniform; }
/// Whether agents act without parameters, by a rule.
constexpr bool is_scripted(Algorithm algorithm) {
  return algorithm == Algorithm::uniform || algorithm == Algorithm::heuristic;
}

/// Which agents act with which network.
enum class PolicyMapKind { shared, supertype, agent, group };

struct FrozenRun;

/// Section [policy], or a section [policy.NAME].
struct PolicyOptions {
  Algorithm algorithm = Algorithm::ppo;
  PolicyMapKind map = PolicyMapKind::shared;
  NetworkOptions network = {};
  MemoryKind memory = MemoryKind::none;
  int memory_size = 64, sequence = 0;
  double log_sd = -0.5;
  /// A calibrator fits the policies as they are: they have to be near an equilibrium of the profile while it still
  /// moves (docs/calibration.md has what slower ones do to the fit).
  PpoOptions ppo = {.learning_rate = {1e-3, 0.6, 200}, .kl_target = 0.03, .entropy_weight = 0.002};
  A2cOptions a2c = {};
  ReinforceOptions reinforce = {};
  DqnOptions dqn = {};
  std::string run = {};                              // of frozen policies
  std::shared_ptr<FrozenRun const> frozen_run = {};  // what `run` names, once it was read
  ObservationOptions observation = {};

  /// gamma of the chosen algorithm.
  double discount() const {
    switch (algorithm) {
      case Algorithm::ppo: return ppo.discount;
      case Algorithm::a2c: return a2c.discount;
      case Algorithm::reinforce: return reinforce.discount;
      case Algorithm::dqn: return dqn.discount;
      case Algorithm::uniform:
      case Algorithm::heuristic:
      case Algorithm::frozen: break;
    }
    return 1;
  }

  template <class Visit>
  static void fields(Visit& visit, PolicyOptions& o) {
    visit("algorithm", o.algorithm, Choices{"ppo", "a2c", "reinforce", "dqn", "uniform", "heuristic", "frozen"},
          "how the policies learn; \"uniform\": not, agents choose uniformly among legal actions; \"heuristic\": not, "
          "by the environment's own rule; \"frozen\": not, as another run's policies act");
    visit("map", o.map, Choices{"shared", "supertype", "agent", "group"},
          "one network for all agents, for each supertype, for each agent, or for each group of agents with spaces of "
          "their own; without `pad_groups` groups share none");
    if (o.algorithm == Algorithm::frozen)
      visit(
          "run", o.run,
          "the folder of a run, relative to the configuration; its last checkpoint's policies act, each for the agents "
          "that it was trained for");
    if (learns(o.algorithm)) network_fields(visit, o);
    switch (o.algorithm) {
      case Algorithm::ppo: PpoOptions::fields(visit, o.ppo); break;
      case Algorithm::a2c: A2cOptions::fields(visit, o.a2c); break;
      case Algorithm::reinforce: ReinforceOptions::fields(visit, o.reinforce); break;
      case Algorithm::dqn: DqnOptions::fields(visit, o.dqn); break;
      case Algorithm::uniform:
      case Algorithm::heuristic:
      case Algorithm::frozen: break;
    }
    ObservationOptions::fields(visit, o.observation);
  }

 private:
  template <class Visit>
  static void network_fields(Visit& visit, PolicyOptions& o) {
    NetworkOptions::fields(visit, o.network);
    if (o.algorithm != Algorithm::dqn) {
      visit(
          "memory", o.memory, Choices{"none", "lstm", "gru"},
          "a recurrent cell behind the hidden layers, which actor and critic then share; each agent has a state of its "
          "own");
      visit("memory_size", o.memory_size, Range{1, 4096}, "width of the cell");
    }
    if (o.algorithm == Algorithm::ppo)
      visit("sequence", o.sequence, Range{0, 1 << 20},
            "with a memory: steps of an agent that a minibatch keeps together and gradients go back through, a "
            "divisor of the stage's steps; 0: all of them");
    visit("log_sd", o.log_sd, Range{-10, 5},
          "log standard deviation of continuous actions at the start, a free parameter");
  }
};

}  // namespace shoal
