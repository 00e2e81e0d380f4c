// What every function of the C interface does around its work: turns exceptions into a status and a message, and fills
// the caller's structs.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "shoal.h"
#include "shoal/core/error.hpp"

namespace shoal::c {

/// An error with a status of its own.
struct StatusError : Error {
  StatusError(shoal_status code, std::string const& message) : Error(message), status(code) {}
  shoal_status status;
};

/// Within a catch block: keeps the exception's message for shoal_last_error(). @return its status
shoal_status status_of_exception(char const* function) noexcept;

template <class F>
shoal_status guarded(char const* function, F f) noexcept {
  try {
    f();
    return SHOAL_OK;
  } catch (...) {
    return status_of_exception(function);
  }
}

/// @throws InputError for a null pointer
template <class T>
T& checked(T* pointer, char const* name) {
  if (!pointer) throw InputError(fmt::format("{} is null", name));
  return *pointer;
}

/// @throws InputError for a number outside [0, count)
inline std::size_t checked_index(char const* name, int index, std::size_t count) {
  if (index < 0 || std::size_t(index) >= count)
    throw InputError(fmt::format("{} {}: expected one in [0, {})", name, index, count));
  return std::size_t(index);
}

/// Of a struct that an older or newer header describes, the part that both know; the rest of the caller's is 0.
template <class T>
void fill(T* out, std::size_t size, T const& value) {
  checked(out, "the struct to fill");
  if (size < sizeof(char const*)) throw InputError(fmt::format("size = {}: expected sizeof of the struct", size));
  std::memset(static_cast<void*>(out), 0, size);
  std::memcpy(static_cast<void*>(out), &value, std::min(size, sizeof value));
}

/// The caller's struct; fields that an older header lacks are 0.
template <class T>
T read(T const* in, std::size_t size) {
  T value{};
  std::memcpy(static_cast<void*>(&value), in, std::min(size, sizeof value));
  return value;
}

}  // namespace shoal::c
