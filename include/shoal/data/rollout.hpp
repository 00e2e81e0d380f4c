// The memory of a stage: [time, instance, agent, feature] tensors that the simulator and the policies write in place,
// slot by slot.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <vector>

#include "shoal/data/collective.hpp"
#include "shoal/data/named_tensors.hpp"
#include "shoal/env/simulator.hpp"
#include "shoal/ops/sample.hpp"

namespace shoal {

/// Sizes of a rollout.
struct RolloutShape {
  int steps = 0, instances = 0, agents = 0, width = 0;  // width of an observation
  int critic_only = 0;                                  // its last columns, which policies do not see
  ActionLayout actions = {};
  bool masked = false;                      // keep masks
  bool truncates = false;                   // keep final observations
  bool mortal = false;                      // keep which agents live
  std::vector<ContinuousHead> bounds = {};  // of the continuous heads
};

/// T = steps, N = instances, A = agents. All f32 but for those marked.
struct Rollout {
  RolloutShape shape;
  at::Tensor observations;        // [T + 1, N, A, width]; slot T follows the last step
  at::Tensor masks;               // [T + 1, N, A, total_choices] u8; undefined unless masked
  at::Tensor continuous;          // [T, N, A, continuous heads]
  at::Tensor discrete;            // [T, N, A, discrete heads] i32
  at::Tensor parameters;          // [T, N, A, P] of the distribution that acted
  at::Tensor log_probabilities;   // [T, N, A]
  at::Tensor entropies;           // [T, N, A]
  at::Tensor values;              // [T + 1, N, A]
  at::Tensor rewards;             // [T, N, A]
  at::Tensor ended;               // [T, N, A] u8, bits of Ended
  at::Tensor alive;               // [T + 1, N, A] u8, of the agents that act in slot t; undefined unless `mortal`
  at::Tensor final_observations;  // [T, N, A, width], set where an episode ended; undefined unless `truncates`
  at::Tensor final_values;        // [T, N, A]; likewise
  at::Tensor advantages;          // [T, N, A]
  at::Tensor returns;             // [T, N, A]
  /// [N, A] i32: whose random numbers an agent's actions are drawn with, where it stands for one of another rollout;
  /// undefined: its own.
  at::Tensor drawn_as = {};

  /// Every tensor that is defined, by its name.
  NamedTensors fields() const;

  StepInput input(int t) const;    // the actions of slot t
  StepOutput first() const;        // observations and masks of slot 0
  StepOutput output(int t) const;  // what step t writes: its rewards, and the observations of slot t + 1
};

/// Slot t of a tensor of a rollout.
template <class T>
T* slot_data(at::Tensor const& tensor, int t) {
  return tensor.data_ptr<T>() + t * tensor.stride(0);
}

Rollout make_rollout(RolloutShape const& shape, at::Device device);

/// The samples of some agents: rows of the rollout's tensors flattened over [T, N, A], i64 [T * N * agents].
at::Tensor sample_rows(RolloutShape const& shape, std::vector<int> const& agents, at::Device device);

/// The memory of make_rollout(shape).
std::int64_t rollout_bytes(RolloutShape const& shape);

/// The rollout of `steps` steps that fits a group of the simulator.
RolloutShape rollout_shape(Simulator const& simulator, int steps, int group = 0);

/// A rollout for each group of the simulator: what one step writes of all agents.
std::vector<Rollout> make_rollouts(Simulator const& simulator, int steps, at::Device device);
std::vector<StepInput> inputs(std::vector<Rollout> const& groups, int t);
std::vector<StepOutput> first_outputs(std::vector<Rollout> const& groups);
std::vector<StepOutput> outputs(std::vector<Rollout> const& groups, int t);

/// Of all groups' agents, in the order of an instance: `field` at slot t. @return [instances, agents, ...]
at::Tensor all_agents(std::vector<Rollout> const& groups, at::Tensor Rollout::*field, int t);

/// The memory of a simulator's view as a tensor. With its device named, LibTorch need not ask CUDA for it while a graph
/// is captured.
template <class T, int Rank>
at::Tensor tensor_of(View<T, Rank> const& view, at::Device device) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, std::int32_t>);
  auto const type = std::is_same_v<T, float> ? at::kFloat : at::kInt;
  return at::for_blob(view.data, at::IntArrayRef(view.extents, Rank))
      .options(at::TensorOptions().dtype(type).device(device))
      .target_device(device)
      .make_tensor();
}

/// [B, metrics], means over each instance's episodes since clear_metrics(); not finite where none has ended.
at::Tensor mean_metrics(Simulator& simulator, at::Device device);

/// [2, metrics] f64 over all episodes of all processes since clear_metrics(): their mean, and the standard deviation of
/// the instances' means around it, each counted as often as it has episodes. Not finite where no episode has ended.
at::Tensor episode_statistics(Simulator& simulator, at::Device device, Collective const& collective = {});

/// The heads of a group's actions.
/// @throws InputError if there are more than max_discrete_heads
ActionLayout action_layout(Group const& group);

}  // namespace shoal
