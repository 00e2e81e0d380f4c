// Every environment, once: the registry and the tests that hold for all of them read this list.
#pragma once

#include <tuple>

#include "shoal/envs/market.hpp"
#include "shoal/envs/matrix_game.hpp"

namespace shoal {

using AllEnvironments = std::tuple<Market, MatrixGame>;

}  // namespace shoal
