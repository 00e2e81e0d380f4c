// One step of Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1) over one flat array, the gradient's norm cut first:
// the bodies that the CPU and CUDA share. Step counter and rate lie on the device, so that a captured graph stays
// valid. Reference: at::_fused_adam_ (tests/ops/adam_test.cpp).
#pragma once

#include <cmath>
#include <cstdint>

#include "shoal/core/team.hpp"

namespace shoal {

struct AdamArgs {
  static constexpr std::int64_t chunk = 4096;
  static constexpr double beta1 = 0.9, beta2 = 0.999;
  static constexpr float epsilon = 1e-5f;  // as PPO's implementations have it (Huang et al., 2022)

  float* parameters;
  float const* gradients;
  float *mean, *variance;  // of the gradients, running
  std::int64_t count;      // of all four
  float max_norm;          // of the gradient; 0: any
  float const* rate;       // one value
  float* step;             // one value: how many steps there were; grows by one
  double* partials;        // [chunks() + 3]: sums of squares, and then what adam_prepare() finds

  SHOAL_FN std::int64_t chunks() const { return (count + chunk - 1) / chunk; }
  SHOAL_FN double* found() const { return partials + chunks(); }
};

/// The sum of squares of one chunk of the gradient.
template <class Team>
SHOAL_FN void adam_chunk(Team team, AdamArgs const& args, std::int64_t c) {
  auto const begin = c * AdamArgs::chunk;
  auto const left = args.count - begin;
  int const n = int(left < AdamArgs::chunk ? left : AdamArgs::chunk);
  double const squares = team.sum(n, [&](int i) {
    double const g = args.gradients[begin + i];
    return g * g;
  });
  team.once([&] { args.partials[c] = squares; });
}

/// Counts the step, and finds [0] the factor of the gradient, [1] the step size, [2] the factor of sqrt(variance).
template <class Team>
SHOAL_FN void adam_prepare(Team team, AdamArgs const& args) {
  double const norm = sqrt(team.sum(int(args.chunks()), [&](int c) { return args.partials[c]; }));
  team.once([&] {
    double const t = *args.step += 1;
    double* const found = args.found();
    found[0] = args.max_norm > 0 && norm > double(args.max_norm) ? double(args.max_norm) / norm : 1.0;
    found[1] = double(*args.rate) / (1 - pow(AdamArgs::beta1, t));
    found[2] = 1 / sqrt(1 - pow(AdamArgs::beta2, t));
  });
}

SHOAL_FN void adam_element(AdamArgs const& args, std::int64_t i) {
  double const* const found = args.found();
  float const g = args.gradients[i] * float(found[0]);
  float const mean = args.mean[i] += (1 - float(AdamArgs::beta1)) * (g - args.mean[i]);
  float const variance = args.variance[i] += (1 - float(AdamArgs::beta2)) * (g * g - args.variance[i]);
  args.parameters[i] -= float(found[1]) * mean / (sqrtf(variance) * float(found[2]) + AdamArgs::epsilon);
}

}  // namespace shoal
