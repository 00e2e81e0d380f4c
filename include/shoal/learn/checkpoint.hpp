// Checkpoint files: named tensors and texts in LibTorch's archive format, written aside and renamed.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "shoal/core/error.hpp"

namespace shoal {

/// A file that is cut short, or that no shoal has written.
struct BrokenCheckpoint : InputError {
  using InputError::InputError;
};

struct Checkpoint {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> texts;
};

/// @throws Error if the file cannot be written whole; what stood under that name then stays
void write_checkpoint(std::string const& path, Checkpoint const& checkpoint);

/// The tensors are on the CPU.
/// @throws BrokenCheckpoint, or InputError for a missing file or one of another version
Checkpoint read_checkpoint(std::string const& path);

}  // namespace shoal
