// One batch of instances as plain pointers, and what a step of one instance is. The CPU backend and the CUDA kernels
// both call reset_instance and step_instance with their teams; neither adds semantics of its own.
#pragma once

#include <utility>

#include "shoal/env/contract.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// Sizes that derive from a Spec and the options, for device code.
struct Layout {
  int agents, metrics, supertypes;

  /// What is recorded of an episode: the environment's metrics, each supertype's return, the length.
  SHOAL_FN int episode_values() const { return metrics + supertypes + 1; }
};

/// The same of a group.
struct GroupLayout {
  int first, agents;  // the number of its agent 0 in the instance; how many they are
  int own, type, width, choices;
  int state;  // the last columns, for critics; 0: none
  bool observe_type;
  /// Agent i has a 1 in column one + i * one_step, behind its own observation and its type. one = none: nobody has.
  int one, one_step;
  /// Where the group is padded: which of its own choices a choice is, or padding_choice() if it lacks that one. Null:
  /// it has the same.
  std::int32_t const* own_choice;
  int padded_choices;

  static constexpr int none = -(1 << 24);
  /// What the group lacks is illegal, but for the first choice of a head that it lacks: something has to be chosen.
  SHOAL_FN static constexpr std::int32_t padding_choice(bool legal) { return legal ? -2 : -1; }
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
  PerGroup<GroupLayout, groups_of<Env>()> groups;
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

template <class F, int... group>
SHOAL_FN_INLINED void each_constant(F f, std::integer_sequence<int, group...>) {
  (f(std::integral_constant<int, group>{}), ...);
}

/// Calls f(g) for every group g, a constant. The lambdas given to it are inlined whatever their size: as calls they
/// would halve the speed of a small game, for which there is one group.
template <class Env, class F>
SHOAL_FN_INLINED void each_group(F f) {
  if constexpr (groups_of<Env>() == 1)
    f(std::integral_constant<int, 0>{});
  else
    each_constant(f, std::make_integer_sequence<int, groups_of<Env>()>{});
}

/// The number in the instance of the group's agent i.
template <class Env>
SHOAL_FN int agent_number(GroupLayout const& group, int i) {
  return groups_of<Env>() == 1 ? i : group.first + i;
}

/// As the environment takes it.
template <class Env, class T>
SHOAL_FN Given<Env, T> const& given(PerGroup<T, groups_of<Env>()> const& all) {
  if constexpr (groups_of<Env>() == 1)
    return all[0];
  else
    return all;
}

/// Who does not live observes zeros and may choose anything, so that nothing stale or meaningful stands there.
template <class Env, class Team>
SHOAL_FN void clear_dead_rows(Team team, Batch<Env> const& batch, GroupLayout const& group,
                              typename Env::State const& state, View<float, 2> row, View<std::uint8_t, 2> masks) {
  team.each(group.agents, [&](int i) {
    if (Env::alive(batch.params, state, agent_number<Env>(group, i))) return;
    for (int column = 0; column < group.width; ++column) row(i, column) = 0;
    if (masks.data)
      for (int choice = 0; choice < group.choices; ++choice) masks(i, choice) = 1;
  });
}

/// From the last choice to the first: none moves to the left.
template <class Team>
SHOAL_FN void spread_masks(Team team, GroupLayout const& group, View<std::uint8_t, 2> masks) {
  team.each(group.agents, [&](int i) {
    for (int choice = group.padded_choices - 1; choice >= 0; --choice) {
      auto const own = group.own_choice[choice];
      masks(i, choice) = own >= 0 ? masks(i, own) : std::uint8_t(own == GroupLayout::padding_choice(true));
    }
  });
}

/// Presets the rows of a group's observations. @return the places that the environment writes
template <class Env, class Team>
SHOAL_FN_INLINED Observation prepare_observation(Team team, GroupLayout const& group, View<float, 2> row,
                                                 View<std::uint8_t, 2> masks) {
  int const rest_at = group.own + (group.observe_type ? group.type : 0);
  Observation out;
  out.own = row;
  out.own.extents[1] = group.own;
  if (group.observe_type) {
    out.type = row;
    out.type.data += group.own * row.strides[1];
    out.type.extents[1] = group.type;
  }
  out.masks = masks;
  if constexpr (!writes_every_cell<Env>())
    team.each(group.agents, rest_at, [&](int i, int column) { row(i, column) = 0; });
  int const rest = group.width - group.state - rest_at;
  if (rest > 0)
    team.each(group.agents, rest, [&](int i, int column) {
      row(i, rest_at + column) = rest_at + column == group.one + i * group.one_step ? 1.0f : 0.0f;
    });
  if (masks.data) team.each(group.agents, group.choices, [&](int i, int choice) { masks(i, choice) = 1; });
  return out;
}

template <class Env>
using Rows = PerGroup<View<float, 2>, groups_of<Env>()>;
template <class Env>
using MaskRows = PerGroup<View<std::uint8_t, 2>, groups_of<Env>()>;

/// The last columns of a group's rows.
SHOAL_FN View<float, 2> state_columns(GroupLayout const& group, View<float, 2> rows) {
  rows.data += (group.width - group.state) * rows.strides[1];
  rows.extents[1] = group.state;
  return rows;
}

/// Every agent's row ends with the global state.
template <class Env, class Team>
SHOAL_FN void write_state(Team team, Batch<Env> const& batch, typename Env::State const& state, Rows<Env> const& rows) {
  int const count = batch.groups[0].state;
  auto const first = state_columns(batch.groups[0], rows[0]);
  team.each(count, [&](int k) { first(0, k) = 0; });
  Env::observe_state(team, batch.params, state, first(0));
  each_group<Env>([&](auto g) {
    auto const own = state_columns(batch.groups[g], rows[g]);
    int const skipped = g == 0 ? 1 : 0;
    team.each(batch.groups[g].agents - skipped, count, [&](int i, int k) { own(i + skipped, k) = first(0, k); });
  });
}

template <class Env, class Team>
SHOAL_FN_INLINED void write_observation_here(Team team, Batch<Env> const& batch, typename Env::State const& state,
                                             Rows<Env> const& rows, MaskRows<Env> const& masks) {
  PerGroup<Observation, groups_of<Env>()> out;
  each_group<Env>([&](auto g) __attribute__((always_inline)) {
    out[g] = prepare_observation<Env>(team, batch.groups[g], rows[g], masks[g]);
  });
  Env::observe(team, batch.params, state, given<Env>(out));
  if constexpr (HasState<Env>)
    if (batch.groups[0].state > 0) write_state(team, batch, state, rows);
  if constexpr (MayDie<Env>)
    each_group<Env>([&](auto g) __attribute__((always_inline)) {
      clear_dead_rows(team, batch, batch.groups[g], state, rows[g], masks[g]);
    });
  if constexpr (groups_of<Env>() > 1)
    each_group<Env>([&](auto g) __attribute__((always_inline)) {
      if (masks[g].data && batch.groups[g].own_choice) spread_masks(team, batch.groups[g], masks[g]);
    });
}

/// Called, but for small environments, of which a call would cost a tenth of a step.
template <class Env, class Team>
SHOAL_FN void write_observation(Team team, Batch<Env> const& batch, typename Env::State const& state,
                                Rows<Env> const& rows, MaskRows<Env> const& masks) {
  write_observation_here(team, batch, state, rows, masks);
}

template <class V>
SHOAL_FN auto row_of(V const& view, int instance) {
  return view.data ? view(instance) : decltype(view(instance)){};
}

/// Before a step: presets the rewards, and keeps in `ends`, which the step writes last, who lives.
template <class Env, class Team>
SHOAL_FN void prepare_rows(Team team, Batch<Env> const& batch, GroupLayout const& group,
                           typename Env::State const& state, Rewards rewards, View<std::uint8_t, 1> ends) {
  if constexpr (MayDie<Env> || !writes_every_cell<Env>())
    team.each(group.agents, [&](int i) {
      if constexpr (!writes_every_cell<Env>()) rewards(i) = 0;
      if constexpr (MayDie<Env>) ends(i) = Env::alive(batch.params, state, agent_number<Env>(group, i));
    });
}

/// After a step, of what prepare_rows() has kept: the dead earn 0; who has died in this step, and at the episode's end
/// whoever is dead, is terminated. @param returns  of all groups
template <class Env, class Team>
SHOAL_FN void finish_rows(Team team, Batch<Env> const& batch, GroupLayout const& group,
                          typename Env::State const& state, Ended ended, Rewards rewards, View<float, 1> returns,
                          View<std::uint8_t, 1> ends) {
  team.each(group.agents, [&](int i) {
    int const agent = agent_number<Env>(group, i);
    auto bits = std::uint8_t(ended);
    if constexpr (MayDie<Env>) {
      bool const acted = ends(i) != 0;
      if (!acted) rewards(i) = 0;
      if ((acted || ended != Ended::no) && !Env::alive(batch.params, state, agent))
        bits = std::uint8_t(bits | std::uint8_t(Ended::terminated));
    }
    returns(agent) += rewards(i);
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

/// Working memory for one instance's step. What follows takes any `Scratch` with these two members; on CUDA they lie
/// apart.
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

/// What a step reads and writes of all groups.
template <class Env>
using StepInputs = PerGroup<StepInput, groups_of<Env>()>;
template <class Env>
using StepOutputs = PerGroup<StepOutput, groups_of<Env>()>;

/// Writes who lives, where that is asked for. observe_instance() does so if agents may die. If not, a backend does,
/// behind the step: within it, a small game's step would take 3 % more instructions even where nobody asks.
template <class Env, class Team>
SHOAL_FN void write_alive(Team team, Batch<Env> const& batch, StepOutputs<Env> const& out, int instance) {
  detail::each_group<Env>([&](auto g) __attribute__((always_inline)) {
    if (!out[g].alive.data) return;
    auto const& group = batch.groups[g];
    auto const alive = out[g].alive(instance);
    team.each(group.agents, [&](int i) {
      if constexpr (MayDie<Env>)
        alive(i) = Env::alive(batch.params, batch.states[instance], detail::agent_number<Env>(group, i));
      else
        alive(i) = 1;
    });
  });
}

/// Writes the instance's observations and masks, and who lives if agents may die.
template <class Env, class Team>
SHOAL_FN void observe_instance(Team team, Batch<Env> const& batch, StepOutputs<Env> const& out, int instance) {
  detail::Rows<Env> rows;
  detail::MaskRows<Env> masks;
  detail::each_group<Env>([&](auto g) __attribute__((always_inline)) {
    rows[g] = out[g].observations(instance);
    masks[g] = detail::row_of(out[g].masks, instance);
  });
  if constexpr (sizeof(typename Env::State) <= 128)
    detail::write_observation_here(team, batch, batch.states[instance], rows, masks);
  else
    detail::write_observation(team, batch, batch.states[instance], rows, masks);
  if constexpr (MayDie<Env>) write_alive(team, batch, out, instance);
}

/// Keeps the last observation of an episode where that is asked for.
template <class Env, class Team>
SHOAL_FN void observe_end(Team team, Batch<Env> const& batch, StepOutputs<Env> const& out, int instance) {
  detail::Rows<Env> rows;
  bool wanted = true;
  detail::each_group<Env>([&](auto g) __attribute__((always_inline)) {
    wanted = wanted && out[g].final_observations.data;
    rows[g] = detail::row_of(out[g].final_observations, instance);
  });
  if (wanted) detail::write_observation(team, batch, batch.states[instance], rows, {});
}

/// Abandons the running episode and starts the next one.
template <class Env, class Team, class Scratch>
SHOAL_FN void reset_instance(Team team, Batch<Env> const& batch, Scratch& scratch, StepOutputs<Env> const& out,
                             int instance) {
  team.once([&] { batch.clocks[instance] = {batch.clocks[instance].episode + 1, 0}; });
  begin_episode(team, batch, scratch, instance);
  observe_instance(team, batch, out, instance);
}

/// Steps the instance; when its episode ends, records the metrics, keeps the final observation and begins the next
/// episode.
template <class Env, class Team, class Scratch>
SHOAL_FN void step_instance(Team team, Batch<Env> const& batch, Scratch& scratch, StepInputs<Env> const& in,
                            StepOutputs<Env> const& out, int instance) {
  auto& state = batch.states[instance];
  PerGroup<Actions, groups_of<Env>()> actions;
  PerGroup<Rewards, groups_of<Env>()> rewards;
  PerGroup<View<std::uint8_t, 1>, groups_of<Env>()> ends;
  detail::each_group<Env>([&](auto g) __attribute__((always_inline)) {
    actions[g] = {detail::row_of(in[g].continuous, instance), detail::row_of(in[g].discrete, instance)};
    rewards[g] = out[g].rewards(instance);
    ends[g] = out[g].ended(instance);
    detail::prepare_rows(team, batch, batch.groups[g], state, rewards[g], ends[g]);
  });
  Ended const ended = Env::step(team, batch.params, state, scratch.env, detail::given<Env>(actions),
                                detail::given<Env>(rewards), random_of(batch, instance));
  team.once([&] { ++batch.clocks[instance].step; });
  detail::each_group<Env>([&](auto g) __attribute__((always_inline)) {
    detail::finish_rows(team, batch, batch.groups[g], state, ended, rewards[g], batch.returns(instance), ends[g]);
  });
  if (ended != Ended::no) {
    observe_end(team, batch, out, instance);
    detail::record_episode<Env>(team, batch, state, scratch.env, scratch.episode, instance);
    team.once([&] { batch.clocks[instance] = {batch.clocks[instance].episode + 1, 0}; });
    begin_episode(team, batch, scratch, instance);
  }
  observe_instance(team, batch, out, instance);
}

}  // namespace shoal
