// One batch of instances as plain pointers, and what a step of one instance is. The CPU backend and the CUDA kernels both call
// reset_instance and step_instance with their teams; neither adds semantics of its own.
#pragma once

#include "shoal/env/contract.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// Sizes that derive from a Spec and the options, for device code.
struct Layout {
  int agents, own, type, width, choices, metrics, supertypes;
  bool observe_type, indication;

  /// What is recorded of an episode: the environment's metrics, each supertype's return, the length.
  SHOAL_FN int episode_values() const { return metrics + supertypes + 1; }
};

/// What the batch keeps of every instance beside its State.
struct Clock {
  std::uint32_t episode = 0;
  std::uint32_t step = 0;
};

/// The memory of a batch. Owned by a backend.
template <class Env>
struct Batch {
  typename Env::Params params;
  Layout layout;
  std::uint32_t seed, first_instance;
  std::uint32_t common;   // consecutive instances that share random numbers
  int recorded_episodes;  // SimulatorOptions
  int instances;
  Clock* clocks;                     // [instances]
  typename Env::State* states;       // [instances]
  View<float, 2> returns;            // [instances, agents], of the running episodes
  View<float, 3> supertype_values;   // [instances, supertypes, coordinates]
  View<float, 2> metric_sums;        // [instances, metrics + supertypes + 1]
  View<std::int32_t, 1> episodes;    // [instances]
  std::int32_t const* supertype_of;  // [agents]
};

namespace detail {

template <class Env>
constexpr bool writes_every_cell() {
  if constexpr (requires { Env::writes_every_cell; })
    return Env::writes_every_cell;
  else
    return false;
}

/// Who does not live observes zeros and may choose anything, so that nothing stale or meaningful stands there.
template <class Env, class Team>
SHOAL_FN void clear_dead_rows(Team team, Batch<Env> const& batch, typename Env::State const& state, View<float, 2> row,
                              View<std::uint8_t, 2> masks) {
  auto const& layout = batch.layout;
  team.each(layout.agents, [&](int agent) {
    if (Env::alive(batch.params, state, agent)) return;
    for (int column = 0; column < layout.width; ++column) row(agent, column) = 0;
    if (masks.data)
      for (int choice = 0; choice < layout.choices; ++choice) masks(agent, choice) = 1;
  });
}

template <class Env, class Team>
SHOAL_FN_INLINED void write_observation_here(Team team, Batch<Env> const& batch, typename Env::State const& state,
                                             View<float, 2> row, View<std::uint8_t, 2> masks) {
  auto const& layout = batch.layout;
  int const type_at = layout.own;
  int const rest_at = type_at + (layout.observe_type ? layout.type : 0);
  Observation out;
  out.own = row;
  out.own.extents[1] = layout.own;
  if (layout.observe_type) {
    out.type = row;
    out.type.data += type_at * row.strides[1];
    out.type.extents[1] = layout.type;
  }
  out.masks = masks;
  if constexpr (!writes_every_cell<Env>())
    team.each(layout.agents, rest_at, [&](int agent, int column) { row(agent, column) = 0; });
  int const rest = layout.width - rest_at;
  if (rest > 0)
    team.each(layout.agents, rest, [&](int agent, int column) {
      row(agent, rest_at + column) = layout.indication && column == agent ? 1.0f : 0.0f;
    });
  if (masks.data) team.each(layout.agents, layout.choices, [&](int agent, int choice) { masks(agent, choice) = 1; });
  Env::observe(team, batch.params, state, out);
  if constexpr (MayDie<Env>) clear_dead_rows(team, batch, state, row, masks);
}

/// Called, but for small environments, of which a call would cost a tenth of a step.
template <class Env, class Team>
SHOAL_FN void write_observation(Team team, Batch<Env> const& batch, typename Env::State const& state,
                                View<float, 2> row, View<std::uint8_t, 2> masks) {
  write_observation_here(team, batch, state, row, masks);
}

template <class V>
SHOAL_FN auto row_of(V const& view, int instance) {
  return view.data ? view(instance) : decltype(view(instance)){};
}

/// Before a step: presets the rewards, and keeps in `ends`, which the step writes last, who lives.
template <class Env, class Team>
SHOAL_FN void prepare_rows(Team team, Batch<Env> const& batch, typename Env::State const& state, Rewards rewards,
                           View<std::uint8_t, 1> ends) {
  if constexpr (MayDie<Env> || !writes_every_cell<Env>())
    team.each(batch.layout.agents, [&](int i) {
      if constexpr (!writes_every_cell<Env>()) rewards(i) = 0;
      if constexpr (MayDie<Env>) ends(i) = Env::alive(batch.params, state, i);
    });
}

/// After a step, of what prepare_rows() has kept: the dead earn 0; who has died in this step, and at the episode's end
/// whoever is dead, is terminated.
template <class Env, class Team>
SHOAL_FN void finish_rows(Team team, Batch<Env> const& batch, typename Env::State const& state, Ended ended,
                          Rewards rewards, View<float, 1> returns, View<std::uint8_t, 1> ends) {
  team.each(batch.layout.agents, [&](int i) {
    auto bits = std::uint8_t(ended);
    if constexpr (MayDie<Env>) {
      bool const acted = ends(i) != 0;
      if (!acted) rewards(i) = 0;
      if ((acted || ended != Ended::no) && !Env::alive(batch.params, state, i))
        bits = std::uint8_t(bits | std::uint8_t(Ended::terminated));
    }
    returns(i) += rewards(i);
    ends(i) = bits;
  });
}

/// Adds the finished episode to the sums: the environment's metrics, the mean return of each supertype, the length.
template <class Env, class Team>
SHOAL_FN void record_episode(Team team, Batch<Env> const& batch, typename Env::State const& state,
                             typename Env::Scratch& scratch, float* episode, int instance) {
  auto const& layout = batch.layout;
  if (batch.recorded_episodes > 0 && batch.episodes(instance) >= batch.recorded_episodes) return;
  Env::metrics(team, batch.params, state, scratch, view(episode, layout.metrics));
  team.each(layout.supertypes, [&](int s) {
    float total = 0;
    int members = 0;
    for (int i = 0; i < layout.agents; ++i)
      if (batch.supertype_of[i] == s) total += batch.returns(instance, i), ++members;
    episode[layout.metrics + s] = members ? total / float(members) : 0.0f;
  });
  team.once([&] {
    episode[layout.metrics + layout.supertypes] = float(batch.clocks[instance].step);
    ++batch.episodes(instance);
  });
  team.each(layout.episode_values(), [&](int k) { batch.metric_sums(instance, k) += episode[k]; });
}

}  // namespace detail

/// Working memory for one instance's step. What follows takes any `Scratch` with these two members; on CUDA they lie apart.
template <class Env>
struct StepScratch {
  typename Env::Scratch env;
  float episode[max_metrics];
};

template <class Env>
SHOAL_FN Random random_of(Batch<Env> const& batch, int instance) {
  return {batch.seed, (batch.first_instance + std::uint32_t(instance)) / batch.common, batch.clocks[instance].episode,
          batch.clocks[instance].step};
}

/// Begins the episode that the instance's clock names and writes its first observation.
template <class Env, class Team, class Scratch>
SHOAL_FN void begin_episode(Team team, Batch<Env> const& batch, Scratch& scratch, int instance) {
  team.each(batch.layout.agents, [&](int i) { batch.returns(instance, i) = 0; });
  Env::reset(team, batch.params, batch.states[instance], scratch.env, batch.supertype_values(instance),
             random_of(batch, instance));
}

/// Writes who lives, where that is asked for. observe_instance() does so if agents may die. If not, a backend does,
/// behind the step: within it, a small game's step would take 3 % more instructions even where nobody asks.
template <class Env, class Team>
SHOAL_FN void write_alive(Team team, Batch<Env> const& batch, StepOutput const& out, int instance) {
  if (!out.alive.data) return;
  auto const alive = out.alive(instance);
  team.each(batch.layout.agents, [&](int i) {
    if constexpr (MayDie<Env>)
      alive(i) = Env::alive(batch.params, batch.states[instance], i);
    else
      alive(i) = 1;
  });
}

/// Writes the instance's observations and masks, and who lives if agents may die.
template <class Env, class Team>
SHOAL_FN void observe_instance(Team team, Batch<Env> const& batch, StepOutput const& out, int instance) {
  auto const row = out.observations(instance);
  auto const masks = detail::row_of(out.masks, instance);
  if constexpr (sizeof(typename Env::State) <= 128)
    detail::write_observation_here(team, batch, batch.states[instance], row, masks);
  else
    detail::write_observation(team, batch, batch.states[instance], row, masks);
  if constexpr (MayDie<Env>) write_alive(team, batch, out, instance);
}

/// Abandons the running episode and starts the next one.
template <class Env, class Team, class Scratch>
SHOAL_FN void reset_instance(Team team, Batch<Env> const& batch, Scratch& scratch, StepOutput const& out,
                             int instance) {
  team.once([&] { batch.clocks[instance] = {batch.clocks[instance].episode + 1, 0}; });
  begin_episode(team, batch, scratch, instance);
  observe_instance(team, batch, out, instance);
}

/// Steps the instance; when its episode ends, records the metrics, keeps the final observation and begins the next episode.
template <class Env, class Team, class Scratch>
SHOAL_FN void step_instance(Team team, Batch<Env> const& batch, Scratch& scratch, StepInput const& in,
                            StepOutput const& out, int instance) {
  auto& state = batch.states[instance];
  Actions const actions{detail::row_of(in.continuous, instance), detail::row_of(in.discrete, instance)};
  auto const rewards = out.rewards(instance);
  auto const ends = out.ended(instance);
  detail::prepare_rows(team, batch, state, rewards, ends);
  Ended const ended = Env::step(team, batch.params, state, scratch.env, actions, rewards, random_of(batch, instance));
  team.once([&] { ++batch.clocks[instance].step; });
  detail::finish_rows(team, batch, state, ended, rewards, batch.returns(instance), ends);
  if (ended != Ended::no) {
    if (out.final_observations.data)
      detail::write_observation(team, batch, state, out.final_observations(instance), {});
    detail::record_episode<Env>(team, batch, state, scratch.env, scratch.episode, instance);
    team.once([&] { batch.clocks[instance] = {batch.clocks[instance].episode + 1, 0}; });
    begin_episode(team, batch, scratch, instance);
  }
  observe_instance(team, batch, out, instance);
}

}  // namespace shoal
