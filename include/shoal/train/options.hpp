// Options of a run: length and size, validation, settling; with their defaults.
#pragma once

#include <cstdint>

#include "shoal/core/settings.hpp"

namespace shoal {

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
  int challenges = 2;
  int challengers = 3;
  int challenge_updates = 100;

  template <class Visit>
  static void fields(Visit& visit, SettlingOptions& o) {
    visit("share", o.share, Range{0, 0.9},
          "of train.stages, the last ones: the profile rests and the policies learn on; 0: none");
    visit("explore", o.explore,
          "the policies then explore as at the start, and their learning rate begins anew; they may settle elsewhere, "
          "with another fit");
    visit(
        "challenges", o.challenges, Range{0, 100},
        "times, at even distances until the calibration ends, that policies from scratch are trained against the "
        "present one; the best of them replaces it if it earns more for sure, and the learning rate begins anew. None "
        "where that would be before challenge_updates stages, nor of policies with memory");
    visit("challengers", o.challengers, Range{1, 100}, "policies from scratch of a challenge");
    visit("challenge_updates", o.challenge_updates, Range{1, 1e6}, "that train each, of 2 * train.instances");
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
