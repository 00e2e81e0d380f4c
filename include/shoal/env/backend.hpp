// What every backend shares: the memory of a batch, its first contents, and the layout of an exported state.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shoal/env/batch.hpp"

namespace shoal {

/// @return the layout that `spec` and `options` ask for
/// @throws InputError if the width is too small or there are too many metrics
Layout make_layout(Spec const& spec, SimulatorOptions const& options);

/// The environment's own groups, in the space that the options give them.
/// @param own_choices  padded_choices(spec), where a backend reads it; null: the groups are not padded
std::vector<GroupLayout> make_group_layouts(Spec const& spec, ObservationOptions const& options,
                                            std::int32_t const* own_choices);

/// `spec` with its groups padded to one (ObservationOptions).
Spec padded(Spec const& spec);
/// [groups, choices of the padded group]: GroupLayout::own_choice.
std::vector<std::int32_t> padded_choices(Spec const& spec);
bool pads(Spec const& spec, ObservationOptions const& options);

/// Of rows of the padded group: those of `group`, as the environment sees them. @param spec  the environment's own
StepInput part_of(StepInput const& joint, Spec const& spec, int group);
StepOutput part_of(StepOutput const& joint, Spec const& spec, int group);

/// What the caller of a simulator passes, for the environment's own groups.
template <class Env, class T>
PerGroup<T, groups_of<Env>()> parts_of(GroupSpan<T> all, Spec const& spec) {
  PerGroup<T, groups_of<Env>()> parts;
  bool const joint = groups_of<Env>() > 1 && all.size() == 1;
  for (int g = 0; g < groups_of<Env>(); ++g) parts[g] = joint ? part_of(all[0], spec, g) : all[g];
  return parts;
}

/// The initial supertype profiles, [instance, supertype, coordinate] row-major, padded with zeros.
std::vector<float> initial_supertypes(Spec const& spec, int instances);

/// Owns what a Batch points to. `Array` is std::vector, or has two of its constructors: n zeros; a copy of a vector.
template <class Env, template <class> class Array>
struct BatchMemory {
  BatchMemory(Spec const& spec, SimulatorOptions const& options)
      : layout(make_layout(spec, options)),
        coordinates(spec.coordinates()),
        clocks(rows(options, 1)),
        states(rows(options, 1)),
        returns(rows(options, layout.agents)),
        supertypes(initial_supertypes(spec, options.instances)),
        metric_sums(rows(options, layout.episode_values())),
        episodes(rows(options, 1)),
        supertype_of(std::vector<std::int32_t>(spec.supertype_of.begin(), spec.supertype_of.end())),
        own_choices(padded_choices(spec)) {
    bool const padded = pads(spec, options.observation);
    auto const all = make_group_layouts(spec, options.observation, padded ? own_choices.data() : nullptr);
    if (int(all.size()) != groups_of<Env>())
      throw Error(std::string(Env::name) + ": spec() has " + std::to_string(all.size()) + " groups, expected " +
                  std::to_string(groups_of<Env>()));
    std::copy(all.begin(), all.end(), groups.items);
  }

  Batch<Env> batch(typename Env::Params const& params, SimulatorOptions const& options) {
    auto const n = options.instances;
    return {.params = params,
            .layout = layout,
            .groups = groups,
            .seed = options.seed,
            .first_instance = options.first_instance,
            .common = std::uint32_t(options.common),
            .recorded_episodes = options.recorded_episodes,
            .instances = n,
            .clocks = clocks.data(),
            .states = states.data(),
            .returns = view(returns.data(), n, layout.agents),
            .supertype_values = view(supertypes.data(), n, layout.supertypes, coordinates),
            .metric_sums = view(metric_sums.data(), n, layout.episode_values()),
            .episodes = view(episodes.data(), n),
            .supertype_of = supertype_of.data()};
  }

  Layout layout;
  PerGroup<GroupLayout, groups_of<Env>()> groups;
  int coordinates;
  Array<Clock> clocks;
  Array<typename Env::State> states;
  Array<float> returns, supertypes, metric_sums;
  Array<std::int32_t> episodes, supertype_of, own_choices;

 private:
  static std::size_t rows(SimulatorOptions const& options, int width) {
    return std::size_t(options.instances) * std::size_t(width);
  }
};

/// Where the pieces of an instance's exported state begin: clock, state, returns, supertypes.
struct StateBytes {
  std::size_t state, returns, supertypes, size;
};
template <class Env>
StateBytes state_bytes(Spec const& spec) {
  StateBytes at{sizeof(Clock), 0, 0, 0};
  at.returns = at.state + sizeof(typename Env::State);
  at.supertypes = at.returns + sizeof(float) * std::size_t(spec.agents());
  at.size = at.supertypes + sizeof(float) * spec.supertypes.size() * std::size_t(spec.coordinates());
  return at;
}

/// Calls copy(offset, piece, size) for each piece of the instance's state: `piece` is the batch's memory, `offset` the
/// place in the exported bytes.
template <class Env, class Copy>
void for_each_piece(Batch<Env> const& batch, Spec const& spec, int instance, Copy copy) {
  auto const at = state_bytes<Env>(spec);
  copy(std::size_t(0), batch.clocks + instance, sizeof(Clock));
  copy(at.state, batch.states + instance, sizeof(typename Env::State));
  copy(at.returns, batch.returns(instance).data, at.supertypes - at.returns);
  if (at.size > at.supertypes) copy(at.supertypes, batch.supertype_values(instance).data, at.size - at.supertypes);
}

}  // namespace shoal
