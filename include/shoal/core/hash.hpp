// A number that two equal trajectories share and two different ones almost surely do not: FNV-1a over 32-bit words.
#pragma once

#include <cstdint>
#include <cstring>

namespace shoal {

class TrajectoryHash {
 public:
  void add(std::uint32_t word) { value_ = (value_ ^ word) * 1099511628211ull; }
  void add(float x) {
    std::uint32_t word;
    std::memcpy(&word, &x, sizeof word);
    add(word);
  }
  void add(std::uint64_t x) {
    add(std::uint32_t(x));
    add(std::uint32_t(x >> 32));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037ull;
};

}  // namespace shoal
