// The learners' options, with the defaults of a run. Each struct lists its fields (shoal/core/settings.hpp); the sections of a
// configuration file are made of them, and `shoal list` prints them.
#pragma once

#include <cstdint>

#include "shoal/core/settings.hpp"
#include "shoal/env/simulator.hpp"

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

/// PPO with a KL penalty whose weight adapts: KL > 2 target multiplies it by 1.5, KL < target / 2 by 0.5 (after each update).
struct PpoOptions {
  Schedule learning_rate = {3e-4, 0.6, 200};
  double discount = 0.99, gae_lambda = 0.95;
  int epochs = 4, minibatches = 8;
  double clip = 0.3;
  double kl_target = 0.01, kl_coefficient = 0.2;
  double value_weight = 0.5, entropy_weight = 0, max_grad_norm = 0.5;

  template <class Visit>
  static void fields(Visit& visit, PpoOptions& o) {
    visit("learning_rate", o.learning_rate.base, Range{0, 1}, "Adam's step size at stage 0");
    visit("rate_exponent", o.learning_rate.exponent, Range{0, 4},
          "it falls as (1 + stage / rate_scale)^-rate_exponent");
    visit("rate_scale", o.learning_rate.scale, Range{1e-3, 1e9}, "stages");
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

/// Which agents act with which network.
enum class PolicyMapKind { shared, supertype, agent };

/// Section [policy].
struct PolicyOptions {
  PolicyMapKind map = PolicyMapKind::shared;
  NetworkOptions network = {};
  double log_sd = -0.5;
  /// A calibrator fits the policies as they are: they have to be near an equilibrium of the profile while it still moves
  /// (docs/calibration.md has what slower ones do to the fit).
  PpoOptions ppo = {.learning_rate = {1e-3, 0.6, 200}, .kl_target = 0.03, .entropy_weight = 0.002};
  ObservationOptions observation = {};

  template <class Visit>
  static void fields(Visit& visit, PolicyOptions& o) {
    visit("map", o.map, Choices{"shared", "supertype", "agent"},
          "one network for all agents, for each supertype, or for each agent");
    NetworkOptions::fields(visit, o.network);
    visit("log_sd", o.log_sd, Range{-10, 5},
          "log standard deviation of continuous actions at the start, a free parameter");
    PpoOptions::fields(visit, o.ppo);
    ObservationOptions::fields(visit, o.observation);
  }
};

/// Who moves the supertype profile.
enum class CalibratorKind { es, rl, bo, random, cmaes, fixed };

/// What kind = "es" does (evolution_calibrator.hpp).
struct EvolutionOptions {
  double spread = 0.07;
  Schedule learning_rate = {0.05, 0.75, 200};

  template <class Visit>
  static void fields(Visit& visit, EvolutionOptions& o) {
    visit("spread", o.spread, Range{1e-6, 1}, "standard deviation of the particles' coordinates around their mean");
    visit(
        "learning_rate", o.learning_rate.base, Range{0, 1},
        "about the move of a coordinate of the mean in stage 0 where successive stages agree; less where they do not");
    visit("rate_exponent", o.learning_rate.exponent, Range{0, 4},
          "it falls as (1 + stage / rate_scale)^-rate_exponent");
    visit("rate_scale", o.learning_rate.scale, Range{1e-3, 1e9}, "stages");
  }
};

enum class Acquisition { expected_improvement, upper_confidence_bound };

/// What kind = "bo" does between one profile and the next (bayesian_optimization.hpp).
struct BayesianOptions {
  int initial_points = 8;
  Acquisition acquisition = Acquisition::expected_improvement;
  double beta = 2;
  double max_move = 1;

  template <class Visit>
  static void fields(Visit& visit, BayesianOptions& o) {
    visit("initial_points", o.initial_points, Range{1, 1 << 16},
          "profiles before the first model: the initial one, then scrambled Sobol points");
    visit("acquisition", o.acquisition, Choices{"ei", "ucb"}, "expected improvement, or upper confidence bound");
    visit("beta", o.beta, Range{0, 1e6}, "of ucb: posterior mean + beta standard deviations");
    visit("max_move", o.max_move, Range{1e-6, 1},
          "trust region: no coordinate moves further than this from one profile to the next; 1: no bound");
  }
};

/// What kind = "cmaes" does (cma_es.hpp).
struct CmaEsOptions {
  double step_size = 0.3;
  int population = 0;

  template <class Visit>
  static void fields(Visit& visit, CmaEsOptions& o) {
    visit("step_size", o.step_size, Range{1e-6, 10}, "standard deviation of the first generation");
    visit("population", o.population, Range{0, 1 << 16},
          "profiles of a generation; 0: 4 + 3 log(coordinates), 2 at least");
  }
};

/// Section [calibrator]. Coordinates are scaled to [0, 1] by their bounds. A kind has its own keys: fields() visits those alone.
/// The defaults of kind "rl", CALSHEQ's calibrator, reach r_cal > 0.95 in 23 dimensions within 500 stages of 64 particles, and
/// 0.92 in 119 within 1500 (tests/learn/rl_calibrator_test.cpp).
struct CalibratorOptions {
  CalibratorKind kind = CalibratorKind::es;
  std::vector<double> profile = {};
  std::string profile_file = "";

  EvolutionOptions evolution = {};

  NetworkOptions network = {.hidden = {1, {64}}};
  double increment = 0.14, increment_sd = 0.05;
  double restoring = 1.4;
  int rate_coordinates = 23;
  PpoOptions ppo = {.learning_rate = {3e-3, 0.9, 200},
                    .discount = 0,
                    .gae_lambda = 1,
                    .epochs = 10,
                    .minibatches = 1,
                    .kl_target = 0.02};

  int period = 50;
  BayesianOptions bayesian = {};
  CmaEsOptions cma_es = {};

  template <class Visit>
  static void fields(Visit& visit, CalibratorOptions& o) {
    visit("kind", o.kind, Choices{"es", "rl", "bo", "random", "cmaes", "fixed"},
          "es: an evolution strategy, particles around one mean profile; rl: the published CALSHEQ, a learner that "
          "moves a profile for each instance; bo, random, cmaes: a search from outside, one profile for all instances; "
          "fixed: no calibration");
    visit("profile", o.profile, Range{-1e30, 1e30},
          "what kind = \"fixed\" trains under, one value a coordinate in the order of `shoal list ENVIRONMENT`; empty: "
          "the "
          "initial profile. Other kinds do not use it, so that a file can carry a known solution for comparison");
    visit("profile_file", o.profile_file,
          "profile.toml of a run, in place of `profile`; relative to the configuration's folder");
    switch (o.kind) {
      case CalibratorKind::es: return EvolutionOptions::fields(visit, o.evolution);
      case CalibratorKind::rl: return rl_fields(visit, o);
      case CalibratorKind::bo: return search_fields(visit, o), BayesianOptions::fields(visit, o.bayesian);
      case CalibratorKind::random: return search_fields(visit, o);
      case CalibratorKind::cmaes: return search_fields(visit, o), CmaEsOptions::fields(visit, o.cma_es);
      case CalibratorKind::fixed: return;
    }
  }

 private:
  template <class Visit>
  static void rl_fields(Visit& visit, CalibratorOptions& o) {
    NetworkOptions::fields(visit, o.network);
    visit("increment", o.increment, Range{1e-6, 1},
          "largest mean increment of a coordinate in a stage: mean = increment * tanh");
    visit("restoring", o.restoring, Range{0, 100},
          "the first policy pulls back to the initial profile, mean = -increment * tanh(restoring * distance), so that "
          "particles do not "
          "drift before it has learned; 0: it does not");
    visit("increment_sd", o.increment_sd, Range{1e-6, 1}, "standard deviation of the increments at the start");
    visit("rate_coordinates", o.rate_coordinates, Range{1, 1 << 20},
          "Adam's step size is learning_rate up to so many coordinates; with D of them it is learning_rate * "
          "rate_coordinates / D");
    PpoOptions::fields(visit, o.ppo);
  }
  template <class Visit>
  static void search_fields(Visit& visit, CalibratorOptions& o) {
    visit("period", o.period, Range{1, 1e9},
          "stages that a profile is kept; its value is the mean r_cal of the last fifth of them");
  }
};

/// One entry of [[calibrator.target]]: metrics that should take the given values.
struct TargetOptions {
  std::vector<std::string> metrics = {};
  std::vector<double> values = {};
  double weight = 1;
  double scale = 1;

  template <class Visit>
  static void fields(Visit& visit, TargetOptions& o) {
    visit("metrics", o.metrics, "names of metrics of the environment");
    visit("values", o.values, Range{-1e30, 1e30}, "the value that each should take");
    visit("weight", o.weight, Range{0, 1e9},
          "weight of the whole entry, shared equally by its metrics; all weights are scaled to a sum of 1");
    visit("scale", o.scale, Range{1e-12, 1e30}, "a metric that misses its target by this much earns half its weight");
  }
};

/// Section [validation]: how a calibrator's answer is chosen and measured, on episodes that training never sees.
struct ValidationOptions {
  int every = 50, episodes = 512;
  int patience = 10;
  int final_episodes = 4096;

  template <class Visit>
  static void fields(Visit& visit, ValidationOptions& o) {
    visit("every", o.every, Range{1, 1e9},
          "stages from one validation to the next: the calibrator's present answer against the best one before");
    visit("episodes", o.episodes, Range{2, 1 << 24}, "episodes of each of the two; both play the same");
    visit("patience", o.patience, Range{0, 1e9},
          "calibration ends when so many validations were no better on average than as many before them; 0: it never "
          "ends early");
    visit("final_episodes", o.final_episodes, Range{2, 1 << 24},
          "episodes behind the fit that a run reports, others than those that its profile was chosen with");
  }
};

/// Section [settling]: when calibration has ended the profile rests and the policies go on learning at it.
struct SettlingOptions {
  double share = 0.2;
  bool explore = false;
  int challengers = 0;

  template <class Visit>
  static void fields(Visit& visit, SettlingOptions& o) {
    visit("share", o.share, Range{0, 0.9},
          "of train.stages, the last ones: the profile rests and the policies learn on; 0: none");
    visit("explore", o.explore,
          "the policies then explore as at the start, and their learning rate begins anew; they may settle elsewhere, "
          "with another fit");
    visit("challengers", o.challengers, Range{0, 100},
          "policies that are trained from scratch against the present ones, at even distances until the calibration "
          "ends; one that earns more for sure replaces them, and the learning rate begins anew");
  }
};

enum class DeviceChoice { automatic, cpu, cuda };

/// Section [train].
struct TrainOptions {
  std::int64_t stages = 1000;
  int instances = 64;
  int steps = 0;
  std::int64_t seed = 0;
  int threads = 0;
  DeviceChoice device = DeviceChoice::automatic;
  int checkpoint_every = 50;
  bool cuda_graphs = true;

  template <class Visit>
  static void fields(Visit& visit, TrainOptions& o) {
    visit("stages", o.stages, Range{1, 1e12}, "stages to train; a stage is a rollout and an update");
    visit("instances", o.instances, Range{1, 1 << 24}, "environment instances, and particles of a calibrator (B)");
    visit("steps", o.steps, Range{0, 1 << 20}, "environment steps of a stage; 0: the environment's longest episode");
    visit("seed", o.seed, Range{0, 4294967295.0}, "of all random numbers");
    visit("threads", o.threads, Range{0, 4096}, "CPU threads; 0: one a core");
    visit("device", o.device, Choices{"auto", "cpu", "cuda"}, "auto: cuda where there is one");
    visit("cuda_graphs", o.cuda_graphs, "on CUDA: capture a stage once and replay it; off: launch every kernel anew");
    visit("checkpoint_every", o.checkpoint_every, Range{1, 1e9}, "stages between checkpoints; the last two are kept");
  }
};

}  // namespace shoal
