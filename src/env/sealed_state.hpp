// Exported states behind a header, which tells those of another environment and damaged ones: what the C interface and
// the Python package hand out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "shoal/core/settings.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

/// Of all that a state's meaning depends on. @param params  all of the environment's, resolve_params()
std::uint64_t state_fingerprint(std::string_view version, std::string const& environment, Settings const& params);

/// The header included.
std::size_t sealed_size(Simulator const& simulator);

/// @param bytes  sealed_size() of them
void export_sealed(Simulator& simulator, std::uint64_t fingerprint, int instance, std::span<std::byte> bytes);

enum class SealProblem { none, foreign, damaged };

/// Changes nothing where there is a problem.
SealProblem import_sealed(Simulator& simulator, std::uint64_t fingerprint, int instance,
                          std::span<std::byte const> bytes);

}  // namespace shoal
