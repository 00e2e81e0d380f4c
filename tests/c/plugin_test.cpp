// An environment of one's own behind the C interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "c/c_simulator.hpp"
#include "shoal/env/plugin.hpp"

namespace shoal {
namespace {

using test::CSimulator;
using test::expect_error;

std::string const folder = SHOAL_TEST_PLUGINS, chase = folder + "/chase.so";

std::vector<std::string> names() {
  char const* const* all = nullptr;
  std::int32_t count = 0;
  EXPECT_EQ(shoal_list(&all, &count), SHOAL_OK);
  return {all, all + count};
}

TEST(CPlugin, JoinsTheList) {
  char const* const* before = nullptr;
  std::int32_t count = 0;
  ASSERT_EQ(shoal_list(&before, &count), SHOAL_OK);
  std::string const first = before[0];
  ASSERT_EQ(shoal_load_plugin(chase.c_str()), SHOAL_OK) << shoal_last_error();
  EXPECT_THAT(names(), testing::Contains("chase"));
  EXPECT_EQ(before[0], first) << "what was lent lives for ever";
  EXPECT_EQ(shoal_load_plugin(chase.c_str()), SHOAL_OK);
  shoal_environment about{};
  ASSERT_EQ(shoal_get_environment("chase", &about, sizeof about), SHOAL_OK);
  EXPECT_STREQ(about.summary, "chasers hunt an evader on a plane");
}

TEST(CPlugin, PlaysAsThroughTheProgram) {
  ASSERT_EQ(shoal_load_plugin(chase.c_str()), SHOAL_OK) << shoal_last_error();
  load_plugin(chase);
  CSimulator const c("chase", "chasers = 3", 5);
  EXPECT_EQ(c.spec().groups, 2);
  auto* const observations = c.data<float>(SHOAL_OBSERVATIONS, 1);
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK) << shoal_last_error();
  auto const simulator = make_simulator("chase", {{"chasers", std::int64_t(3)}}, {.instances = 5, .seed = 7});
  int const width = simulator->observation_width(1);
  std::vector<float> chasers(std::size_t(15 * simulator->observation_width(0))), evader(std::size_t(5 * width));
  simulator->reset(
      std::vector<StepOutput>{{.observations = view(chasers.data(), 5, 3, simulator->observation_width(0))},
                              {.observations = view(evader.data(), 5, 1, width)}});
  EXPECT_EQ(std::vector<float>(observations, observations + evader.size()), evader);
}

TEST(CPlugin, WhatIsNoneIsRefused) {
  auto const old = folder + "/old_plugin.so";
  expect_error(shoal_load_plugin(old.c_str()), SHOAL_INVALID, "shoal_load_plugin: plugin " + old + ": compiled for");
  expect_error(shoal_load_plugin(nullptr), SHOAL_INVALID, "path is null");
  shoal_simulator* simulator = nullptr;
  ASSERT_EQ(shoal_load_plugin(chase.c_str()), SHOAL_OK);
  expect_error(shoal_create(&simulator, "chase", "chasers = 99", nullptr), SHOAL_INVALID,
               "chasers = 99: expected an integer in [1, 8]");
}

}  // namespace
}  // namespace shoal
