// Random and quasi-random numbers of the profile searches: each a function of the seed and of where in the search it is
// used.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace shoal {

/// LibTorch's generator for the `index`-th use of `stream`.
at::Generator search_generator(std::uint32_t seed, std::int64_t index, std::uint32_t stream = 0);

/// The first points of a scrambled Sobol sequence (Owen, 1998; LibTorch's direction numbers), [count, dimensions] f64
/// in [0, 1).
at::Tensor scrambled_sobol(int count, int dimensions, at::Generator generator);

}  // namespace shoal
