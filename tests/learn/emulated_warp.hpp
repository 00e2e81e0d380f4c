// A warp with tensor cores, on the CPU: what infer_tf32.hpp is written against.
#pragma once

#include <algorithm>
#include <cmath>

namespace shoal::test {

/// Multiplies as PTX's documentation of mma.m16n8k8 with .tf32 says, in the precision that tensor cores are known to have at least: the
/// nine terms of a sum are cut to 24 bits of the largest, and the sum is cut to a float. (Fasi, Higham, Mikaitis, Pranesh, 2021,
/// find one to three bits more.)
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
    double largest = 0, sum = 0;
    for (double const x : terms) largest = std::max(largest, std::abs(x));
    if (largest == 0) return 0;
    double const unit = std::ldexp(1.0, std::ilogb(largest) - 23);
    for (double const x : terms) sum += std::trunc(x / unit);
    auto const nearest = float(sum * unit);
    return std::abs(double(nearest)) > std::abs(sum * unit) ? std::nextafter(nearest, 0.0f) : nearest;
  }
};

}  // namespace shoal::test
