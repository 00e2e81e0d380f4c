// Arrays: shoal's own, attached ones, and as DLPack tensors.
#include <dlpack/dlpack.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "c/c_simulator.hpp"

namespace shoal {

namespace {

using test::CSimulator;
using test::expect_error;

shoal_array floats(float* data, std::int64_t n, std::int64_t agents, std::int64_t width = 0) {
  return {.data = data,
          .type = SHOAL_F32,
          .device = SHOAL_CPU,
          .rank = width ? 3 : 2,
          .shape = {n, agents, width},
          .strides = {}};
}

shoal_status attach(CSimulator const& c, int which, shoal_array const& array) {
  return shoal_attach(c.handle, which, 0, &array, sizeof array);
}

TEST(CArrays, OwnOnesAreContiguousAndStay) {
  CSimulator const c("market", nullptr, 4);
  auto const a = c.array(SHOAL_OBSERVATIONS);
  EXPECT_EQ(a.rank, 3);
  EXPECT_EQ(a.shape[0], 4);
  EXPECT_EQ(a.strides[2], 1);
  EXPECT_EQ(a.strides[1], a.shape[2]);
  EXPECT_EQ(a.strides[0], a.shape[1] * a.shape[2]);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data) % 256, 0u);
  EXPECT_EQ(c.array(SHOAL_OBSERVATIONS).data, a.data);
  EXPECT_EQ(c.array(SHOAL_METRIC_EPISODES).rank, 1);
  EXPECT_EQ(c.array(SHOAL_ENDED).type, SHOAL_U8);
}

TEST(CArrays, StepsReadAndWriteAttachedMemory) {
  CSimulator const own("market", nullptr, 3), c("market", nullptr, 3);
  auto const group = c.group();
  auto const size = std::size_t(3 * group.agents * group.observation_width);
  std::vector<float> observations(2 * size, -1), actions(std::size_t(3 * group.agents * group.continuous));
  // Every other instance row of a larger array: outer strides of the caller's.
  auto in = floats(observations.data(), 3, group.agents, group.observation_width);
  in.strides[0] = 2 * group.agents * group.observation_width;
  in.strides[1] = group.observation_width;
  in.strides[2] = 1;
  ASSERT_EQ(attach(c, SHOAL_OBSERVATIONS, in), SHOAL_OK) << shoal_last_error();
  ASSERT_EQ(attach(c, SHOAL_CONTINUOUS_ACTIONS, floats(actions.data(), 3, group.agents, group.continuous)), SHOAL_OK);
  EXPECT_EQ(c.array(SHOAL_OBSERVATIONS).data, observations.data());
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  ASSERT_EQ(shoal_reset(own.handle), SHOAL_OK);
  own.step(0);
  std::memcpy(actions.data(), own.array(SHOAL_CONTINUOUS_ACTIONS).data, actions.size() * sizeof(float));
  ASSERT_EQ(shoal_step(c.handle), SHOAL_OK) << shoal_last_error();
  auto const row = size / 3;
  auto const* const expected = own.data<float>(SHOAL_OBSERVATIONS);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        std::equal(expected + i * row, expected + (i + 1) * row, observations.begin() + std::ptrdiff_t(2 * i * row)));
    EXPECT_EQ(observations[(2 * i + 1) * row], -1) << "written between the rows";
  }
  ASSERT_EQ(shoal_attach(c.handle, SHOAL_OBSERVATIONS, 0, nullptr, 0), SHOAL_OK) << shoal_last_error();
  EXPECT_NE(c.array(SHOAL_OBSERVATIONS).data, observations.data());
  ASSERT_EQ(shoal_observe(c.handle), SHOAL_OK);
  EXPECT_TRUE(std::equal(expected, expected + size, c.data<float>(SHOAL_OBSERVATIONS)));
}

TEST(CArrays, WhatDoesNotFitIsRefusedByName) {
  CSimulator const c("market", nullptr, 3);
  auto const group = c.group();
  std::vector<float> memory(std::size_t(3 * group.agents * group.observation_width) + 1);
  auto const good = floats(memory.data(), 3, group.agents, group.observation_width);
  auto const refused = [&](auto change, char const* text) {
    auto bad = good;
    change(bad);
    expect_error(attach(c, SHOAL_OBSERVATIONS, bad), SHOAL_INVALID, text);
  };
  refused([](auto& a) { a.shape[0] = 4; }, "observations: shape [4, ");
  refused([](auto& a) { a.rank = 2; }, "observations: shape [3, ");
  refused([](auto& a) { a.rank = 99; }, "observations: shape [3, ");
  refused([](auto& a) { a.type = SHOAL_I32; }, "type i32: expected f32");
  refused([](auto& a) { a.type = 9; }, "type unknown: expected f32");
  refused([](auto& a) { a.device = SHOAL_CUDA; }, "device cuda: expected cpu");
  refused([](auto& a) { a.data = nullptr; }, "data is null");
  refused([](auto& a) { a.data = static_cast<char*>(a.data) + 1; }, "not aligned to 4 bytes");
  refused([](auto& a) { a.strides[0] = a.strides[1] = a.strides[2] = 1; }, "two elements share a place");
  refused([](auto& a) { a.strides[0] = -1000, a.strides[1] = 100, a.strides[2] = 1; }, "two elements share a place");
  refused([](auto& a) { a.strides[0] = 2 * a.shape[1] * a.shape[2], a.strides[1] = 2 * a.shape[2], a.strides[2] = 2; },
          "the last extent has stride 2, expected 1");
  EXPECT_EQ(attach(c, SHOAL_OBSERVATIONS, good), SHOAL_OK) << shoal_last_error();
  expect_error(attach(c, SHOAL_SUPERTYPES, good), SHOAL_INVALID, "supertypes lie in the simulator's memory");
  expect_error(attach(c, 11, good), SHOAL_INVALID, "array 11: expected one in [0, 11)");
  expect_error(attach(c, -1, good), SHOAL_INVALID, "array -1");
  expect_error(shoal_attach(c.handle, SHOAL_OBSERVATIONS, 1, &good, sizeof good), SHOAL_INVALID, "group 1");
  shoal_array out;
  expect_error(shoal_get_array(c.handle, SHOAL_DISCRETE_ACTIONS, 0, &out, sizeof out), SHOAL_INVALID,
               "has no discrete actions");
}

TEST(CArrays, SupertypesAreObeyed) {
  CSimulator const c("matrix_game", "group_1 = 2", 2);
  shoal_coordinate mean{};
  ASSERT_EQ(shoal_get_coordinate(c.handle, 0, 0, &mean, sizeof mean), SHOAL_OK);
  auto const supertypes = c.array(SHOAL_SUPERTYPES);
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  auto const group = c.group();
  auto const row = std::size_t(group.agents * group.observation_width);
  auto const* const observations = c.data<float>(SHOAL_OBSERVATIONS);
  std::vector<float> const before(observations, observations + 2 * row);
  static_cast<float*>(supertypes.data)[0] = mean.high;  // of instance 0 alone
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  EXPECT_FALSE(std::equal(observations, observations + row, before.begin())) << "types come from the supertypes";
}

/// With a deleter that runs at the end.
using Tensor = std::unique_ptr<DLManagedTensor, void (*)(DLManagedTensor*)>;

Tensor tensor_of(CSimulator const& c, int array) {
  DLManagedTensor* tensor = nullptr;
  EXPECT_EQ(shoal_to_dlpack(c.handle, array, 0, &tensor), SHOAL_OK) << shoal_last_error();
  return {tensor, [](DLManagedTensor* t) { t->deleter(t); }};
}

TEST(CDlpack, DescribesTheArrayWithoutACopy) {
  CSimulator const c("market", nullptr, 3);
  for (int const which : {SHOAL_CONTINUOUS_ACTIONS, SHOAL_OBSERVATIONS, SHOAL_ALIVE, SHOAL_REWARDS, SHOAL_ENDED,
                          SHOAL_FINAL_OBSERVATIONS, SHOAL_SUPERTYPES, SHOAL_METRIC_SUMS, SHOAL_METRIC_EPISODES}) {
    auto const tensor = tensor_of(c, which);
    auto const array = c.array(which);
    auto const& t = tensor->dl_tensor;
    EXPECT_EQ(t.data, array.data);
    EXPECT_EQ(t.device.device_type, kDLCPU);
    ASSERT_EQ(t.ndim, array.rank);
    EXPECT_TRUE(std::equal(t.shape, t.shape + t.ndim, array.shape));
    EXPECT_TRUE(std::equal(t.strides, t.strides + t.ndim, array.strides));
    EXPECT_EQ(t.byte_offset, 0u);
    EXPECT_EQ(t.dtype.code, array.type == SHOAL_F32 ? kDLFloat : array.type == SHOAL_I32 ? kDLInt : kDLUInt);
    EXPECT_EQ(t.dtype.bits, array.type == SHOAL_U8 ? 8 : 32);
    EXPECT_EQ(t.dtype.lanes, 1);
  }
}

// Of the simulator's own arrays too, whose memory is that of the whole simulator. The address sanitizer watches.
TEST(CDlpack, OutlivesTheSimulator) {
  std::vector<Tensor> tensors;
  std::vector<float> expected;
  {
    CSimulator const c("market", nullptr, 3, 2);
    ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
    for (int const which : {SHOAL_OBSERVATIONS, SHOAL_SUPERTYPES, SHOAL_METRIC_SUMS}) {
      tensors.push_back(tensor_of(c, which));
      expected.push_back(static_cast<float*>(tensors.back()->dl_tensor.data)[0]);
    }
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto* const data = static_cast<float*>(tensors[i]->dl_tensor.data);
    EXPECT_EQ(data[0], expected[i]);
    data[0] = 1;
  }
  std::thread([&] { tensors.clear(); }).join();
}

TEST(CDlpack, OfAttachedMemoryOwnsNothing) {
  std::vector<float> rewards(6);
  Tensor tensor(nullptr, [](DLManagedTensor*) {});
  {
    CSimulator const c("market", "merchants = 2", 3);
    c.array(SHOAL_REWARDS);
    ASSERT_EQ(attach(c, SHOAL_REWARDS, floats(rewards.data(), 3, 2)), SHOAL_OK) << shoal_last_error();
    tensor = tensor_of(c, SHOAL_REWARDS);
  }
  EXPECT_EQ(tensor->dl_tensor.data, rewards.data());
}

}  // namespace

}  // namespace shoal
