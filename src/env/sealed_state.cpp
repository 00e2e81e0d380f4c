#include "src/env/sealed_state.hpp"

#include <cstring>

#include "shoal/core/hash.hpp"

namespace shoal {

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

}  // namespace

std::uint64_t state_fingerprint(std::string_view version, std::string const& environment, Settings const& params) {
  TrajectoryHash hash;
  add(hash, version);
  add(hash, environment);
  for (auto const& [key, value] : params) {
    add(hash, key);
    add(hash, to_text(value));
  }
  return hash.value();
}

std::size_t sealed_size(Simulator const& simulator) { return sizeof(Header) + simulator.state_size(); }

void export_sealed(Simulator& simulator, std::uint64_t fingerprint, int instance, std::span<std::byte> bytes) {
  auto const state = bytes.subspan(sizeof(Header));
  simulator.export_state(instance, state);
  Header const header{fingerprint, checksum(state)};
  std::memcpy(bytes.data(), &header, sizeof header);
}

SealProblem import_sealed(Simulator& simulator, std::uint64_t fingerprint, int instance,
                          std::span<std::byte const> bytes) {
  if (bytes.size() < sizeof(Header)) return SealProblem::damaged;
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  auto const state = bytes.subspan(sizeof header);
  if (header.fingerprint != fingerprint) return SealProblem::foreign;
  if (header.checksum != checksum(state)) return SealProblem::damaged;
  simulator.import_state(instance, state);
  return SealProblem::none;
}

}  // namespace shoal
