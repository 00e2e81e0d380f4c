#include "src/python/stream.hpp"

#include <fmt/format.h>

#include "shoal/core/error.hpp"

namespace shoal::python {

namespace {
constexpr std::int64_t legacy = 1;
}

StreamRequest parse_stream(std::optional<std::int64_t> stream) {
  std::int64_t const number = stream.value_or(legacy);
  if (number == -1) return {false, 0};
  if (number < legacy)
    throw InputError(
        fmt::format("stream = {}: expected None or 1 (the legacy default stream), 2 (the per-thread default stream), "
                    "the address of a cudaStream_t, or -1 (no synchronization)",
                    number));
  return {true, number == legacy ? 0 : std::uintptr_t(number)};
}

std::int64_t stream_number(std::uintptr_t handle) { return handle == 0 ? legacy : std::int64_t(handle); }

}  // namespace shoal::python
