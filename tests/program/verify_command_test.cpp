#include "program/commands/verify_command.hpp"

#include <gmock/gmock.h>

#include "program/helpers.hpp"
#include "shoal/env/cpu_simulator.hpp"
#include "support/faulty.hpp"

namespace shoal {
namespace {

using test::Flaw;
using testing::HasSubstr;

/// The report of a game with a flaw, and how many properties it says that fail.
std::pair<std::string, int> report(Flaw flaw) {
  using Env = test::Faulty<>;
  testing::internal::CaptureStdout();
  int const failed = report_properties("faulty", {.simulator = [=](auto const& options) -> std::unique_ptr<Simulator> {
                                         return std::make_unique<CpuSimulator<Env>>(Env::Params{flaw}, options);
                                       }});
  return {testing::internal::GetCapturedStdout(), failed};
}

TEST(VerifyCommand, HasALineForEachPropertyAndSaysWhereOneFails) {
  auto const [text, failed] = report(Flaw::forbids_all);
  EXPECT_THAT(text, HasSubstr("outputs         ok      every cell is written, whatever lay there\n"));
  EXPECT_THAT(text, HasSubstr("masks           FAILED  expected: masks are 0 or 1 and leave every agent a choice"));
  EXPECT_THAT(text,
              HasSubstr("\n                        instance 0, step 0, agent 2, head \"call\": no choice is legal\n"));
  EXPECT_EQ(failed, 1);
  EXPECT_THAT(text, HasSubstr("faulty: 1 of 19 properties failed\n"));
}

TEST(VerifyCommand, TriesNothingElseWhereTheSpecFails) {
  auto const [text, failed] = report(Flaw::no_heads);
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
}

TEST(VerifyCommand, EndsWithZeroForOurOwn) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(verify({"two_role", {"disjoint=true"}}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("two_role: all 19 properties hold\n"));
}

TEST(VerifyCommand, NamesWhatIsWrongWithItsArguments) {
  EXPECT_THAT(error_of([] { verify({"markt", {}}); }), HasSubstr("verify: environment = \"markt\": expected one of"));
  EXPECT_EQ(error_of([] {
              verify({"market", {"merchants=99"}});
            }),
            "--set merchants = 99: expected an integer in [2, 16]");
}

}  // namespace
}  // namespace shoal
