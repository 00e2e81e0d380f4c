// Options of the calibrators and their targets, with the defaults of a run.
#pragma once

#include <string>
#include <vector>

#include "shoal/learn/options.hpp"

namespace shoal {

/// Who moves the supertype profile.
enum class CalibratorKind { es, rl, bo, random, cmaes, fixed };

/// What kind = "es" does (evolution_calibrator.hpp).
struct EvolutionOptions {
  double spread = 0.07;
  Schedule learning_rate = {0.05, 0.75, 200};
  double cooldown = 0.6;

  template <class Visit>
  static void fields(Visit& visit, EvolutionOptions& o) {
    visit("spread", o.spread, Range{1e-6, 1}, "standard deviation of the particles' coordinates around their mean");
    visit(
        "learning_rate", o.learning_rate.base, Range{0, 1},
        "about the move of a coordinate of the mean in stage 0 where successive stages agree; less where they do not");
    visit("rate_exponent", o.learning_rate.exponent, Range{0, 4},
          "it falls as (1 + stage / rate_scale)^-rate_exponent");
    visit("rate_scale", o.learning_rate.scale, Range{1e-3, 1e9}, "stages");
    visit("cooldown", o.cooldown, Range{0, 1},
          "share of the calibration at its end in which the learning rate falls to 0 and the spread to a tenth, "
          "linearly: the profile comes to rest while it still follows the policies; 0: none");
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

/// Section [calibrator]. Coordinates are scaled to [0, 1] by their bounds. A kind has its own keys: fields() visits
/// those alone. The defaults of kind "rl", CALSHEQ's calibrator, reach r_cal > 0.95 in 23 dimensions within 500 stages
/// of 64 particles, and 0.92 in 119 within 1500 (tests/calibrate/rl_calibrator_test.cpp).
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

}  // namespace shoal
