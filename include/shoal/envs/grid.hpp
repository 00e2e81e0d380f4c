// Cells of a grid, for environments that are played on one.
#pragma once

#include <cstdint>

#include "shoal/core/host_device.hpp"

namespace shoal {

struct Cell {
  int x, y;
};

SHOAL_FN bool inside(Cell c, int x_size, int y_size) {
  return std::uint32_t(c.x) < std::uint32_t(x_size) && std::uint32_t(c.y) < std::uint32_t(y_size);
}

/// One cell left, right, up (y + 1) or down of `c`, for directions 0 to 3; `c` itself for others.
SHOAL_FN Cell beside(Cell c, int direction) {
  return {c.x + (direction == 1) - (direction == 0), c.y + (direction == 2) - (direction == 3)};
}

/// Where ma-gym's actions lead: 0 down, 1 left, 2 up, 3 right, others stay. Its rows, y here, count downwards.
SHOAL_FN Cell ma_gym_move(Cell from, int action) {
  return {from.x + (action == 3) - (action == 1), from.y + (action == 0) - (action == 2)};
}

/// x / n, rounded to two decimals as ma-gym's observations are, for x in [0, n].
SHOAL_FN float in_hundredths(int x, int n) { return float((200 * x + n) / (2 * n)) / 100.0f; }

/// Steps between two cells, no diagonals.
SHOAL_FN int distance(Cell a, Cell b) {
  int const x = a.x - b.x, y = a.y - b.y;
  return (x < 0 ? -x : x) + (y < 0 ? -y : y);
}

/// A number in [0, count), uniform as far as 32 bits allow.
SHOAL_FN int one_of(std::uint32_t word, int count) { return int(std::uint64_t(word) * std::uint32_t(count) >> 32); }

}  // namespace shoal
