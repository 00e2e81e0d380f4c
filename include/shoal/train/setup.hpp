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

/// Section [policy.NAME]: a policy of some agents' own.
struct PolicySection {
  std::string name;  // a supertype's, a group's, or "agent_K", K counting agents from 0
  PolicyOptions options;
};

/// A configuration file, section by section.
struct TrainerConfig {
  std::string environment;
  Settings env = {};
  PolicyOptions policy = {};
  std::vector<PolicySection> sections = {};  // for agents that do not follow `policy`
  std::optional<CalibratorOptions> calibrator = {};
  std::vector<TargetOptions> targets = {};
  /// With a calibrator: how its answer is validated, and how the policies settle at it. Empty: neither.
  std::optional<ValidationOptions> validation = {};
  SettlingOptions settling = {};
  TrainOptions train = {};
  /// For measurements: each phase ends with a device synchronization, so that its time is measured. Disables CUDA
  /// graphs.
  bool wait_for_phases = false;
  /// The processes that train the run together; each has an equal share of train.instances.
  Collective collective = {};
};

/// This process's share of train.instances.
int own_instances(TrainerConfig const& config);

/// @throws SettingError about train.instances if the processes' shares are not equal, or split the pairs of an evolution
///         strategy
void check_shares(TrainerConfig const& config);

/// What a configuration's choices stand for on this machine.
/// @throws SettingError about train.device if it lacks that one
at::Device choose_device(DeviceChoice choice);
int choose_threads(int threads);

/// shoal::make_simulator() for what [policy] says of observations.
/// @throws SettingError about policy.KEY for one that does not fit the environment
std::unique_ptr<Simulator> make_observed_simulator(std::string const& environment, Settings const& env,
                                                   SimulatorOptions const& options);

/// The simulator of this process's instances: on the learners' threads (parallel.hpp), or on a cudaStream_t; null is LibTorch's default.
/// @param common  SimulatorOptions::common
std::unique_ptr<Simulator> make_simulator(TrainerConfig const& config, at::Device device, void* stream, int common = 1);

/// The environment steps of a stage.
/// @throws SettingError about train.steps if a calibrator needs longer stages
int steps_of_stage(TrainerConfig const& config, Spec const& spec);

/// The last stages of a calibrated run, in which the policies settle at the chosen profile.
std::int64_t settling_stages(TrainerConfig const& config);

/// Stages from one challenge of the policies to the next; 0: there are none.
std::int64_t challenge_distance(TrainerConfig const& config);

/// The evolution strategy compares the two particles of a pair on the same random numbers: SimulatorOptions::common.
int common_instances(TrainerConfig const& config);

/// Agents that share a policy.
struct PolicyMembers {
  /// Of what belongs to it in figures and checkpoints: "policy.0", or "policy.NAME" where there are sections.
  std::string name;
  std::string section;           // where its keys stand: "policy", or "policy.NAME"
  PolicyOptions const* options;  // of the configuration
  int group;                     // with spaces of its own, whose members they are
  std::vector<int> agents;       // their numbers in the group
};

/// In the order of the agents, with map = "supertype" in that of the supertypes. A section's agents share one policy;
/// an agent's section comes before its supertype's, and that before its group's. Agents without a section follow
/// [policy] and its map.
/// @throws SettingError about policy.NAME for a name that is none of the environment's, or a section without agents;
///         about
///         policy.map or policy.NAME if agents of several groups would share a policy
std::vector<PolicyMembers> policies_of(TrainerConfig const& config, Spec const& spec);

/// One learner for each of them, in their order.
/// @param rollouts  of the groups  @throws SettingError about a key of a section that does not fit them
std::vector<std::unique_ptr<Learner>> make_learners(TrainerConfig const& config, Spec const& spec,
                                                    std::vector<Rollout> const& rollouts, at::Device device);

/// @param count  of what minibatches are made of: samples, or sequences
/// @throws SettingError about SECTION.minibatches if there are more of them
void check_minibatches(char const* section, PpoOptions const& options, std::int64_t count,
                       char const* what = "samples");

}  // namespace shoal
