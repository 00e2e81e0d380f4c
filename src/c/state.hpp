// Exported states: Simulator's bytes behind a header, which tells those of another environment and damaged ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "c/open_simulator.hpp"
#include "shoal/core/settings.hpp"

namespace shoal::c {

/// @param params  all of the environment's, resolve_params()
std::uint64_t fingerprint(std::string const& environment, Settings const& params);

/// With the header.
std::size_t state_bytes(OpenSimulator const& simulator);

/// @throws InputError for an instance or a size that the simulator does not have
void export_state(OpenSimulator& simulator, int instance, std::span<std::byte> bytes);
/// @throws InputError likewise, and for bytes that are not a state of such a simulator
void import_state(OpenSimulator& simulator, int instance, std::span<std::byte const> bytes);

}  // namespace shoal::c
