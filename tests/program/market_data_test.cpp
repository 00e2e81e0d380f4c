#include "program/config/market_data.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "program/helpers.hpp"
#include "shoal/calibrate/calibrator.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Grouping = std::vector<int>;  // supertypes of the merchants, from 0

Grouping const published{0, 1, 1, 1, 1};

MarketData read(std::string const& text, std::string const& member = "a", Grouping const& supertype_of = published) {
  TemporaryFolder const folder;
  folder.write("x.csv", text);
  return read_market_data({.file = "x.csv", .quantity = "q", .group = "who", .member = member}, supertype_of,
                          folder.path());
}

/// With other options than the columns and the member "a".
MarketData read_as(DataOptions options, std::string const& text) {
  TemporaryFolder const folder;
  folder.write("x.csv", text);
  options.file = "x.csv";
  options.quantity = "q";
  options.group = "who";
  options.member = "a";
  return read_market_data(options, published, folder.path());
}

/// Without a member: the merchants are the largest.
MarketData read_largest(std::string const& text, Grouping const& supertype_of) { return read(text, "", supertype_of); }

/// Without the folder, whose name changes.
std::string error_in(std::string const& text, std::string const& member = "a",
                     Grouping const& supertype_of = published) {
  auto error = error_of([&] { read(text, member, supertype_of); });
  if (auto const end = error.find("x.csv"); end != std::string::npos) {
    auto const begin = error.rfind('/', end) == end - 1 ? error.find('/') : end;
    error.erase(begin, end - begin);
  }
  return error;
}

MarketData read_iowa(std::string const& member, Grouping const& supertype_of) {
  return read_market_data(
      {.file = "iowa_liquor_2012-01-31.csv", .quantity = "bottles_sold", .group = "vendor_name", .member = member},
      supertype_of, SHOAL_SOURCE_DIR "/experiments/iowa");
}

// Independently, in Python:
//   rows = list(csv.DictReader(open(file)))
//   rank = lambda q, num, den: sorted(q)[-(-num * len(q) // den) - 1]
//   q, a, b = quantities of all rows, of Diageo Americas, of the others
//   [rank(q, 2 * k - 1, 20) for k in range(1, 11)], sum(a) / sum(q), [rank(a, k, 10) for k in range(1, 10)], the same of b
TEST(MarketData, IowaAsComputedIndependently) {
  auto const data = read_iowa("Diageo Americas", published);
  EXPECT_THAT(data.quantities, ElementsAre(1, 2, 2, 3, 6, 6, 12, 12, 12, 24));
  ASSERT_EQ(data.supertypes.size(), 2u);
  EXPECT_EQ(data.supertypes[0].share, 13952.0 / 81120);
  EXPECT_EQ(data.supertypes[1].share, std::nullopt);
  EXPECT_THAT(data.supertypes[0].percentiles, ElementsAre(1, 2, 2, 3, 6, 6, 12, 12, 12));
  EXPECT_THAT(data.supertypes[1].percentiles, ElementsAre(1, 2, 3, 4, 6, 6, 12, 12, 12));
  EXPECT_THAT(data.merchants, testing::IsEmpty());
  EXPECT_EQ(data.transactions, 9510);
  EXPECT_EQ(data.members, 54);
}

// As above, with d[v] the quantities of vendor v: sorted(d, key=lambda v: (-sum(d[v]), v))[:10].
TEST(MarketData, IowasTenLargestVendorsAsComputedIndependently) {
  struct Vendor {
    char const* name;
    int bottles;
    std::array<double, 9> percentiles;
  };
  Vendor const vendors[] = {
      {"Diageo Americas", 13952, {1, 2, 2, 3, 6, 6, 12, 12, 12}},
      {"Luxco-St Louis", 10953, {1, 2, 3, 6, 6, 12, 12, 12, 12}},
      {"Jim Beam Brands", 7685, {1, 2, 2, 3, 4, 6, 12, 12, 12}},
      {"Sazerac North America", 6250, {2, 3, 6, 6, 6, 6, 12, 12, 12}},
      {"Constellation Wine Company, Inc.", 5275, {2, 3, 6, 6, 8, 12, 12, 12, 24}},
      {"Brown-Forman Corporation", 4251, {1, 2, 3, 4, 6, 6, 12, 12, 12}},
      {"Pernod Ricard USA/Austin Nichols", 3815, {1, 2, 2, 3, 3, 4, 12, 12, 12}},
      {"Laird And Company", 3645, {3, 6, 6, 6, 12, 12, 12, 12, 24}},
      {"Bacardi U.S.A., Inc.", 3438, {1, 2, 2, 3, 5, 6, 12, 12, 12}},
      {"Phillips Beverage Company", 3250, {2, 3, 4, 6, 6, 12, 12, 12, 12}},
  };
  auto const data = read_iowa("", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  ASSERT_EQ(data.supertypes.size(), 10u);
  for (std::size_t k = 0; k < 10; ++k) {
    EXPECT_EQ(data.merchants[k], vendors[k].name);
    EXPECT_EQ(data.supertypes[k].share, vendors[k].bottles / 81120.0) << vendors[k].name;
    EXPECT_EQ(data.supertypes[k].percentiles, vendors[k].percentiles) << vendors[k].name;
  }
  EXPECT_THAT(data.quantities, ElementsAre(1, 2, 2, 3, 6, 6, 12, 12, 12, 24));
  EXPECT_EQ(data.transactions, 9510);
  EXPECT_EQ(data.members, 54);

  auto const pooled = read_iowa("", published);
  EXPECT_EQ(pooled.supertypes[0].share, 13952 / 81120.0);
  EXPECT_DOUBLE_EQ(pooled.supertypes[1].share.value(), 0.09295796351084813);
  EXPECT_THAT(pooled.supertypes[1].percentiles, ElementsAre(1, 2, 3, 6, 6, 6, 12, 12, 12));
}

TEST(MarketData, PercentilesAreNearestRank) {
  std::string text = "q,who\n";
  for (int q = 10; q >= 1; --q) text += std::to_string(q) + ",a\n";
  auto const data = read(text + "100,b\n");
  EXPECT_THAT(data.supertypes[0].percentiles, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(data.supertypes[1].percentiles, Each(100));
  EXPECT_THAT(data.quantities,
              ElementsAre(1, 2, 3, 4, 5, 7, 8, 9, 10, 100));  // ranks 0.55, 1.65, ..., 10.45 of 11, upwards
  EXPECT_EQ(data.supertypes[0].share, 55.0 / 155);
}

// Totals: c 20, b and d 10, e 5, a 1; 46 in all. b comes before d by its name, a and e are no merchants but demand.
TEST(MarketData, WithoutAMemberTheLargestAreTheMerchants) {
  std::string const text = "q,who\n1,a\n4,d\n10,c\n10,b\n6,d\n10,c\n5,e\n";
  auto const each = read_largest(text, {0, 1, 2});
  EXPECT_THAT(each.merchants, ElementsAre("c", "b", "d"));
  EXPECT_EQ(each.transactions, 7);
  EXPECT_EQ(each.members, 5);
  EXPECT_THAT(each.quantities, ElementsAre(1, 4, 4, 5, 6, 6, 10, 10, 10, 10));
  ASSERT_EQ(each.supertypes.size(), 3u);
  EXPECT_EQ(each.supertypes[0].share, 20.0 / 46);
  EXPECT_EQ(each.supertypes[1].share, 10.0 / 46);
  EXPECT_EQ(each.supertypes[2].share, 10.0 / 46);
  EXPECT_THAT(each.supertypes[0].percentiles, Each(10));
  EXPECT_THAT(each.supertypes[2].percentiles, ElementsAre(4, 4, 4, 4, 4, 6, 6, 6, 6));
}

TEST(MarketData, ASupertypesShareIsItsMerchantsMeanAndItsTransactionsAreTheirs) {
  std::string const text = "q,who\n1,a\n4,d\n10,c\n10,b\n6,d\n10,c\n5,e\n";
  auto const two = read_largest(text, {1, 0, 1});  // c and d; b
  ASSERT_EQ(two.supertypes.size(), 2u);
  EXPECT_EQ(two.supertypes[0].share, 10.0 / 46);
  EXPECT_EQ(two.supertypes[1].share, 30.0 / 46 / 2);
  EXPECT_THAT(two.supertypes[1].percentiles, ElementsAre(4, 4, 6, 6, 6, 10, 10, 10, 10));
}

TEST(MarketData, ReadsQuotesWindowsLineEndsMarkAndUnfinishedLastLine) {
  auto const data = read("\xef\xbb\xbfid,\"who\",q\r\n1,\"a, \"\"Inc.\"\"\",2\r\n\r\n2, b ,6.5", "a, \"Inc.\"");
  EXPECT_EQ(data.members, 2);
  EXPECT_EQ(data.supertypes[0].share, 2 / 8.5);
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

// Shares together and percentiles together weigh 1/2, equally within each.
TEST(MarketData, TargetsOfTheLargestAreSharesAndPercentilesOfEverySupertype) {
  auto const data = read_largest("q,who\n1,a\n3,b\n2,c\n4,d\n", {0, 1, 2, 2});
  auto const names =
      make_simulator("market", {{"merchants", std::int64_t(4)}, {"supertype_of", std::vector<double>{1, 2, 3, 3}}}, {})
          ->metric_names();
  auto const entries = targets(data);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_THAT(entries[0].metrics, ElementsAre("supertype_1.share", "supertype_2.share", "supertype_3.share"));
  EXPECT_THAT(entries[0].values, ElementsAre(0.4, 0.3, 0.15));
  EXPECT_THAT(entries[3].values, ElementsAre(1, 1, 1, 1, 1, 2, 2, 2, 2));
  for (auto const& target : resolve_targets(entries, names)) {
    bool const share = target.name.ends_with(".share");
    EXPECT_NEAR(target.weight, share ? 0.5 / 3 : 0.5 / 27, 1e-15) << target.name;
    EXPECT_EQ(target.scale, share ? 0.05 : 2.0 / 6) << target.name;
  }
}

TEST(MarketData, NamesTheLineOfABrokenRow) {
  EXPECT_EQ(error_in("q,who\n1,a\n\n2\n"), "x.csv:4: too few columns; expected as many as in the header");
  EXPECT_THAT(error_in("q,who\n1,a,b\n"), StartsWith("x.csv:2: too many columns; expected as many as in the header"));
  EXPECT_EQ(error_in("q,who\n1,\"a\n"), "x.csv:2: a quote is not closed");
  for (std::string const bad : {"0", "-1", "x", "1x", "inf", "1;5", "++1", "+", "1e999"})
    EXPECT_EQ(error_in("q,who\n1,b\n" + bad + ",a\n"), "x.csv:3: q = \"" + bad + "\": expected a positive number");
}

TEST(MarketData, MissingValuesAreErrorsOrLeftOut) {
  EXPECT_EQ(error_in("q,who\n1,a\n,b\n"),
            "x.csv:3: q is empty, a missing quantity; expected a value in every row, or data.missing = \"drop\"");
  EXPECT_EQ(error_in("q,who\n1,a\n2,N/A\n"),
            "x.csv:3: who is \"N/A\", a missing merchant; expected a value in every row, or data.missing = \"drop\"");
  auto const data = read_as({.missing = MissingValues::drop}, "q,who\n1,a\n2,\nnan,b\n3,b\n");
  EXPECT_EQ(data.dropped, 2);
  EXPECT_EQ(data.supertypes[0].share, 0.25);
  EXPECT_EQ(read_as({.missing = MissingValues::keep}, "q,who\n1,a\n3,NA\n").members, 2);
}

TEST(MarketData, MarkersOfMissingValuesAreNoNames) {
  std::vector<std::string> const markers{
      "?",       "\" \"",  "\u00a0", "\" NA \"",     "#N/A N/A",      "\\N",     "(null)",  "(Blank)",
      "NaT",     "n.a.",   "-nan",   "1.#IND",       "1.#QNAN",       "-1.#IND", ".",       "-",
      "---",     "\u2010", "\u2013", "\u2014\u2014", "\u3000-\u2003", "#REF!",   "#VALUE!", "#NULL!",
      "#DIV/0!", "#NAME?", "#NUM!",  "#n/a",         "\"\u202f\""};
  for (auto const& marker : markers) {
    std::string const rows = "q,who\n1,a\n2," + marker + "\n" + marker + ",b\n3,b\n";
    auto const data = read_as({.missing = MissingValues::drop}, rows);
    EXPECT_EQ(data.dropped, 2) << marker;
    EXPECT_EQ(data.members, 2) << marker;
    EXPECT_THAT(error_of([&] { read_as({}, rows); }), HasSubstr("a missing merchant")) << marker;
  }
  EXPECT_EQ(read("q,who\n1,a\n3,A-B\n1,Nan Co.\n").members, 3) << "parts of names are none";
}

TEST(MarketData, BlanksAroundQuotedValuesDoNotCount) {
  auto const data = read_as({.thousands = ThousandsMark::comma},
                            "\"q \",\"\u00a0who\"\n\" 1,234.00 \",\"a \"\n\" +3 \",a\n\"\u20095\",b\u3000\n");
  EXPECT_EQ(data.members, 2);
  EXPECT_EQ(data.supertypes[0].share, 1237.0 / 1242);
  EXPECT_EQ(read("q,who\n1,\"A \"\n1,A\n2,b\n", " A").members, 2);
}

TEST(MarketData, TheFirstLineMaySayTheSeparator) {
  for (std::string const line : {"sep=;", "Sep=;", "\"sep=;\"", "sep=;;;", "\"SEP=;\";"})
    EXPECT_EQ(read(line + "\r\nq;who\r\n1;a\r\n2;b, c\r\n").members, 2) << line;
  EXPECT_EQ(read("\"sep=;\",\nq,who\n1,a\n2,b\n").members, 2) << "stored again with commas";
}

TEST(MarketData, AFinalCtrlZIsNoPartOfTheLastRow) {
  for (std::string const end : {"\x1a", "\x1a\r\n", "\r\n\x1a\r\n", "\n\x1a\x1a\x1a", "\x1a\n\n"})
    EXPECT_EQ(read("q,who\n1,a\n3,b" + end).members, 2) << printable(end);
}

TEST(MarketData, NamesOtherFormats) {
  using namespace std::string_literals;
  for (auto const& [text, name] : {std::pair{"\xff\xfe\0\0q\0\0\0"s, "UTF-32"},
                                   {"\0\0\xfe\xff\0\0\0q"s, "UTF-32"},
                                   {"q\0\0\0,\0\0\0"s, "UTF-32"},
                                   {"\0\0\0q\0\0\0,"s, "UTF-32"},
                                   {"\xff\xfeq\0,\0"s, "UTF-16"},
                                   {"q\0,\0"s, "UTF-16"}})
    EXPECT_EQ(error_in(text), fmt::format("x.csv: is {} text; expected a CSV file in UTF-8", name));
}

TEST(MarketData, LongNamesAreCut) {
  auto const data = read_largest("q,who\n3," + std::string(5000, 'a') + "\n1,b\xc2\x85\n", {0, 1});
  EXPECT_LT(data.merchants[0].size(), 210u);
  EXPECT_EQ(data.merchants[1], "b") << "its next-line character is a blank";
}

TEST(MarketData, NumbersAreReadAsTheKeysSay) {
  auto const share = [](DataOptions options, std::string const& text) {
    options.unit = 1000;
    return read_as(options, "q;who\n" + text + ";a\n1;b\n").supertypes[0].share.value();
  };
  EXPECT_EQ(share({}, "+3"), 0.75);
  EXPECT_EQ(share({.decimal = DecimalMark::comma}, "1,5"), 0.6);
  EXPECT_EQ(share({.thousands = ThousandsMark::comma}, "1,234,567.5"), 1234567.5 / 1234568.5);
  EXPECT_EQ(share({.decimal = DecimalMark::comma, .thousands = ThousandsMark::point}, "1.234,5"), 1234.5 / 1235.5);
  EXPECT_EQ(share({.thousands = ThousandsMark::blank}, "12 345"), 12345.0 / 12346);
  for (auto const* text : {"12\u00a0345", "12\u202f345", "12\u2009345"})
    EXPECT_EQ(share({.thousands = ThousandsMark::blank}, text), 12345.0 / 12346) << text;
  EXPECT_EQ(share({.thousands = ThousandsMark::apostrophe}, "12\u2019345"), 12345.0 / 12346);
  EXPECT_EQ(error_of([&] { share({.decimal = DecimalMark::comma, .thousands = ThousandsMark::comma}, "1"); }),
            "thousands = \"comma\": it is data.decimal too; expected two marks");
  EXPECT_EQ(error_of([&] { share({.thousands = ThousandsMark::point}, "1"); }),
            "thousands = \"point\": it is data.decimal too; expected two marks");
  for (auto const* bad : {"1,23", "12,3456", ",123", "1,2345,678"})
    EXPECT_THAT(error_of([&] { share({.thousands = ThousandsMark::comma}, bad); }),
                HasSubstr("expected a positive number"))
        << bad;
}

TEST(MarketData, TheUnitIsASixthOfTheMedian) {
  EXPECT_EQ(read_iowa("Diageo Americas", published).unit, 1);
  auto const data = read("q,who\n1200,a\n1200,b\n3000,b\n");
  EXPECT_EQ(data.unit, 200);
  EXPECT_EQ(targets(data)[1].scale, 200);
  EXPECT_EQ(env_settings(data).at("quantity_unit"), Setting(200.0));
  auto const own = read_as({.unit = 3, .share_scale = 0.1}, "q,who\n1,a\n3,b\n");
  EXPECT_EQ(targets(own)[0].scale, 0.1);
  EXPECT_EQ(targets(own)[1].scale, 3);
  EXPECT_THAT(error_of([] { read_as({.unit = 1e-9}, "q,who\n1,a\n3,b\n"); }),
              testing::AllOf(StartsWith("quantity = \"q\": the 5 % and 95 % percentiles in"), HasSubstr("data.unit")));
}

// A run's config.toml holds them as env.quantities, env.quantity_unit and targets, and must be read back.
TEST(MarketData, QuantitiesThatNoConfigurationCanHoldAreRefused) {
  EXPECT_EQ(error_in("q,who\n1,a\n1e31,a\n1,b\n"),
            "x.csv:3: q = \"1e31\": expected 1e-30 to 1e+30 in data.quantity's column");
  EXPECT_EQ(error_in("q,who\n1,a\n1e-31,b\n"),
            "x.csv:3: q = \"1e-31\": expected 1e-30 to 1e+30 in data.quantity's column");
  EXPECT_THAT(error_in("q,who\n2e-12,a\n1e-12,b\n"),
              testing::AllOf(StartsWith("quantity = \"q\": the median in"), HasSubstr("expected at least 6e-12"),
                             HasSubstr("1e-30 to 1e+30"), HasSubstr("the smallest is 1e-12")));
  EXPECT_THAT(error_in("q,who\n1e-30,a\n1e-30,b\n"), StartsWith("quantity = \"q\": the median in"));
  EXPECT_EQ(error_of([] { read_as({.unit = 1e-20}, "q,who\n1,a\n3,b\n"); }),
            "unit = 1e-20: expected 0, or 1e-12 to 1e+30");
  for (std::string const q : {"6.1e-12", "1e30"}) EXPECT_NO_THROW(read("q,who\n" + q + ",a\n" + q + ",b\n")) << q;
}

TEST(MarketData, QuantitiesAtTheBoundOfTheUnitArePlayed) {
  for (int k = 1; k < 60; ++k) {
    auto const q = fmt::format("{:.3f}", 0.001 * k);
    auto const data = read_as({.unit = double(k)}, "q,who\n" + q + ",a\n" + q + ",b\n");
    EXPECT_NO_THROW(make_simulator("market", env_settings(data), {})) << q;
  }
  EXPECT_THAT(error_of([] { read_as({.unit = 1000}, "q,who\n1,a\n0.9,b\n0.9,b\n"); }),
              testing::AllOf(StartsWith("quantity = \"q\": "), HasSubstr("x.csv:3")));
}

// The market trades in single precision; a percentile that it meets must count as met, whatever the unit.
TEST(MarketData, TargetsThatTheMarketMeetsEarnAll) {
  auto const data = read_as({.unit = 0.3}, "q,who\n0.1,a\n30000.1,a\n0.1,b\n30000.1,b\n");
  auto const metrics = make_simulator("market", env_settings(data), {})->metric_names();
  auto const goal = make_goal(resolve_targets(targets(data), metrics), at::kCPU);
  auto row = at::zeros({1, std::int64_t(metrics.size())});
  row.index_copy_(1, goal.columns, goal.values.to(at::kFloat).unsqueeze(0));
  EXPECT_EQ(row.index_select(1, goal.columns).to(at::kDouble).sub(goal.values).abs().max().item<double>(), 0);
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
  EXPECT_EQ(error_in("q,who\n1,a\n2,b\n3,a\n", "", {0, 1, 2}),
            "group = \"who\": x.csv has 2 members, expected at least 3, one for each of env.merchants");
}

TEST(MarketData, AMemberNeedsThePublishedSupertypes) {
  for (Grouping const& other : {Grouping{0, 1, 2}, {1, 0, 0}, {0, 0}})
    EXPECT_EQ(error_in("q,who\n1,a\n2,b\n", "a", other),
              "member = \"a\": makes one merchant supertype 1 and all others supertype 2, unlike env.supertype_of; "
              "remove one of the two keys");
}

TEST(MarketData, NamesAFileThatCannotBeRead) {
  TemporaryFolder const folder;
  auto const error = [&](DataOptions const& options) {
    return error_of([&] { read_market_data(options, published, folder.path()); });
  };
  EXPECT_EQ(error({.file = "none.csv", .quantity = "q", .group = "who", .member = "a"}),
            "file = \"" + folder.path() + "/none.csv\": cannot be read: No such file or directory");
  EXPECT_THAT(error({.file = ".", .quantity = "q", .group = "who", .member = "a"}),
              HasSubstr("cannot be read: Is a directory"));
  EXPECT_EQ(error({.file = "x.csv", .quantity = "q", .group = "q", .member = "a"}),
            "group = \"q\": expected another column than quantity");
  EXPECT_EQ(error({.file = "x.csv", .quantity = "q", .group = "", .member = "a"}),
            "group is missing; `shoal list data` explains it");
}

}  // namespace
}  // namespace shoal
