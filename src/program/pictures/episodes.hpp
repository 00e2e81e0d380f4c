// Plays episodes to be looked at.
#pragma once

#include <cstdint>
#include <functional>

#include "program/pictures/frame.hpp"
#include "shoal/analysis/frozen_game.hpp"

namespace shoal {

/// Plays episodes of one instance on the CPU, one after another: a frame for the beginning of each and for each step.
/// Without policies all actions are uniform among the legal ones.
/// @param game  of an environment that can be drawn
/// @param show  whether to go on  @return whether all were played
bool show_episodes(FrozenGame const& game, int episodes, std::uint32_t seed,
                   std::function<bool(Frame const&)> const& show);

}  // namespace shoal
