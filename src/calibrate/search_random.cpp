#include "src/calibrate/search_random.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "shoal/core/random.hpp"

namespace shoal {

at::Generator search_generator(std::uint32_t seed, std::int64_t index, std::uint32_t stream) {
  return at::detail::createCPUGenerator(derived_seed(seed, Purpose::search, std::uint32_t(index), stream));
}

// As torch.quasirandom.SobolEngine does it; C++ has only its operators.
at::Tensor scrambled_sobol(int count, int dimensions, at::Generator generator) {
  constexpr int bits = 30;
  auto const whole = at::TensorOptions().dtype(at::kLong);
  auto state = at::zeros({dimensions, bits}, whole);
  at::_sobol_engine_initialize_state_(state, dimensions);
  auto const powers = at::pow(2, at::arange(bits, whole));
  auto const shift = (at::randint(2, {dimensions, bits}, generator, whole) * powers).sum(1);
  at::_sobol_engine_scramble_(state, at::randint(2, {dimensions, bits, bits}, generator, whole).tril(), dimensions);
  auto const first = shift.to(at::kDouble).unsqueeze(0) / double(1 << bits);
  if (count == 1) return first;
  auto const rest = std::get<0>(
      at::_sobol_engine_draw(shift.clone(), count - 1, state, dimensions, /*num_generated=*/0, at::kDouble));
  return at::cat({first, rest});
}

}  // namespace shoal
