// Random search: the initial profile, then uniform ones.
#pragma once

#include "shoal/calibrate/search_calibrator.hpp"

namespace shoal {

class RandomSearch final : public ProfileSearch {
 public:
  RandomSearch(at::Tensor initial, std::uint32_t seed) : initial_(std::move(initial)), seed_(seed) {}
  at::Tensor next(SearchHistory const& history) const override;

 private:
  at::Tensor initial_;
  std::uint32_t seed_;
};

}  // namespace shoal
