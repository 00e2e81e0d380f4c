// Section [data]: a CSV file of real transactions, counted: who traded which quantity how often.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shoal/core/settings.hpp"

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

/// How often each quantity was traded.
using Counts = std::map<double, std::int64_t>;
using Members = std::map<std::string, Counts>;

/// An error about a key of DataOptions.
SettingError wrong_data(char const* key, std::string const& value, std::string const& problem);

/// Streams the file: memory grows with the number of members and of their different quantities only.
/// @throws SettingError about a key of DataOptions, InputError naming file and line for a broken row
Members read_transactions(std::string const& path, DataOptions const& options);

}  // namespace shoal
