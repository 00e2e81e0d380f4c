// The arrays of a simulator: where they lie and what shape they have.
#pragma once

#include <memory>

#include "c/open_simulator.hpp"
#include "shoal.h"

namespace shoal::c {

/// The array in use; shoal's own is made where there is none yet.
/// @throws InputError for an array that the environment does not have
shoal_array array_in_use(OpenSimulator& simulator, int array, int group);

/// What keeps the memory of array_in_use(), which lies at `data`: null for the caller's.
std::shared_ptr<void const> owner(OpenSimulator const& simulator, int array, int group, void const* data);

/// Makes what is written and not there yet. @param for_step  rewards and `ended` too
void make_outputs(OpenSimulator& simulator, bool for_step);

/// @throws InputError where a step has nothing to read
void check_inputs(OpenSimulator const& simulator);

}  // namespace shoal::c
