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
  std::map<std::string, at::Tensor> tensors = {};
  std::map<std::string, std::string> texts = {};
  std::string digest = {};  // of the file that it was read from, 16 hexadecimal digits; not written
};

/// @throws Error if the file cannot be written whole; what stood under that name then stays
void write_checkpoint(std::string const& path, Checkpoint const& checkpoint);

/// The tensors are on the CPU.
/// @throws BrokenCheckpoint; InputError for a missing file or one of another version; Error for one that cannot be read
Checkpoint read_checkpoint(std::string const& path);

/// Checkpoint::digest of a file, read anew: what tells it from another in files that were computed from it.
/// @throws InputError for a missing file, Error for one that cannot be read
std::string checkpoint_digest(std::string const& path);

}  // namespace shoal
