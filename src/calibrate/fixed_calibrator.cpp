#include "shoal/calibrate/fixed_calibrator.hpp"

#include <ATen/ATen.h>

namespace shoal {

FixedCalibrator::FixedCalibrator(ProfileSpace space, at::Tensor const& profile, int instances)
    : Calibrator(std::move(space)), profiles_(profile.expand({instances, -1}).contiguous()) {}

}  // namespace shoal
