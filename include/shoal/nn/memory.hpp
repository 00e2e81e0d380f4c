// The memory of a policy: a recurrent cell, and how much it holds.
#pragma once

#include <cstdint>

namespace shoal {

enum class MemoryKind { none, lstm, gru };

struct MemoryShape {
  MemoryKind kind = MemoryKind::none;
  int size = 0;  // of the cell's output h

  explicit operator bool() const { return kind != MemoryKind::none; }

  /// Reals of an agent's state: [h | c] of an LSTM, [h] of a GRU.
  int state() const { return kind == MemoryKind::lstm ? 2 * size : kind == MemoryKind::gru ? size : 0; }
  /// Blocks of the cell's weights: input, forget, cell and output gate, or reset, update and new gate.
  int gates() const { return kind == MemoryKind::lstm ? 4 : 3; }
  /// Weights and biases of the cell.
  std::int64_t parameters(std::int64_t inputs) const {
    return *this ? std::int64_t(gates()) * size * (inputs + size + 2) : 0;
  }
};

}  // namespace shoal
