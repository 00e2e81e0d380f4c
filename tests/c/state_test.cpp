// States of instances: there and back, and what is refused.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "c/c_simulator.hpp"

namespace shoal {

namespace {

using test::CSimulator;
using test::expect_error;

std::vector<std::byte> exported(CSimulator const& c, int instance) {
  std::size_t size = 0;
  EXPECT_EQ(shoal_state_size(c.handle, &size), SHOAL_OK);
  std::vector<std::byte> bytes(size);
  EXPECT_EQ(shoal_export_state(c.handle, instance, bytes.data(), size), SHOAL_OK) << shoal_last_error();
  return bytes;
}

TEST(CState, AnotherSimulatorGoesOnFromIt) {
  CSimulator const a("market", "steps = 50"), b("market", "steps = 50");
  ASSERT_EQ(shoal_reset(a.handle), SHOAL_OK);
  ASSERT_EQ(shoal_reset(b.handle), SHOAL_OK);
  for (int t = 0; t < 10; ++t) a.step(t);
  for (int i = 0; i < 5; ++i) {
    auto const bytes = exported(a, i);
    ASSERT_EQ(shoal_import_state(b.handle, i, bytes.data(), bytes.size()), SHOAL_OK) << shoal_last_error();
  }
  for (int t = 10; t < 20; ++t) {
    a.step(t);
    b.step(t);
    auto const size = std::size_t(5 * a.group().agents) * sizeof(float);
    EXPECT_EQ(std::memcmp(a.array(SHOAL_REWARDS).data, b.array(SHOAL_REWARDS).data, size), 0) << t;
    auto const more = size * std::size_t(a.group().observation_width);
    EXPECT_EQ(std::memcmp(a.array(SHOAL_OBSERVATIONS).data, b.array(SHOAL_OBSERVATIONS).data, more), 0) << t;
  }
}

TEST(CState, WhatIsNoneIsRefused) {
  CSimulator const a("market", "steps = 50"), other("market", "steps = 51");
  ASSERT_EQ(shoal_reset(a.handle), SHOAL_OK);
  ASSERT_EQ(shoal_reset(other.handle), SHOAL_OK);
  auto bytes = exported(a, 0);
  auto const import = [&](CSimulator const& c, int instance, std::size_t size) {
    return shoal_import_state(c.handle, instance, bytes.data(), size);
  };
  expect_error(import(a, 5, bytes.size()), SHOAL_INVALID, "instance 5: expected one in [0, 5)");
  expect_error(import(a, -1, bytes.size()), SHOAL_INVALID, "instance -1");
  expect_error(import(a, 0, bytes.size() - 1), SHOAL_INVALID, "bytes: expected");
  expect_error(import(other, 0, bytes.size()), SHOAL_INVALID, "of other parameters");
  bytes.back() ^= std::byte{1};
  expect_error(import(a, 0, bytes.size()), SHOAL_INVALID, "damaged");
  EXPECT_EQ(import(a, 0, 0), SHOAL_INVALID);
}

}  // namespace

}  // namespace shoal
