// What a test expects to be refused, without LibTorch.
#pragma once

#include <string>

#include "shoal/core/error.hpp"

namespace shoal::test {

/// The message of the InputError that f() throws, or "no error".
template <class F>
std::string input_error(F f) {
  try {
    f();
  } catch (InputError const& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace shoal::test
