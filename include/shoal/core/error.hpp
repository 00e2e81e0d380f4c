// The errors that shoal throws. Messages are one line and name what was wrong and what was expected.
#pragma once

#include <stdexcept>
#include <string>

namespace shoal {

/// Something failed: a non-finite loss, a CUDA call.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What the caller gave is at fault: configuration, data file, checkpoint, actions, shapes, a full disk. The program
/// exits with 2.
struct InputError : Error {
  using Error::Error;
};

/// An InputError about one named setting. `key` is without its section until somebody who knows it adds it.
struct SettingError : InputError {
  SettingError(std::string setting, std::string const& problem)
      : InputError(setting + problem), key(std::move(setting)), message(problem) {}
  std::string key;      // "penalty"
  std::string message;  // " = 3: expected one of ..."
};

}  // namespace shoal
