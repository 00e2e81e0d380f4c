#include "c/call.hpp"

#include <exception>
#include <new>

namespace shoal::c {

namespace {

thread_local std::string last_error;
thread_local bool message_lost = false;  // no memory for it

shoal_status keep(shoal_status status, char const* function, char const* message) noexcept {
  try {
    last_error = fmt::format("{}: {}", function, message);
    message_lost = false;
  } catch (...) {
    message_lost = true;
  }
  return status;
}

}  // namespace

shoal_status status_of_exception(char const* function) noexcept {
  try {
    throw;
  } catch (StatusError const& error) {
    return keep(error.status, function, error.what());
  } catch (InputError const& error) {
    return keep(SHOAL_INVALID, function, error.what());
  } catch (std::bad_alloc const&) {
    return keep(SHOAL_NO_MEMORY, function, "not enough memory");
  } catch (std::length_error const&) {  // of a container that could not have so many elements
    return keep(SHOAL_NO_MEMORY, function, "not enough memory");
  } catch (std::exception const& error) {
    return keep(SHOAL_FAILED, function, error.what());
  } catch (...) {
    return keep(SHOAL_FAILED, function, "unknown exception");
  }
}

}  // namespace shoal::c

char const* shoal_last_error(void) {
  return shoal::c::message_lost ? "not enough memory" : shoal::c::last_error.c_str();
}

int32_t shoal_version(void) { return SHOAL_VERSION_NUMBER; }
