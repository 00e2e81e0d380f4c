// Section [data]: a CSV file of real transactions gives the market its quantities and the calibrator its targets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shoal/core/settings.hpp"
#include "shoal/learn/options.hpp"

namespace shoal {

struct DataOptions {
  std::string file, quantity, group, member;

  template <class Visit>
  static void fields(Visit& visit, DataOptions& o) {
    visit("file", o.file, "CSV file with a header, a row for each transaction; relative to the configuration's folder");
    visit("quantity", o.quantity, "column with a transaction's quantity, a positive number");
    visit("group", o.group, "column that names the merchant of a transaction");
    visit("member", o.member,
          "value of that column that becomes supertype 1, and all others supertype 2; empty: those with the largest "
          "total quantities become the merchants, in descending order");
  }
};

/// Percentiles are by nearest rank, as the market's own: the smallest quantity whose cumulative count reaches the fraction of the
/// transactions.
struct SupertypeData {
  std::optional<double> share;  // one merchant's in the total quantity, mean over the merchants; none: no target
  std::array<double, 9> percentiles = {};  // 10 %, 20 %, ..., 90 % of their transactions
};

/// What the market takes from a file.
struct MarketData {
  std::array<double, 10> quantities = {};  // 5 %, 15 %, ..., 95 % of all transactions: the deciles' midpoints
  std::vector<SupertypeData> supertypes;
  std::vector<std::string> merchants;          // each one's name in the file; none where a member is given
  std::int64_t transactions = 0, members = 0;  // of the whole file
};

/// Streams the file: memory grows with the number of members and of their different quantities only.
/// @param supertype_of  of each merchant, as Spec has it
/// @param base_folder   what a relative file is relative to; empty: the working folder
/// @throws SettingError about a key of DataOptions, InputError naming file and line for a broken row
MarketData read_market_data(DataOptions const& options, std::vector<int> const& supertype_of,
                            std::string const& base_folder);

/// All shares together and all percentiles together have a weight of 1/2, docs/market.md.
std::vector<TargetOptions> targets(MarketData const& data);

/// The parameters of the market that follow from the data.
Settings env_settings(MarketData const& data);

}  // namespace shoal
