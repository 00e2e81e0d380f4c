#include "shoal/calibrate/profile_space.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "shoal/core/error.hpp"

namespace shoal {

ProfileSpace::ProfileSpace(Spec const& spec, at::Device device) {
  std::vector<float> low, range, initial;
  std::vector<std::int64_t> columns;
  for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
    for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c) {
      auto const& coordinate = spec.supertypes[s].coordinates[c];
      names_.push_back(spec.supertypes[s].name + "." + coordinate.name);
      low.push_back(coordinate.low);
      range.push_back(coordinate.high - coordinate.low);
      initial.push_back((coordinate.initial - coordinate.low) / (coordinate.high - coordinate.low));
      columns.push_back(std::int64_t(s) * spec.coordinates() + std::int64_t(c));
    }
  if (names_.empty()) throw InputError("a calibrator needs an environment with supertype coordinates");
  low_ = at::tensor(low).to(device);
  range_ = at::tensor(range).to(device);
  initial_ = at::tensor(initial).to(device);
  columns_ = at::tensor(columns).to(device);
}

at::Tensor ProfileSpace::scaled(at::Tensor const& unit) const { return low_ + range_ * unit; }

at::Tensor ProfileSpace::checked(std::vector<double> const& profile) const {
  if (int(profile.size()) != size())
    throw SettingError("calibrator.profile", fmt::format(": {} values, expected {}, one a coordinate from {} to {}",
                                                         profile.size(), size(), names_.front(), names_.back()));
  auto const low = low_.cpu(), range = range_.cpu();
  auto const values = at::tensor(profile, at::kFloat);
  auto const outside = ((values - low) / range - 0.5).abs() > 0.5 + 1e-6;
  for (int d = 0; d < size(); ++d)
    if (outside[d].item<bool>())
      throw SettingError("calibrator.profile",
                         fmt::format(": {} = {}: expected a number in [{}, {}]", names_[std::size_t(d)],
                                     profile[std::size_t(d)], low[d].item<float>(), (low + range)[d].item<float>()));
  return values.to(low_.device());
}

void ProfileSpace::write(at::Tensor const& profiles, at::Tensor const& supertypes) const {
  supertypes.flatten(1, 2).index_copy_(1, columns_, profiles);
}

}  // namespace shoal
