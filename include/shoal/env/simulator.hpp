// A batch of instances of one environment behind one type: what trainers use. Made by make_simulator from a name and
// settings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shoal/core/settings.hpp"
#include "shoal/core/view.hpp"
#include "shoal/env/groups.hpp"
#include "shoal/env/spec.hpp"

namespace shoal {

struct Drawing;

/// Where instances and arrays lie.
enum class Device { cpu, cuda };

/// Which one-hot an observation ends with.
enum class Indication { none, agent, group };

/// What an agent observes: [own observation | type | indication | padding], and behind it, in the same row, what its
/// critic alone is to see: [global state]. The groups of an environment keep spaces of
/// their own unless `pad_groups` makes one of them: then own observation and type are padded to the widest, the heads
/// of actions are as many as a group has at most, each with the most choices, and masks forbid what a group lacks. An
/// environment ignores continuous actions that its group lacks.
struct ObservationOptions {
  bool type = true;
  Indication indication = Indication::none;
  int width = 0;  // pad with zeros to this width; 0: no padding
  bool pad_groups = false;
  bool central_critic = false;

  template <class Visit>
  static void fields(Visit& visit, ObservationOptions& o) {
    visit("type", o.type, "append the agent's type to its observation");
    visit("indication", o.indication, Choices{"none", "agent", "group"},
          "append a one-hot of the agent's number, or of its group's");
    visit("width", o.width, Range{0, 1 << 16}, "pad observations with zeros to this width; 0: none");
    visit("pad_groups", o.pad_groups,
          "groups of agents with different spaces are padded to one, with masks, so that they can share a policy");
    visit("central_critic", o.central_critic,
          "critics see the environment's global state beside their agent's observation; policies do not");
  }
};

/// Runs job(0), ..., job(shares - 1), at once if it can, and returns when all have finished.
using Executor = std::function<void(int shares, std::function<void(int share)> const& job)>;

/// What a simulator is made with, beside the environment and its parameters.
struct SimulatorOptions {
  int instances = 1;  // at least 1
  std::uint32_t seed = 0;
  /// The number of the first instance, for its random numbers: processes that share a seed and the work give each a
  /// range of its own, and together simulate what one with all instances would.
  std::uint32_t first_instance = 0;
  /// Common random numbers: so many consecutive instances draw the same numbers, so that they differ by their
  /// supertypes and actions alone. 1: every instance draws its own.
  int common = 1;
  /// How many episodes of an instance count for its metrics between two clear_metrics(); 0: all. Of the episodes that
  /// end within a given time, short ones are too many: who wants a mean over episodes takes the first of each instance.
  int recorded_episodes = 0;
  int threads = 1;  // CPU: at least 1, the calling one included
  Device device = Device::cpu;
  std::string team = "serial";  // CPU; "scrambled:W" visits indices as W lanes might, for tests
  ObservationOptions observation = {};
  /// CPU: a trainer's own threads, so that its pool and the simulator's do not fight for the cores; empty: `threads` of
  /// our own.
  Executor executor = {};
};

/// The joint actions of all instances. Memory of the simulator's device, with any strides.
struct StepInput {
  View<float const, 3> continuous = {};       // [instances, agents, spec.continuous]; empty where there are none
  View<std::int32_t const, 3> discrete = {};  // [instances, agents, spec.discrete]; likewise
};

/// Where a step writes of a group: slots of a rollout, or any memory of the simulator's device. `masks`, `alive` and
/// `final_observations` may be empty. Any strides, but rows of observations are contiguous. An agent that does not live
/// has rows of observations (final ones too) that are 0 throughout, masks of 1 and a reward of 0.
///
/// `ended` has the bits of Ended. Where the episode ended, every row has the episode's; an agent that is dead by then
/// has terminated too, so that who has truncated alone has a final observation to bootstrap from. Where it goes on, an
/// agent that died in this step has terminated, all others have 0. So the episode of an instance has ended if all its
/// rows are set.
struct StepOutput {
  View<float, 3> observations = {};  // [instances, agents, observation_width()]: after the step, and after a reset
  View<std::uint8_t, 3> masks = {};  // [instances, agents, Group::choices()], 1 = legal
  View<std::uint8_t, 2> alive = {};  // [instances, agents], 1: acts in the next step. All 1 without spec.may_die
  View<float, 2> rewards = {};       // [instances, agents]; written by step() only, as is what follows
  View<std::uint8_t, 2> ended = {};  // [instances, agents]
  View<float, 3> final_observations = {};  // like observations: before the reset, written only where an episode ended
};

/// Episode metrics, summed over the episodes that ended since clear_metrics(). Memory of the simulator's device.
struct EpisodeMetrics {
  View<float, 2> sums;             // [instances, metric_names().size()]
  View<std::int32_t, 1> episodes;  // [instances]
};

/// Inputs and outputs come one for each group of spec(). Not safe to use from two threads at once. On CUDA all work is
/// asynchronous on the stream given to set_stream().
class Simulator {
 public:
  virtual ~Simulator() = default;

  /// With ObservationOptions::pad_groups it has one group.
  Spec const& spec() const { return spec_; }
  SimulatorOptions const& options() const { return options_; }
  /// The width of the group's rows of observations, the global state included.
  int observation_width(int group = 0) const;
  /// How many of a row's last columns hold the global state; 0 without options().observation.central_critic.
  int state_width() const { return options_.observation.central_critic ? spec_.state : 0; }
  /// spec().metrics, then NAME.return for each supertype (mean undiscounted return of its agents), then episode_length.
  std::vector<std::string> const& metric_names() const { return metric_names_; }

  /// Starts a new episode in every instance. Only observations, masks and `alive` of `out` are used.
  virtual void reset(GroupSpan<StepOutput> out) = 0;

  /// Writes observations, masks and `alive` of the present state, e.g. into the first slot of the next rollout.
  virtual void observe(GroupSpan<StepOutput> out) = 0;

  /// One step of every instance. An instance whose episode ends is reset at once.
  /// @throws InputError naming a view whose shape does not fit; on the CPU also an action that is not finite or not a
  ///         choice of its head, before anything has changed; actions of the dead are checked too. On CUDA environments
  ///         limit such actions.
  virtual void step(GroupSpan<StepInput> in, GroupSpan<StepOutput> out) = 0;

  /// [instances, supertypes, coordinates], padded to the longest supertype. Write here to calibrate: a reset reads it.
  virtual View<float, 3> supertypes() = 0;

  virtual EpisodeMetrics metrics() = 0;
  /// Sets sums and episodes of metrics() to 0.
  virtual void clear_metrics() = 0;

  /// CUDA: the cudaStream_t that all later work runs on. CPU: ignored.
  virtual void set_stream(void* /*stream*/) {}
  /// Waits until all work is done.
  virtual void synchronize() {}

  /// Bytes of an instance's exported state.
  virtual std::size_t state_size() const = 0;
  /// Writes the whole state of one instance: clock, state, running returns, supertypes. Synchronises.
  /// @throws InputError for an instance out of range, or bytes that are not state_size() many
  virtual void export_state(int instance, std::span<std::byte> bytes) = 0;
  /// Sets what export_state() wrote in a simulator of the same environment and parameters; that it is such is not
  /// checked. Synchronises. @throws InputError as export_state()
  virtual void import_state(int instance, std::span<std::byte const> bytes) = 0;

  /// Whether draw() can: on the CPU, where the environment has a draw() of its own.
  virtual bool can_draw() const { return false; }
  /// What the instance shows now. @throws Error unless can_draw()
  virtual Drawing draw(int instance) const;
  /// What it will show after a step with these actions, before the reset where that ends its episode.
  virtual Drawing draw_after(int instance, GroupSpan<StepInput> in) const;

 protected:
  Simulator(Spec spec, SimulatorOptions options);
  /// @throws InputError naming a view whose shape does not fit
  void check(GroupSpan<StepInput> in) const;
  void check(GroupSpan<StepOutput> out, bool after_step) const;
  void check_state(int instance, std::size_t size) const;
  /// Every action must be finite, every choice one of its head's. Reads the actions: for the CPU only.
  /// @param in  of one of the environment's own groups
  /// @throws InputError naming the environment, instance, agent, head and value of the first that is not
  void check_actions(char const* environment, int group, StepInput const& in) const;
  /// The environment's own, without padding.
  Spec const& own_spec() const { return own_spec_; }

 private:
  void check(StepInput const& in, int group) const;
  void check(StepOutput const& out, int group, bool after_step) const;

  Spec own_spec_, spec_;
  SimulatorOptions options_;
  std::vector<std::string> metric_names_;
};

/// One entry of the registry.
struct EnvironmentInfo {
  std::string name, summary;
  std::vector<Field> fields;
  Spec spec;           // with default parameters
  bool has_heuristic;  // heuristic.hpp
};

/// Every environment that make_simulator knows.
std::vector<EnvironmentInfo> environments();

/// @param environment  a name of environments()
/// @param params       the environment's settings; those not given keep their defaults
/// @throws SettingError for bad settings, InputError for an unknown environment or a device that this build or machine
///         lacks
std::unique_ptr<Simulator> make_simulator(std::string const& environment, Settings const& params,
                                          SimulatorOptions const& options);

/// All of the environment's parameters, with defaults filled in.
/// @throws as make_simulator
Settings resolve_params(std::string const& environment, Settings const& params);

/// The environment's settings that give it `agents` agents; the others stay as they are.
/// @throws InputError for an unknown environment, or a number of agents that no settings give
Settings params_with_agents(std::string const& environment, int agents);

}  // namespace shoal
