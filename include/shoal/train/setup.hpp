// The parts of a run, made from its configuration.
#pragma once

#include <c10/core/Device.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shoal/calibrate/options.hpp"
#include "shoal/env/simulator.hpp"
#include "shoal/learn/learner.hpp"
#include "shoal/learn/options.hpp"
#include "shoal/train/options.hpp"

namespace shoal {

struct TrainerConfig {
  std::string environment;
  Settings env = {};
  PolicyOptions policy = {};
  std::optional<CalibratorOptions> calibrator = {};
  std::vector<TargetOptions> targets = {};
  /// With a calibrator: how its answer is validated, and how the policies settle at it. Empty: neither.
  std::optional<ValidationOptions> validation = {};
  SettlingOptions settling = {};
  TrainOptions train = {};
  /// For measurements: each phase ends with a device synchronization, so that its time is measured. Disables CUDA graphs.
  bool wait_for_phases = false;
};

/// What a configuration's choices stand for on this machine.
/// @throws SettingError about train.device if it lacks that one
at::Device choose_device(DeviceChoice choice);
int choose_threads(int threads);

/// The simulator of a run: on the learners' threads (parallel.hpp), or on a cudaStream_t; null is LibTorch's default.
/// @param common  SimulatorOptions::common
std::unique_ptr<Simulator> make_simulator(TrainerConfig const& config, at::Device device, void* stream, int common = 1);

/// The environment steps of a stage.
/// @throws SettingError about train.steps if a calibrator needs longer stages
int steps_of_stage(TrainerConfig const& config, Spec const& spec);

/// The evolution strategy compares the two particles of a pair on the same random numbers: SimulatorOptions::common.
int common_instances(TrainerConfig const& config);

/// Agents that share a policy, by their numbers in their group.
struct PolicyMembers {
  int group = 0;
  std::vector<int> agents = {};
};

/// @throws SettingError about policy.map if it makes agents of several groups share one
std::vector<PolicyMembers> policy_members(PolicyMapKind map, Spec const& spec);

/// One learner for each of them.
/// @param rollouts  of the groups  @throws SettingError about a key of [policy] that does not fit them
std::vector<std::unique_ptr<Learner>> make_learners(TrainerConfig const& config, Spec const& spec,
                                                    std::vector<Rollout> const& rollouts, at::Device device);

/// @param count  of what minibatches are made of: samples, or sequences
/// @throws SettingError about SECTION.minibatches if there are more of them
void check_minibatches(char const* section, PpoOptions const& options, std::int64_t count,
                       char const* what = "samples");

}  // namespace shoal
