// exp, log, cosine and tanh that give the same bits on the CPU and on CUDA, where libm and libdevice differ. Only IEEE
// operations, compiled without contraction into FMA. Errors against the exact value, in units in the last place: log
// and exp below 1, cos_turn below 2, tanh below 7 (tests/core/math_test.cpp).
#pragma once

#include <cstdint>
#include <cstring>

#include "shoal/core/host_device.hpp"

#ifdef __FAST_MATH__
#error "shoal: results depend on IEEE arithmetic; compile without -ffast-math, and with -ffp-contract=off"
#endif

namespace shoal {

namespace detail {
template <class To, class From>
SHOAL_FN To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}
}  // namespace detail

template <class T>
SHOAL_FN T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
SHOAL_FN T max(T a, T b) {
  return a < b ? b : a;
}

/// x limited to [low, high]. A NaN becomes low, so that no bad action can reach an integer conversion.
SHOAL_FN float clamp(float x, float low, float high) { return x > low ? (x < high ? x : high) : low; }

/// Natural logarithm of a normal positive float.
SHOAL_FN float log(float x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)); log m by a polynomial in f = m - 1 (Cephes' logf coefficients).
  auto const bits = detail::bit_cast<std::uint32_t>(x);
  int e = int(bits >> 23) - 126;
  float m = detail::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);  // [1/2, 1)
  bool const low = m < 0.707106781186547524f;
  e -= low ? 1 : 0;
  float const f = (low ? m + m : m) - 1.0f;
  float const z = f * f;
  float y = 7.0376836292e-2f;
  y = y * f - 1.1514610310e-1f;
  y = y * f + 1.1676998740e-1f;
  y = y * f - 1.2420140846e-1f;
  y = y * f + 1.4249322787e-1f;
  y = y * f - 1.6668057665e-1f;
  y = y * f + 2.0000714765e-1f;
  y = y * f - 2.4999993993e-1f;
  y = y * f + 3.3333331174e-1f;
  y = y * f * z;
  y += -2.12194440e-4f * float(e);
  y += -0.5f * z;
  return (f + y) + 0.693359375f * float(e);
}

/// e^x, for x in [-87, 88]; limited to that range outside it, where a NaN counts as -87.
SHOAL_FN float exp(float x) {
  x = clamp(x, -87.0f, 88.0f);
  float const scaled = x * 1.44269504088896341f;
  int const n = int(scaled + (scaled < 0 ? -0.5f : 0.5f));
  float const r = (x - float(n) * 0.693359375f) - float(n) * -2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = (y * (r * r) + r) + 1.0f;
  return y * detail::bit_cast<float>(std::uint32_t(n + 127) << 23);
}

/// a * b + c, rounded once where the processor can: faster, but not the same bits on one that cannot. For learners,
/// which need not repeat each other's bits; trajectories do.
SHOAL_FN float multiply_add(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return fmaf(a, b, c);
#elif defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

/// The ratio of polynomials that is tanh(x) for |x| <= tanh_limit, to a relative error below 1e-8 before rounding. A
/// number, or a vector of numbers with its own multiply_add.
template <class T, class MultiplyAdd>
SHOAL_FN T tanh_ratio(T x, MultiplyAdd multiply_add) {
  T const z = x * x;
  T p = T{} + 1.78710744e-2f;
  p = multiply_add(p, z, T{} + 25.6904259f);
  p = multiply_add(p, z, T{} + 4190.75293f);
  p = multiply_add(p, z, T{} + 157751.109f);
  p = multiply_add(p, z, T{} + 1173349.38f);
  T q = z + 400.267090f;
  q = multiply_add(q, z, T{} + 30700.1113f);
  q = multiply_add(q, z, T{} + 548867.5f);
  q = multiply_add(q, z, T{} + 1173349.38f);
  return x * p / q;
}

/// Where the ratio is 1, with and without the single rounding of multiply_add.
inline constexpr float tanh_limit = 7.90886736f;

/// Hyperbolic tangent, free of branches. Uses multiply_add. A NaN stays one, so that a network that diverged cannot
/// hide behind its activation.
SHOAL_FN float tanh(float x) {
  x = x < -tanh_limit ? -tanh_limit : x;
  x = x > tanh_limit ? tanh_limit : x;
  return tanh_ratio(x, [](float a, float b, float c) { return multiply_add(a, b, c); });
}

/// A point on the unit circle.
struct Turn {
  float cosine, sine;
};

/// cos(2 pi u) and sin(2 pi u) for u in [0, 1).
SHOAL_FN Turn turn(float u) {
  // Quarter q = round(4u) leaves an angle a in [-pi/4, pi/4]; u is exact, so is the reduction.
  int const q = int(u * 4.0f + 0.5f);
  float const a = (u - float(q) * 0.25f) * 6.28318530717958648f;
  float const z = a * a;
  float const cosine =
      1.0f - 0.5f * z + z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
  float const sine = a + a * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
  float const x = (q & 1) ? sine : cosine, y = (q & 1) ? cosine : sine;
  return {((q + 1) & 2) ? -x : x,
          (q & 2) ? -y : y};  // cos(a + q pi/2) is cos, -sin, -cos, sin; sin is sin, cos, -sin, -cos
}

SHOAL_FN float cos_turn(float u) { return turn(u).cosine; }

}  // namespace shoal
