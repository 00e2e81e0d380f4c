// The examinations behind properties() of shoal/env/verify.hpp.
#pragma once

#include "shoal/env/verify.hpp"
#include "src/env/player.hpp"

namespace shoal {

/// A long episode is played in part.
int some_steps(Spec const& spec, int most = 150);

Player play(Subject const& subject, SimulatorOptions const& options, Outputs outputs = Outputs::all);

/// Whether the environment has a global state.
bool has_state(Subject const& subject);

/// It holds unless there is a problem.
inline Finding unless(std::string const& problem, std::string const& note = {}) {
  return problem.empty() ? Finding{true, note} : Finding{false, problem};
}

// verify_spec.cpp
Finding spec_is_consistent(Subject const&);
// verify_outputs.cpp
Finding writes_all(Subject const&);
Finding writes_nothing_else(Subject const&);
Finding outputs_are_optional(Subject const&);
Finding figures_are_finite(Subject const&);
Finding masks_leave_a_choice(Subject const&);
Finding bounds_limit_actions(Subject const&);
Finding state_ends_rows(Subject const&);
// verify_episodes.cpp
Finding episodes_end(Subject const&);
Finding life_is_kept(Subject const&);
Finding dead_have_no_effect(Subject const&);
Finding reset_forgets(Subject const&);
Finding supertypes_are_read(Subject const&);
Finding heuristic_is_legal(Subject const&);
// verify_invariance.cpp
Finding instances_do_not_show(Subject const&);
Finding ranges_join(Subject const&);
Finding threads_do_not_show(Subject const&);
Finding lane_order_does_not_show(Subject const&);
Finding states_can_be_moved(Subject const&);

}  // namespace shoal
