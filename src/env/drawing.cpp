#include "shoal/env/drawing.hpp"

#include <fmt/format.h>

#include <cmath>

namespace shoal {

std::string number_text(double x, int decimals, int width) {
  double const unit = std::pow(10.0, -decimals);
  if (std::abs(x) < unit / 2) x = 0;  // not -0.0
  return fmt::format("{:{}.{}f}", x, width, decimals);
}

}  // namespace shoal
