#include "program/commands/list_command.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

#include "program/helpers.hpp"
#include "program/reports/text_table.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;

std::string list(std::string const& name) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(list_command(name), 0);
  return testing::internal::GetCapturedStdout();
}

std::size_t widest_line(std::string const& text) {
  std::size_t widest = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) widest = std::max(widest, line.size());
  return widest;
}

TEST(ListCommand, OverviewNamesEnvironmentsAndSections) {
  auto const text = list("");
  for (auto const& info : environments()) EXPECT_THAT(text, HasSubstr(info.name + " "));
  for (char const* section : {"[env]", "[data]", "[policy]", "[calibrator]", "[[calibrator.target]]", "[validation]",
                              "[settling]", "[train]"})
    EXPECT_THAT(text, HasSubstr(section));
}

TEST(ListCommand, AnEnvironmentTellsItsSettings) {
  for (auto const& info : environments())
    for (auto const& field : info.fields) EXPECT_THAT(list(info.name), HasSubstr("  " + field.name + " "));
}

TEST(ListCommand, TheMarketTellsSupertypesAndMetrics) {
  auto const text = list("market");
  EXPECT_THAT(text, HasSubstr("integer in [2, 16]"));
  EXPECT_THAT(text, HasSubstr("supertype_of"));
  EXPECT_THAT(text, HasSubstr("supertype_1  1 agent: link_1 to link_10, tolerance in [0, 1] from 0.5"));
  EXPECT_THAT(text, HasSubstr("eps_buy in [-1, 1]; eps_sell in [-1, 1]; hedge in [0, 1]"));
  EXPECT_THAT(text,
              HasSubstr("supertype_1, supertype_2  share, share_sum, quantity_p10 to quantity_p90, no_trades, return"));
  EXPECT_THAT(text, HasSubstr("merchant_1 to merchant_5  share, reward,"));
}

TEST(ListCommand, SectionsTellTheirKeys) {
  EXPECT_THAT(list("data"), HasSubstr("  member "));
  EXPECT_THAT(list("policy"), HasSubstr("  learning_rate "));
  for (char const* key :
       {"kind", "profile", "profile_file", "spread", "increment", "period", "acquisition", "population"})
    EXPECT_THAT(list("calibrator"), HasSubstr(fmt::format("  {} ", key)));
  for (char const* key : {"every", "episodes", "patience", "final_episodes"})
    EXPECT_THAT(list("validation"), HasSubstr(fmt::format("  {} ", key)));
  EXPECT_THAT(list("settling"), HasSubstr("  share "));
  EXPECT_THAT(list("train"), HasSubstr("one of \"auto\", \"cpu\""));
  EXPECT_THAT(list("target"), HasSubstr("  scale "));
  EXPECT_THAT(list("study"), HasSubstr("  seeds "));
  EXPECT_THAT(list("experiment"), HasSubstr("  config "));
  EXPECT_THAT(list("method"), HasSubstr("  set "));
}

TEST(ListCommand, FitsTheScreen) {
  for (char const* name : {"", "market", "matrix_game", "data", "policy", "calibrator", "target", "validation",
                           "settling", "train", "study", "experiment", "method"})
    EXPECT_LE(widest_line(list(name)), screen_columns) << name;
}

TEST(ListCommand, RefusesOtherNames) {
  EXPECT_THAT(error_of([] { list_command("markt"); }),
              testing::StartsWith("list markt: expected one of checkers, market, "));
}

TEST(TextTable, WrapsWithinItsColumns) {
  EXPECT_EQ(label_table({{"a", std::string(90, 'x') + " yyy zzz"}, {"long", "b"}}),
            "  a     " + std::string(90, 'x') + "\n        yyy zzz\n  long  b\n");
}

}  // namespace
}  // namespace shoal
