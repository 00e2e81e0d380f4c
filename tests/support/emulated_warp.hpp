// A warp with tensor cores, on the CPU: what infer_tf32.hpp is written against.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace shoal::test {

/// Multiplies as PTX's documentation of mma.m16n8k8 with .tf32 says, and adds as Fasi, Higham, Mikaitis and Pranesh
/// (2021) found tensor cores to add, without the bits that newer ones keep beyond: the nine terms of a sum are cut to
/// 24 bits of the largest, and the sum is cut to a float.
struct EmulatedWarp {
  static constexpr int held = 32;

  template <class F>
  void each_lane(F f) const {
    for (int lane = held - 1; lane >= 0; --lane) f(lane, lane);
  }
  void sync() const {}

  void multiply(float (&sums)[held][4], float const (&a)[held][4], float const (&b)[held][2]) const {
    for (int lane = 0; lane < held; ++lane)
      for (int i = 0; i < 4; ++i) {
        int const row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        double terms[9];
        for (int k = 0; k < 8; ++k)
          terms[k] = double(a[row % 8 * 4 + k % 4][k / 4 * 2 + row / 8]) * double(b[column * 4 + k % 4][k / 4]);
        terms[8] = sums[lane][i];
        sums[lane][i] = sum_of(terms);
      }
  }

 private:
  static float sum_of(double const (&terms)[9]) {
    double largest = 0, plain = 0, sum = 0;
    for (double const x : terms) largest = std::max(largest, std::abs(x)), plain += x;
    if (largest == 0 || !std::isfinite(plain)) return float(plain);
    auto const exponent = std::bit_cast<std::uint64_t>(largest) & 0x7ff0000000000000u;
    double const unit = std::bit_cast<double>(exponent - (std::uint64_t(23) << 52));  // the largest's 24th bit
    double const inverse = 1 / unit;
    for (double const x : terms) sum += std::trunc(x * inverse);
    auto const nearest = float(sum * unit);
    return std::abs(double(nearest)) > std::abs(sum * unit) ? std::nextafter(nearest, 0.0f) : nearest;
  }
};

}  // namespace shoal::test
