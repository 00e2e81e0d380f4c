// Section [data]: a CSV file of real transactions gives the market its quantities and the calibrator its targets.
#pragma once

#include <array>
#include <cstdint>
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
    visit("member", o.member, "value of that column that becomes supertype 1; all others become supertype 2");
  }
};

/// What the market takes from a file. Percentiles are by nearest rank, as the market's own: the smallest quantity whose
/// cumulative count reaches the fraction of the transactions.
struct MarketData {
  std::array<double, 10> quantities = {};         // 5 %, 15 %, ..., 95 % of all transactions: the deciles' midpoints
  double share = 0;                               // of the member in the total quantity
  std::array<double, 9> percentiles_member = {};  // 10 %, 20 %, ..., 90 % of the member's transactions
  std::array<double, 9> percentiles_others = {};
  std::int64_t transactions = 0, transactions_member = 0;
  std::int64_t members = 0;
};

/// Streams the file: memory grows with the number of members and of different quantities only.
/// @param base_folder  what a relative file is relative to; empty: the working folder
/// @throws SettingError about a key of DataOptions, InputError naming file and line for a broken row
MarketData read_market_data(DataOptions const& options, std::string const& base_folder);

/// Share (weight 1/2) and the percentiles of both supertypes (1/4 each), docs/market.md.
std::vector<TargetOptions> targets(MarketData const& data);

/// The parameters of the market that follow from the data.
Settings env_settings(MarketData const& data);

}  // namespace shoal
