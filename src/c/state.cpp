#include "c/state.hpp"

#include <string_view>
#include <vector>

#include "c/call.hpp"
#include "shoal/core/hash.hpp"

namespace shoal::c {

namespace {

struct Header {
  std::uint64_t fingerprint, checksum;
};

void add(TrajectoryHash& hash, std::string_view text) {
  hash.add(std::uint64_t(text.size()));
  for (char const c : text) hash.add(std::uint32_t(static_cast<unsigned char>(c)));
}

std::uint64_t checksum(std::span<std::byte const> bytes) {
  TrajectoryHash hash;
  for (auto const b : bytes) hash.add(std::uint32_t(b));
  return hash.value();
}

void check_size(OpenSimulator const& s, std::size_t size) {
  if (size != state_bytes(s))
    throw InputError(fmt::format("an instance's state of {} bytes: expected {}", size, state_bytes(s)));
}

}  // namespace

std::uint64_t fingerprint(std::string const& environment, Settings const& params) {
  TrajectoryHash hash;
  hash.add(std::uint32_t(SHOAL_VERSION_NUMBER));
  add(hash, environment);
  for (auto const& [key, value] : params) {
    add(hash, key);
    add(hash, to_text(value));
  }
  return hash.value();
}

std::size_t state_bytes(OpenSimulator const& s) { return sizeof(Header) + s.simulator->state_size(); }

void export_state(OpenSimulator& s, int instance, std::span<std::byte> bytes) {
  check_size(s, bytes.size());
  auto const state = bytes.subspan(sizeof(Header));
  s.simulator->export_state(instance, state);
  Header const header{s.fingerprint, checksum(state)};
  std::memcpy(bytes.data(), &header, sizeof header);
}

void import_state(OpenSimulator& s, int instance, std::span<std::byte const> bytes) {
  check_size(s, bytes.size());
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  auto const state = bytes.subspan(sizeof header);
  if (header.fingerprint != s.fingerprint)
    throw InputError("the state is of another environment, of other parameters or of another version of shoal");
  if (header.checksum != checksum(state)) throw InputError("the state is damaged: its checksum differs");
  s.simulator->import_state(instance, state);
}

}  // namespace shoal::c
