// Checkpoint files: named tensors and texts in LibTorch's archive format, written aside and renamed.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace shoal {

struct Checkpoint {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> texts;
};

/// @throws InputError if the file cannot be written whole; what stood under that name then stays
void write_checkpoint(std::string const& path, Checkpoint const& checkpoint);

/// The tensors are on the CPU.
/// @throws InputError for a missing, broken or foreign file
Checkpoint read_checkpoint(std::string const& path);

}  // namespace shoal
