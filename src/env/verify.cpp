#include "shoal/env/verify.hpp"

#include <algorithm>

#include "src/env/properties.hpp"

namespace shoal {

Subject subject(std::string const& environment, Settings const& params) {
  resolve_params(environment, params);
  return {.simulator = [=](SimulatorOptions const& options) { return make_simulator(environment, params, options); },
          .heuristic = [=] { return make_heuristic(environment, params, Device::cpu); }};
}

std::vector<Property> const& properties() {
  static std::vector<Property> const all{
      {"spec", "groups, heads, supertypes and metrics are consistent", spec_is_consistent},
      {"outputs", "every cell is written, whatever lay there", writes_all},
      {"memory", "nothing beside the outputs is written", writes_nothing_else},
      {"optional", "types, masks and final observations may be left out", outputs_are_optional},
      {"finite", "observations, rewards and metrics are finite", figures_are_finite},
      {"masks", "masks are 0 or 1 and leave every agent a choice of every head", masks_leave_a_choice},
      {"bounds", "actions beyond bounds are limited, and illegal choices do no harm", bounds_limit_actions},
      {"global state", "the global state ends every living agent's row, and changes nothing else", state_ends_rows},
      {"episodes", "episodes end in time, as the spec says, and are counted", episodes_end},
      {"life", "nobody comes back to life, and somebody lives until the end", life_is_kept},
      {"the dead", "what the dead do has no effect", dead_have_no_effect},
      {"reset", "an episode does not depend on the one before", reset_forgets},
      {"supertypes", "a changed profile changes the next episode, and not the running one", supertypes_are_read},
      {"heuristic", "what it does is legal, with and without types and masks", heuristic_is_legal},
      {"instances", "their number does not change a trajectory", instances_do_not_show},
      {"first_instance", "ranges of instances join to what one simulator of all gives", ranges_join},
      {"threads", "their number does not change a trajectory", threads_do_not_show},
      {"lanes", "their order does not change a trajectory", lane_order_does_not_show},
      {"state", "an exported state goes on the same in another simulator", states_can_be_moved}};
  return all;
}

Finding examine(Property const& property, Subject const& subject) try {
  return property.examine(subject);
} catch (std::exception const& error) {
  return {false, error.what()};
}

int some_steps(Spec const& spec, int most) { return std::min(spec.max_episode_steps + 3, most); }

bool has_state(Subject const& subject) { return subject.simulator({})->spec().state > 0; }

Player play(Subject const& subject, SimulatorOptions const& options, Outputs outputs) {
  return Player(subject.simulator(options), outputs);
}

}  // namespace shoal
