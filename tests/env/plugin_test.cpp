// Plugins: tests/CMakeLists.txt compiles the sample of examples/plugin, and one of an older version.
#include "shoal/env/plugin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include "shoal/env/verify.hpp"
#include "support/errors.hpp"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using test::input_error;
using testing::HasSubstr;
using testing::StartsWith;

fs::path const folder = SHOAL_TEST_PLUGINS, chase = folder / "chase.so";

std::string refusal(fs::path const& path) {
  return input_error([&] { load_plugin(path); });
}

TEST(Plugin, ItsEnvironmentIsOneAmongOthers) {
  EXPECT_EQ(load_plugin(chase), "chase");
  auto const all = environments();
  auto const info = std::find_if(all.begin(), all.end(), [](auto const& e) { return e.name == "chase"; });
  ASSERT_NE(info, all.end());
  EXPECT_EQ(info->spec.groups.size(), 2u);
  EXPECT_TRUE(info->has_heuristic);
  EXPECT_EQ(make_simulator("chase", {{"chasers", std::int64_t(3)}}, {})->spec().agents(), 4);
  EXPECT_NE(make_heuristic("chase", {}, Device::cpu), nullptr);
  EXPECT_EQ(plugin_of("chase"), fs::canonical(chase));
  EXPECT_EQ(plugin_of("market"), "");
}

TEST(Plugin, KeepsTheContract) {
  load_plugin(chase);
  auto const tried = subject("chase", {});
  for (auto const& property : properties()) {
    auto const finding = examine(property, tried);
    EXPECT_TRUE(finding.holds) << property.name << ": " << finding.text;
  }
}

TEST(Plugin, ItsErrorsAreCaughtByTheirTypes) {
  load_plugin(chase);
  try {
    make_simulator("chase", {{"chasers", std::int64_t(99)}}, {});
    FAIL() << "no error";
  } catch (SettingError const& error) {
    EXPECT_EQ(error.key, "chasers");
    EXPECT_EQ(error.message, " = 99: expected an integer in [1, 8]");
  }
  auto const simulator = make_simulator("chase", {}, {});
  EXPECT_EQ(input_error([&] { simulator->reset(StepOutput{}); }),
            "1 outputs: expected 2, one for each group of agents");
}

TEST(Plugin, IsLoadedOnceAndByAnyThread) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([] {
      EXPECT_EQ(load_plugin(chase), "chase");
      EXPECT_EQ(make_simulator("chase", {}, {})->spec().agents(), 3);
    });
  threads.clear();
  auto const all = environments();
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](auto const& e) { return e.name == "chase"; }), 1);
}

TEST(Plugin, ASecondOfThatNameIsRefused) {
  load_plugin(chase);
  auto const copy = fs::temp_directory_path() / ("shoal-plugin-" + std::to_string(getpid()) + ".so");
  fs::copy_file(chase, copy);
  auto const error = refusal(copy);
  fs::remove(copy);
  EXPECT_EQ(error, "plugin " + copy.string() + ": the name \"chase\" is taken, by " + fs::canonical(chase).string());
}

TEST(Plugin, WhatIsNoPluginOfThisVersionIsRefused) {
  auto const old = folder / "old_plugin.so";
  EXPECT_THAT(refusal(old), StartsWith("plugin " + old.string() + ": compiled for shoal 0.1.0-0123abcd, expected 0."));
  EXPECT_THAT(refusal("nowhere.so"), StartsWith("plugin nowhere.so: "));
  EXPECT_THAT(refusal(folder), HasSubstr(": cannot be loaded: "));
  auto const library = folder / "no_plugin.so";
  EXPECT_EQ(refusal(library),
            "plugin " + library.string() +
                ": no symbol shoal_plugin there; expected a library that shoal_add_environment() made");
}

}  // namespace
}  // namespace shoal
