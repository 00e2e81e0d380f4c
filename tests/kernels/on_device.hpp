// What the tests of kernels share: a fixture that skips without a device, and comparison to the bit.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "shoal/core/cuda_check.hpp"
#include "shoal/core/view.hpp"

namespace shoal {

class CudaTest : public testing::Test {
 protected:
  void SetUp() override {
    if (auto const why = cuda::no_device(); !why.empty()) GTEST_SKIP() << "no CUDA device: " << why;
  }
};

/// Copies device memory that only a view knows.
template <class T, int Rank>
std::vector<T> to_host(View<T, Rank> view) {
  std::vector<T> values(std::size_t(view.size()));
  SHOAL_CUDA_CHECK(cudaMemcpy(values.data(), view.data, values.size() * sizeof(T), cudaMemcpyDefault));
  return values;
}

/// The first place where two arrays of [instances, agents, width] differ in a bit; empty: none.
template <class T>
std::string difference(char const* name, std::vector<T> const& a, std::vector<T> const& b, int instances, int agents) {
  if (a.size() != b.size()) return std::string(name) + ": sizes differ";
  if (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0) return {};
  std::size_t at = 0;
  while (std::memcmp(&a[at], &b[at], sizeof(T)) == 0) ++at;
  auto const width = a.size() / std::size_t(instances) / std::size_t(agents);
  auto const text = [](T x) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", double(x));
    return std::string(digits);
  };
  return std::string(name) + ": instance " + std::to_string(at / width / std::size_t(agents)) + ", agent " +
         std::to_string(at / width % std::size_t(agents)) + ", column " + std::to_string(at % width) + ": " +
         text(a[at]) + " and " + text(b[at]);
}

}  // namespace shoal
