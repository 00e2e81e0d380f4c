#include "src/train/figures.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

namespace shoal {

void Figures::put(std::string const& name, at::Tensor const& values) {
  at::NoGradGuard const no_grad;
  if (pieces_.empty()) places_.clear();  // another list begins
  auto const flat = values.to(at::kDouble).flatten();
  places_[name] = {size_, std::size_t(flat.numel())};
  size_ += std::size_t(flat.numel());
  pieces_.push_back(flat);
}

void Figures::gather() {
  at::NoGradGuard const no_grad;
  device_ = at::cat(pieces_);
  pieces_.clear();
  size_ = 0;
}

void Figures::read() { host_ = device_.cpu(); }

std::span<double const> Figures::operator[](std::string const& name) const {
  auto const& place = places_.at(name);
  return {host_.data_ptr<double>() + place.begin, place.count};
}

bool Figures::are_finite_without(std::string const& name) const {
  for (auto const& [other, place] : places_) {
    auto const values = (*this)[other];
    if (other != name && !std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
      return false;
  }
  return true;
}

}  // namespace shoal
