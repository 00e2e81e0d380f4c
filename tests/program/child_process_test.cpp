#include "program/runs/child_process.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <sstream>
#include <thread>

#include "program/helpers.hpp"

namespace shoal {
namespace {

using testing::StartsWith;

int wait_for(ChildProcess& child) {
  for (int i = 0; i < 1000; ++i) {
    if (auto const code = child.poll()) return *code;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return -1;
}

std::string text_of(std::string const& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(ChildProcess, TellsTheExitCodeAndAppendsItsOutput) {
  TemporaryFolder const folder;
  auto const log = folder.write("log", "before\n");
  ChildProcess child("/bin/sh", {"sh", "-c", "echo \"$0 $1\"; echo wrong >&2; exit 3", "a b", "c"}, log);
  EXPECT_EQ(wait_for(child), 3);
  EXPECT_EQ(child.poll(), 3) << "asked again";
  EXPECT_EQ(text_of(log), "before\na b c\nwrong\n");
}

TEST(ChildProcess, EndsByAnInterrupt) {
  TemporaryFolder const folder;
  ChildProcess child("/bin/sleep", {"sleep", "60"}, folder.path() + "/log");
  EXPECT_FALSE(child.poll());
  child.interrupt();
  EXPECT_EQ(wait_for(child), 128 + SIGINT);
}

TEST(ChildProcess, IsOutOfReachOfTheTerminalsInterrupt) {
  TemporaryFolder const folder;
  auto const log = folder.path() + "/log";
  ChildProcess child("/bin/sh", {"sh", "-c", "cut -d' ' -f5 /proc/$$/stat"}, log);
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_THAT(text_of(log), testing::MatchesRegex("[0-9]+\n"));
  EXPECT_NE(text_of(log), std::to_string(getpgrp()) + "\n");
}

TEST(ChildProcess, NamesAProgramThatCannotRun) {
  TemporaryFolder const folder;
  auto const log = folder.path() + "/log";
  ChildProcess child(folder.path() + "/none", {"none"}, log);
  EXPECT_EQ(wait_for(child), 127);
  EXPECT_THAT(text_of(log), StartsWith("shoal: cannot run " + folder.path() + "/none: No such file"));
  EXPECT_THAT(error_of([&] { ChildProcess("/bin/true", {"true"}, folder.path() + "/no/log"); }),
              StartsWith(folder.path() + "/no/log: cannot write"));
}

}  // namespace
}  // namespace shoal
