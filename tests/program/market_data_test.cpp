#include "program/market_data.hpp"

#include <gmock/gmock.h>

#include <numeric>

#include "program/helpers.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

MarketData read(std::string const& text, std::string const& member = "a") {
  TemporaryFolder const folder;
  folder.write("x.csv", text);
  return read_market_data({.file = "x.csv", .quantity = "q", .group = "who", .member = member}, folder.path());
}

/// Without the folder, whose name changes.
std::string error_in(std::string const& text, std::string const& member = "a") {
  auto error = error_of([&] { read(text, member); });
  if (auto const end = error.find("x.csv"); end != std::string::npos) {
    auto const begin = error.rfind('/', end) == end - 1 ? error.find('/') : end;
    error.erase(begin, end - begin);
  }
  return error;
}

// Independently, in Python:
//   rows = list(csv.DictReader(open(file)))
//   rank = lambda q, num, den: sorted(q)[-(-num * len(q) // den) - 1]
//   q, a, b = quantities of all rows, of Diageo Americas, of the others
//   [rank(q, 2 * k - 1, 20) for k in range(1, 11)], sum(a) / sum(q), [rank(a, k, 10) for k in range(1, 10)], the same of b
TEST(MarketData, IowaAsComputedIndependently) {
  auto const data = read_market_data({.file = "iowa_liquor_2012-01-31.csv",
                                      .quantity = "bottles_sold",
                                      .group = "vendor_name",
                                      .member = "Diageo Americas"},
                                     SHOAL_SOURCE_DIR "/experiments/iowa");
  EXPECT_THAT(data.quantities, ElementsAre(1, 2, 2, 3, 6, 6, 12, 12, 12, 24));
  EXPECT_NEAR(data.share, 0.17199211, 1e-8);
  EXPECT_THAT(data.percentiles_member, ElementsAre(1, 2, 2, 3, 6, 6, 12, 12, 12));
  EXPECT_THAT(data.percentiles_others, ElementsAre(1, 2, 3, 4, 6, 6, 12, 12, 12));
  EXPECT_EQ(data.transactions, 9510);
  EXPECT_EQ(data.transactions_member, 1622);
  EXPECT_EQ(data.members, 54);
}

TEST(MarketData, PercentilesAreNearestRank) {
  std::string text = "q,who\n";
  for (int q = 10; q >= 1; --q) text += std::to_string(q) + ",a\n";
  auto const data = read(text + "100,b\n");
  EXPECT_THAT(data.percentiles_member, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(data.percentiles_others, ElementsAre(100, 100, 100, 100, 100, 100, 100, 100, 100));
  EXPECT_THAT(data.quantities,
              ElementsAre(1, 2, 3, 4, 5, 7, 8, 9, 10, 100));  // ranks 0.55, 1.65, ..., 10.45 of 11, upwards
  EXPECT_DOUBLE_EQ(data.share, 55.0 / 155);
}

TEST(MarketData, ReadsQuotesWindowsLineEndsMarkAndUnfinishedLastLine) {
  auto const data = read("\xef\xbb\xbfid,\"who\",q\r\n1,\"a, \"\"Inc.\"\"\",2\r\n\r\n2, b ,6.5", "a, \"Inc.\"");
  EXPECT_EQ(data.members, 2);
  EXPECT_DOUBLE_EQ(data.share, 2 / 8.5);
}

TEST(MarketData, TargetsAndSettingsFitTheMarket) {
  auto const data = read("q,who\n1,a\n3,b\n");
  auto const entries = targets(data);
  auto const metrics = make_simulator("market", env_settings(data), {})->metric_names();
  double weight = 0;
  for (auto const& entry : entries) {
    weight += entry.weight;
    EXPECT_EQ(entry.metrics.size(), entry.values.size());
    for (auto const& name : entry.metrics) EXPECT_THAT(metrics, testing::Contains(name));
  }
  EXPECT_EQ(weight, 1);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_THAT(entries[0].metrics, ElementsAre("supertype_1.share"));
  EXPECT_THAT(entries[0].values, ElementsAre(0.25));
  EXPECT_EQ(entries[1].metrics.front(), "supertype_1.quantity_p10");
  EXPECT_EQ(entries[1].values, std::vector<double>(9, 1));
  EXPECT_EQ(entries[2].metrics.back(), "supertype_2.quantity_p90");
  EXPECT_EQ(entries[2].values, std::vector<double>(9, 3));
}

TEST(MarketData, NamesTheLineOfABrokenRow) {
  EXPECT_EQ(error_in("q,who\n1,a\n\n2\n"), "x.csv:4: too few columns; expected as many as in the header");
  EXPECT_THAT(error_in("q,who\n1,a,b\n"), StartsWith("x.csv:2: too many columns; expected as many as in the header"));
  EXPECT_EQ(error_in("q,who\n1,\"a\n"), "x.csv:2: a quote is not closed; expected that on the same line");
  for (std::string const bad : {"", "0", "-1", "x", "1x", "inf", "nan", "1;5"})
    EXPECT_EQ(error_in("q,who\n1,b\n" + bad + ",a\n"), "x.csv:3: q = \"" + bad + "\": expected a positive number");
}

TEST(MarketData, NamesWhatTheFileLacks) {
  EXPECT_EQ(error_in(""), "x.csv: empty; expected a header and a row for each transaction");
  EXPECT_EQ(error_in("q,who\n"), "x.csv: no rows below the header; expected one for each transaction");
  EXPECT_EQ(error_in("who,\"a, b\"\n"), "quantity = \"q\": expected a column of x.csv: who, a, b");
  EXPECT_EQ(error_in("n,q\n"), "group = \"who\": expected a column of x.csv: n, q");
  EXPECT_EQ(error_in("q,who,q\n"), "x.csv:1: column q occurs twice; expected once");
  EXPECT_EQ(error_in("q,who\n1,a\n"), "group = \"who\": x.csv has no other member than \"a\"; expected at least two");
  EXPECT_EQ(
      error_in("q,who\n1,Luxco\n2,Sazerac Co.\n1,Diageo Americas\n1,Heaven Hill\n", "diageo"),
      "member = \"diageo\": not in column who of x.csv; nearest: \"Diageo Americas\", \"Heaven Hill\", \"Luxco\"");
}

TEST(MarketData, NamesAFileThatCannotBeRead) {
  TemporaryFolder const folder;
  auto const error = [&](DataOptions const& options) {
    return error_of([&] { read_market_data(options, folder.path()); });
  };
  EXPECT_EQ(error({.file = "none.csv", .quantity = "q", .group = "who", .member = "a"}),
            "file = \"" + folder.path() + "/none.csv\": cannot be read: No such file or directory");
  EXPECT_THAT(error({.file = ".", .quantity = "q", .group = "who", .member = "a"}),
              HasSubstr("cannot be read: Is a directory"));
  EXPECT_EQ(error({.file = "x.csv", .quantity = "q", .group = "q", .member = "a"}),
            "group = \"q\": expected another column than quantity");
  EXPECT_EQ(error({.file = "x.csv", .quantity = "q", .group = "who", .member = ""}),
            "member is missing; `shoal list data` explains it");
}

}  // namespace
}  // namespace shoal
