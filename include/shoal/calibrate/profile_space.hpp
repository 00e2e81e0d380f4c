// The space that calibrators move in: every coordinate of every supertype, side by side in one vector, the profile.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "shoal/env/spec.hpp"

namespace shoal {

/// Of D coordinates. Unit: scaled by the bounds to [0, 1].
class ProfileSpace {
 public:
  /// @throws InputError for an environment without coordinates
  ProfileSpace(Spec const& spec, at::Device device);

  int size() const { return int(names_.size()); }
  /// "supertype_1.link_3", in the order of the profile.
  std::vector<std::string> const& names() const { return names_; }
  at::Tensor const& low() const { return low_; }          // [D] f32
  at::Tensor const& range() const { return range_; }      // [D] f32, upper less lower bounds
  at::Tensor const& initial() const { return initial_; }  // [D] f32, unit

  /// Profiles in the coordinates' own units from unit ones, both [..., D].
  at::Tensor scaled(at::Tensor const& unit) const;

  /// A profile that a user gave, in the coordinates' own units.
  /// @throws SettingError about calibrator.profile if it has another length or leaves the bounds
  at::Tensor checked(std::vector<double> const& profile) const;

  /// Writes profiles [B, D], in the coordinates' own units, into a supertype buffer [B, supertypes, coordinates].
  void write(at::Tensor const& profiles, at::Tensor const& supertypes) const;

 private:
  std::vector<std::string> names_;
  at::Tensor low_, range_, initial_;
  at::Tensor columns_;  // [D] i64: places in a row of the supertype buffer
};

}  // namespace shoal
