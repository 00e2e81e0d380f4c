// Bad input of every kind: a status and a message, no crash, nothing changed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "c/c_simulator.hpp"

extern "C" int call_from_c99(void);

namespace shoal {

namespace {

using test::CSimulator;
using test::expect_error;

shoal_status create(char const* environment, char const* params, shoal_options const* options = nullptr) {
  shoal_simulator* simulator = nullptr;
  auto const status = shoal_create(&simulator, environment, params, options);
  if (status == SHOAL_OK) shoal_close(simulator);
  return status;
}

TEST(CInterface, WorksFromC99) { EXPECT_EQ(call_from_c99(), 0) << shoal_last_error(); }

TEST(CInterface, ListsEnvironmentsAndTheirFields) {
  char const* const* names = nullptr;
  std::int32_t count = 0;
  ASSERT_EQ(shoal_list(&names, &count), SHOAL_OK);
  ASSERT_GE(count, 7);
  bool has_market = false;
  for (int i = 0; i < count; ++i) {
    has_market |= std::string(names[i]) == "market";
    shoal_environment about{};
    EXPECT_EQ(shoal_get_environment(names[i], &about, sizeof about), SHOAL_OK);
    EXPECT_GT(std::strlen(about.summary), 0u);
    for (int f = 0; f < about.fields; ++f) {
      shoal_field field{};
      EXPECT_EQ(shoal_get_field(names[i], f, &field, sizeof field), SHOAL_OK);
      EXPECT_GT(std::strlen(field.name) * std::strlen(field.type) * std::strlen(field.meaning), 0u) << names[i];
    }
  }
  EXPECT_TRUE(has_market);
  shoal_field field{};
  expect_error(shoal_get_field("market", 1000, &field, sizeof field), SHOAL_INVALID, "field 1000: expected one in [0,");
}

TEST(CInterface, TellsTheSpec) {
  CSimulator const c("market", "merchants = 3");
  auto const spec = c.spec();
  EXPECT_EQ(spec.agents, 3);
  auto const group = c.group();
  EXPECT_EQ(group.agents, 3);
  EXPECT_EQ(c.array(SHOAL_OBSERVATIONS).shape[2], group.observation_width);
  auto const supertypes = c.array(SHOAL_SUPERTYPES);
  EXPECT_EQ(supertypes.shape[1], spec.supertypes);
  for (int s = 0; s < spec.supertypes; ++s) {
    shoal_supertype supertype{};
    ASSERT_EQ(shoal_get_supertype(c.handle, s, &supertype, sizeof supertype), SHOAL_OK);
    for (int k = 0; k < supertype.coordinates; ++k) {
      shoal_coordinate coordinate{};
      ASSERT_EQ(shoal_get_coordinate(c.handle, s, k, &coordinate, sizeof coordinate), SHOAL_OK);
      EXPECT_LE(coordinate.low, coordinate.initial);
      EXPECT_LE(coordinate.initial, coordinate.high);
      EXPECT_EQ(static_cast<float*>(supertypes.data)[s * spec.coordinates + k], coordinate.initial);
    }
  }
  std::int32_t supertype = -1;
  EXPECT_EQ(shoal_get_supertype_of(c.handle, 2, &supertype), SHOAL_OK);
  EXPECT_GE(supertype, 0);
  char const* metric = nullptr;
  EXPECT_EQ(shoal_get_metric(c.handle, spec.metrics - 1, &metric), SHOAL_OK);
  EXPECT_STREQ(metric, "episode_length");
  expect_error(shoal_get_metric(c.handle, spec.metrics, &metric), SHOAL_INVALID, "metric");
  EXPECT_EQ(CSimulator("market").spec().may_die, 0);
  EXPECT_EQ(CSimulator("switch").spec().may_die, 1);
  CSimulator const two("two_role");
  EXPECT_EQ(two.spec().groups, 2);
  EXPECT_EQ(two.group(1).first_agent, two.group(0).agents);
}

TEST(CErrors, NameTheSettingItsValueAndWhatWasExpected) {
  expect_error(create("marquet", nullptr), SHOAL_INVALID, "\"marquet\": expected one of");
  expect_error(create("market", "merchants = 99"), SHOAL_INVALID, "shoal_create: merchants = 99: expected");
  expect_error(create("market", "{\"merchants\": 99}"), SHOAL_INVALID, "merchants = 99: expected");
  expect_error(create("market", "mercants = 3"), SHOAL_INVALID, "mercants");
  expect_error(create("market", "a = 1\nb ="), SHOAL_INVALID, "params:2:");
  expect_error(create("market", "{\"merchants\""), SHOAL_INVALID, "params: ");
  expect_error(create(nullptr, nullptr), SHOAL_INVALID, "environment is null");
  expect_error(shoal_create(nullptr, "market", nullptr, nullptr), SHOAL_INVALID, "simulator is null");
}

TEST(CErrors, OptionsAreChecked) {
  shoal_options options;
  auto const with = [&](auto change) {
    shoal_options_init(&options, sizeof options);
    change();
    return create("market", nullptr, &options);
  };
  expect_error(with([&] { options.instances = 0; }), SHOAL_INVALID,
               "options.instances = 0: expected an integer in [1,");
  expect_error(with([&] { options.threads = -1; }), SHOAL_INVALID, "options.threads = -1");
  expect_error(with([&] { options.device = 7; }), SHOAL_INVALID, "options.device = 7");
  expect_error(with([&] { options.indication = 3; }), SHOAL_INVALID, "options.indication = 3");
  expect_error(with([&] { options.observation_width = 1; }), SHOAL_INVALID, "width = 1: expected 0 or at least");
  expect_error(with([&] { options.size = 1; }), SHOAL_INVALID,
               "options.size = 1: expected options that shoal_options_");
  expect_error(with([&] { options.size = 1 << 30; }), SHOAL_INVALID, "options.size = 1073741824: expected options");
#ifndef SHOAL_HAS_CUDA
  expect_error(with([&] { options.device = SHOAL_CUDA; }), SHOAL_INVALID, "device = \"cuda\"");
#endif
  expect_error(shoal_options_init(nullptr, sizeof options), SHOAL_INVALID, "null");
  expect_error(shoal_options_init(&options, 0), SHOAL_INVALID, "size = 0");
}

// A header with fewer or more fields than the library's.
TEST(CErrors, StructsOfOtherVersionsWork) {
  shoal_options options;
  ASSERT_EQ(shoal_options_init(&options, sizeof options), SHOAL_OK);
  options.size = offsetof(shoal_options, threads);
  options.threads = -5;  // not read
  EXPECT_EQ(create("market", nullptr, &options), SHOAL_OK) << shoal_last_error();
  struct {
    shoal_options known;
    std::int64_t more;
  } newer{};
  ASSERT_EQ(shoal_options_init(&newer.known, sizeof newer), SHOAL_OK);
  EXPECT_EQ(create("market", nullptr, &newer.known), SHOAL_OK) << shoal_last_error();
  newer.more = 1;
  expect_error(create("market", nullptr, &newer.known), SHOAL_INVALID,
               "options are set that this library does not have");

  CSimulator const c("market");
  struct {
    char const* name;
    std::int32_t agents, untouched;
  } older{nullptr, 0, 77};
  EXPECT_EQ(shoal_get_group(c.handle, 0, reinterpret_cast<shoal_group*>(&older), 12), SHOAL_OK);
  EXPECT_EQ(older.agents, c.group().agents);
  EXPECT_EQ(older.untouched, 77);
}

TEST(CErrors, HandlesThatAreNoneAreClosed) {
  auto* const number = reinterpret_cast<shoal_simulator*>(0x123456789abcdef1ull);
  std::vector<shoal_simulator*> handles{nullptr, number, reinterpret_cast<shoal_simulator*>(1)};
  CSimulator c("matrix_game");
  handles.push_back(c.handle);
  c.close();
  CSimulator const next("matrix_game");  // in the same place of the table
  shoal_spec spec;
  shoal_array array;
  std::size_t size = 0;
  for (auto* const handle : handles) {
    EXPECT_EQ(shoal_step(handle), SHOAL_CLOSED);
    EXPECT_EQ(shoal_reset(handle), SHOAL_CLOSED);
    EXPECT_EQ(shoal_observe(handle), SHOAL_CLOSED);
    EXPECT_EQ(shoal_close(handle), SHOAL_CLOSED);
    EXPECT_EQ(shoal_synchronize(handle), SHOAL_CLOSED);
    EXPECT_EQ(shoal_get_spec(handle, &spec, sizeof spec), SHOAL_CLOSED);
    EXPECT_EQ(shoal_get_array(handle, SHOAL_REWARDS, 0, &array, sizeof array), SHOAL_CLOSED);
    EXPECT_EQ(shoal_state_size(handle, &size), SHOAL_CLOSED);
    EXPECT_STRNE(shoal_last_error(), "");
  }
  EXPECT_EQ(shoal_reset(next.handle), SHOAL_OK);
  EXPECT_EQ(shoal_set_stream(next.handle, nullptr), SHOAL_OK);
  EXPECT_EQ(shoal_synchronize(next.handle), SHOAL_OK);
}

TEST(CErrors, NullPointersAreNamed) {
  CSimulator const c("market");
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  expect_error(shoal_get_spec(c.handle, nullptr, sizeof(shoal_spec)), SHOAL_INVALID, "null");
  expect_error(shoal_get_array(c.handle, SHOAL_REWARDS, 0, nullptr, 8), SHOAL_INVALID, "null");
  expect_error(shoal_get_metric(c.handle, 0, nullptr), SHOAL_INVALID, "name is null");
  expect_error(shoal_state_size(c.handle, nullptr), SHOAL_INVALID, "size is null");
  expect_error(shoal_export_state(c.handle, 0, nullptr, 8), SHOAL_INVALID, "bytes is null");
  expect_error(shoal_to_dlpack(c.handle, SHOAL_REWARDS, 0, nullptr), SHOAL_INVALID, "tensor is null");
  expect_error(shoal_list(nullptr, nullptr), SHOAL_INVALID, "names is null");
}

TEST(CErrors, IllegalActionsAreNamedAndChangeNothing) {
  CSimulator const c("market");
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  expect_error(shoal_step(c.handle), SHOAL_INVALID, "continuous actions: none");
  c.step(0);
  auto* const actions = c.data<float>(SHOAL_CONTINUOUS_ACTIONS);
  auto const rewards = c.data<float>(SHOAL_REWARDS)[0];
  for (float const bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    auto const kept = std::exchange(actions[1], bad);
    expect_error(shoal_step(c.handle), SHOAL_INVALID, "instance 0, agent 0");
    EXPECT_EQ(c.data<float>(SHOAL_REWARDS)[0], rewards);
    actions[1] = kept;
  }
  CSimulator const d("matrix_game");
  ASSERT_EQ(shoal_reset(d.handle), SHOAL_OK);
  d.step(0);
  d.data<std::int32_t>(SHOAL_DISCRETE_ACTIONS)[0] = -1;
  expect_error(shoal_step(d.handle), SHOAL_INVALID, "-1, expected one in [0,");
}

TEST(CErrors, ResetComesFirst) {
  CSimulator const c("matrix_game");
  std::vector<std::byte> bytes(4096);
  c.array(SHOAL_DISCRETE_ACTIONS);
  expect_error(shoal_step(c.handle), SHOAL_INVALID, "before the first shoal_reset()");
  expect_error(shoal_observe(c.handle), SHOAL_INVALID, "before the first shoal_reset()");
  expect_error(shoal_export_state(c.handle, 0, bytes.data(), bytes.size()), SHOAL_INVALID, "before the first");
}

// Threads do not outlive a fork; a simulator of one thread does.
TEST(CErrors, SimulatorsWithThreadsDoNotOutliveAFork) {
  CSimulator const one("matrix_game"), two("matrix_game", nullptr, 5, 2);
  auto const child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool const right = shoal_reset(one.handle) == SHOAL_OK && shoal_reset(two.handle) == SHOAL_CLOSED &&
                       std::strstr(shoal_last_error(), "fork") && shoal_close(two.handle) == SHOAL_CLOSED;
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(shoal_reset(two.handle), SHOAL_OK);
}

}  // namespace

}  // namespace shoal
