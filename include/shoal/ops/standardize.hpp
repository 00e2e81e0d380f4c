// Standardises a chosen subset of an array to mean 0 and standard deviation 1: the bodies that the CPU and CUDA share.
// The sums are taken over chunks of fixed size and then over the chunks, so one input has one result on every backend.
#pragma once

#include <cmath>
#include <cstdint>

#include "shoal/core/team.hpp"

namespace shoal {

struct StandardizeArgs {
  static constexpr std::int64_t chunk = 4096;

  float* values;
  std::int64_t const* index;  // [count]: which elements of `values` take part
  std::int64_t count;
  /// [2, chunks()]: sums and sums of squares; after fold_moments [0] holds the mean, [1] 1 / (sd + 1e-8).
  double* partials;
  /// Of the elements of `values`, with mean 1 over the chosen ones: weighted moments. Null: 1.
  float const* weights = nullptr;

  SHOAL_FN std::int64_t chunks() const { return (count + chunk - 1) / chunk; }
};

/// Sums of one chunk.
template <class Team>
SHOAL_FN void chunk_moments(Team team, StandardizeArgs const& args, std::int64_t c) {
  auto const begin = c * StandardizeArgs::chunk;
  auto const left = args.count - begin;
  int const n = int(left < StandardizeArgs::chunk ? left : StandardizeArgs::chunk);
  auto const value = [&](int i) { return double(args.values[args.index[begin + i]]); };
  auto const weight = [&](int i) { return args.weights ? double(args.weights[args.index[begin + i]]) : 1.0; };
  double const sum = team.sum(n, [&](int i) { return weight(i) * value(i); });
  double const squares = team.sum(n, [&](int i) { return weight(i) * value(i) * value(i); });
  team.once([&] {
    args.partials[c] = sum;
    args.partials[args.chunks() + c] = squares;
  });
}

/// Mean and reciprocal standard deviation (of the population) from the chunks' sums.
template <class Team>
SHOAL_FN void fold_moments(Team team, StandardizeArgs const& args) {
  int const chunks = int(args.chunks());
  double const mean = team.sum(chunks, [&](int c) { return args.partials[c]; }) / double(args.count);
  double const square = team.sum(chunks, [&](int c) { return args.partials[chunks + c]; }) / double(args.count);
  double const variance = square - mean * mean;
  team.once([&] {
    args.partials[0] = mean;
    args.partials[1] = 1 / (sqrt(variance > 0 ? variance : 0.0) + 1e-8);
  });
}

SHOAL_FN void standardize_element(StandardizeArgs const& args, std::int64_t i) {
  float& value = args.values[args.index[i]];
  value = float((double(value) - args.partials[0]) * args.partials[1]);
}

}  // namespace shoal
