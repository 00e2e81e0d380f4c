// Section [data]: a CSV file of real transactions, counted: who traded which quantity how often.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shoal/core/settings.hpp"

namespace shoal {

enum class Delimiter { automatic, comma, semicolon, tab, bar };
enum class DecimalMark { point, comma };
enum class ThousandsMark { none, comma, point, blank, apostrophe };
enum class MissingValues { error, drop, keep };

struct DataOptions {
  std::string file = {}, quantity = {}, group = {}, member = {};
  double unit = 0, share_scale = 0.05;
  MissingValues missing = MissingValues::error;
  Delimiter delimiter = Delimiter::automatic;
  DecimalMark decimal = DecimalMark::point;
  ThousandsMark thousands = ThousandsMark::none;

  template <class Visit>
  static void fields(Visit& visit, DataOptions& o) {
    visit("file", o.file, "CSV file with a header, a row for each transaction; relative to the configuration's folder");
    visit("quantity", o.quantity, "column with a transaction's quantity, a positive number");
    visit("group", o.group, "column that names the merchant of a transaction");
    visit("member", o.member,
          "value of that column that becomes supertype 1, and all others supertype 2; empty: those with the largest "
          "total quantities become the merchants, in descending order");
    visit("unit", o.unit, Range{0, 1e30},
          "quantity that the market counts as 1, and by which a percentile that misses its target earns half its "
          "weight; 0: a sixth of the median transaction");
    visit("share_scale", o.share_scale, Range{1e-6, 1}, "a share that misses its target by this earns half its weight");
    visit("missing", o.missing, Choices{"error", "drop", "keep"},
          "rows whose quantity or group is blank or a marker of a missing value (NA, N/A, NULL, NaN, none, nil, ?, ., "
          "any "
          "dashes, (blank), \\N, an error of a spreadsheet such as #REF!; docs/market.md has all): an error, left out, "
          "or "
          "taken as they are, where a marker is a merchant's name");
    visit("delimiter", o.delimiter, Choices{"auto", "comma", "semicolon", "tab", "bar"},
          "between values; auto: the one that finds both columns in the header");
    visit("decimal", o.decimal, Choices{"point", "comma"}, "before a quantity's fraction; another than thousands");
    visit("thousands", o.thousands, Choices{"none", "comma", "point", "blank", "apostrophe"},
          "between a quantity's groups of three digits");
  }
};

/// How often each quantity was traded.
using Counts = std::map<double, std::int64_t>;
using Members = std::map<std::string, Counts>;

/// What a transaction's quantity may be: what config.toml takes as env.quantities and as a target's value.
constexpr double least_quantity = 1e-30, most_quantity = 1e30;

/// A quantity and where it stands first.
struct QuantityAt {
  double quantity = 0;
  std::int64_t line = 0;
};

struct Transactions {
  Members members;
  std::int64_t dropped = 0;  // rows left out because a value is missing
  QuantityAt smallest = {}, largest = {};
};

/// An error about a key of DataOptions.
SettingError wrong_data(char const* key, std::string const& value, std::string const& problem);

/// Streams the file: memory grows with the number of members and of their different quantities only.
/// @throws SettingError about a key of DataOptions, InputError naming file and line for a broken row
Transactions read_transactions(std::string const& path, DataOptions const& options);

}  // namespace shoal
