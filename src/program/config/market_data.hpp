// What a file of real transactions gives: the market its quantities, the calibrator its targets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "program/config/transactions.hpp"
#include "shoal/calibrate/options.hpp"

namespace shoal {

/// Percentiles are by nearest rank, as the market's own: the smallest quantity whose cumulative count reaches the
/// fraction of the transactions.
struct SupertypeData {
  std::optional<double> share;  // one merchant's in the total quantity, mean over the merchants; none: no target
  std::array<double, 9> percentiles = {};  // 10 %, 20 %, ..., 90 % of their transactions
};

/// What the market takes from a file.
struct MarketData {
  std::array<double, 10> quantities = {};  // 5 %, 15 %, ..., 95 % of all transactions: the deciles' midpoints
  std::vector<SupertypeData> supertypes;
  std::vector<std::string> merchants;          // each one's name, as printable() shows it; none where a member is given
  std::int64_t transactions = 0, members = 0;  // of the whole file
  std::int64_t dropped = 0;                    // rows left out because a value is missing
  double unit = 1;                             // the quantity that the market counts as 1
  double share_scale = 0.05;                   // DataOptions::share_scale
};

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
