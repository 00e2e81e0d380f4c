#include "program/market_data.hpp"

#define CSV_IO_NO_THREAD                      // a second thread would save nothing here
#if defined(__GNUC__) && !defined(__clang__)  // the library cuts long file names in messages that we do not show
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#include <csv.h>
#pragma GCC diagnostic pop
#else
#include <csv.h>
#endif
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

namespace shoal {

namespace {

using Trim = io::trim_chars<' ', '\t'>;
using Quotes = io::double_quote_escape<',', '"'>;
using Table = io::CSVReader<2, Trim, Quotes, io::throw_on_overflow, io::empty_line_comment>;

SettingError wrong(char const* key, std::string const& value, std::string const& problem) {
  return {key, fmt::format(" = {}: {}", to_text(value), problem)};
}

// The library's own source takes a read error for the end, and without a line break at a file's end the library goes on into
// what happens to lie in its buffer.
class CsvBytes : public io::ByteSourceBase {
 public:
  explicit CsvBytes(std::string const& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), std::fclose) {
    if (!file_) fail();
    std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // the library reads 16 MB at once
  }

  int read(char* buffer, int size) override {
    auto n = int(std::fread(buffer, 1, std::size_t(size), file_.get()));
    if (std::ferror(file_.get())) fail();
    if (n > 0) last_ = buffer[n - 1];
    if (n < size && last_ != '\n') buffer[n++] = last_ = '\n';
    return n;
  }

 private:
  [[noreturn]] void fail() const {
    throw wrong("file", path_, fmt::format("cannot be read: {}", std::strerror(errno)));
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  char last_ = '\n';
};

std::vector<std::string> header_columns(std::string const& path) {
  io::LineReader reader(path, std::make_unique<CsvBytes>(path));
  std::vector<std::string> columns;
  for (char* at = reader.next_line(); at;) {
    char* begin = at;
    char* end = begin + (Quotes::find_next_column_end(begin) - begin);
    at = *end == '\0' ? nullptr : end + 1;
    *end = '\0';
    Trim::trim(begin, end);
    Quotes::unescape(begin, end);
    columns.emplace_back(begin);
  }
  return columns;
}

void read_header(Table& table, DataOptions const& options, std::string const& path) {
  try {
    table.read_header(io::ignore_extra_column, options.quantity, options.group);
  } catch (io::error::header_missing const&) {
    throw InputError(fmt::format("{}: empty; expected a header and a row for each transaction", path));
  } catch (io::error::duplicated_column_in_header const& error) {
    throw InputError(fmt::format("{}:1: column {} occurs twice; expected once", path, error.column_name));
  } catch (io::error::missing_column_in_header const&) {
    auto const columns = header_columns(path);
    bool const has_quantity = std::find(columns.begin(), columns.end(), options.quantity) != columns.end();
    throw wrong(has_quantity ? "group" : "quantity", has_quantity ? options.group : options.quantity,
                fmt::format("expected a column of {}: {}", path, fmt::join(columns, ", ")));
  } catch (io::error::escaped_string_not_closed const&) {
    throw InputError(fmt::format("{}:1: a quote is not closed", path));
  }
}

/// How often each quantity was traded: by the others, by the member.
using Counts = std::map<double, std::array<std::int64_t, 2>>;

struct Tally {
  Counts counts = {};
  std::array<double, 2> totals = {};
  std::unordered_map<std::string, std::int64_t> members = {};  // with their transactions

  void add(char const* member, bool is_the_member, double quantity) {
    ++counts[quantity][is_the_member];
    totals[is_the_member] += quantity;
    ++members[member];
  }
};

double parse_quantity(char const* text) {
  double x = 0;
  auto const* const end = text + std::strlen(text);
  auto const [rest, error] = std::from_chars(text, end, x);
  return error == std::errc{} && rest == end && std::isfinite(x) ? x : 0;
}

Tally read_rows(Table& table, DataOptions const& options, std::string const& path) {
  Tally tally;
  auto const broken = [&](std::string const& problem) {
    return InputError(fmt::format("{}:{}: {}", path, table.get_file_line(), problem));
  };
  try {
    char const *text = nullptr, *member = nullptr;
    while (table.read_row(text, member)) {
      double const quantity = parse_quantity(text);
      if (!(quantity > 0))
        throw broken(fmt::format("{} = {}: expected a positive number", options.quantity, to_text(std::string(text))));
      tally.add(member, member == options.member, quantity);
    }
  } catch (io::error::too_few_columns const&) {
    throw broken("too few columns; expected as many as in the header");
  } catch (io::error::too_many_columns const&) {
    throw broken("too many columns; expected as many as in the header, and quotes around values with commas");
  } catch (io::error::escaped_string_not_closed const&) {
    throw broken("a quote is not closed; expected that on the same line");
  } catch (io::error::line_length_limit_exceeded const&) {
    throw broken("longer than 16 MB; expected a row of a CSV file");
  }
  return tally;
}

std::set<std::string> letter_pairs(std::string const& text) {
  std::set<std::string> pairs;
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    pairs.insert({char(std::tolower(static_cast<unsigned char>(text[i]))),
                  char(std::tolower(static_cast<unsigned char>(text[i + 1])))});
  return pairs;
}

// The names that share most pairs of letters with `name` (Dice's coefficient): part of a long name is near it.
std::vector<std::string> nearest(std::string const& name, Tally const& tally) {
  auto const wanted = letter_pairs(name);
  std::vector<std::pair<double, std::string>> scored;
  for (auto const& [member, transactions] : tally.members) {
    auto const pairs = letter_pairs(member);
    auto const common =
        std::count_if(pairs.begin(), pairs.end(), [&](auto const& pair) { return wanted.count(pair) > 0; });
    scored.emplace_back(-2 * double(common) / double(wanted.size() + pairs.size() + 1), member);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, scored.size()); ++i) names.push_back(to_text(scored[i].second));
  return names;
}

void check(Tally const& tally, DataOptions const& options, std::string const& path) {
  if (tally.members.empty())
    throw InputError(fmt::format("{}: no rows below the header; expected one for each transaction", path));
  if (!tally.members.count(options.member))
    throw wrong("member", options.member,
                fmt::format("not in column {} of {}; nearest: {}", options.group, path,
                            fmt::join(nearest(options.member, tally), ", ")));
  if (tally.members.size() == 1)
    throw wrong("group", options.group,
                fmt::format("{} has no other member than {}; expected at least two", path, to_text(options.member)));
}

/// By nearest rank. @param weigh  how many of a quantity's transactions to count
template <std::size_t N, class Weigh>
std::array<double, N> percentiles(Counts const& counts, std::array<int, N> const& percents, Weigh weigh) {
  std::int64_t total = 0;
  for (auto const& [quantity, count] : counts) total += weigh(count);
  std::array<double, N> result = {};
  for (std::size_t k = 0; k < N; ++k) {
    std::int64_t below = 0;
    for (auto const& [quantity, count] : counts) {
      below += weigh(count);
      result[k] = quantity;
      if (below * 100 >= percents[k] * total) break;
    }
  }
  return result;
}

std::vector<std::string> percentile_metrics(std::string const& supertype) {
  std::vector<std::string> names;
  for (int k = 10; k <= 90; k += 10) names.push_back(fmt::format("{}.quantity_p{}", supertype, k));
  return names;
}

}  // namespace

MarketData read_market_data(DataOptions const& options, std::string const& base_folder) {
  for (auto const& [key, value] : to_settings(options))
    if (std::get<std::string>(value).empty()) throw SettingError(key, " is missing; `shoal list data` explains it");
  if (options.group == options.quantity) throw wrong("group", options.group, "expected another column than quantity");
  auto const path = (std::filesystem::path(base_folder) / options.file).string();
  Table table(path, std::make_unique<CsvBytes>(path));
  read_header(table, options, path);
  auto const tally = read_rows(table, options, path);
  check(tally, options, path);

  constexpr std::array midpoints{5, 15, 25, 35, 45, 55, 65, 75, 85, 95};
  constexpr std::array deciles{10, 20, 30, 40, 50, 60, 70, 80, 90};
  MarketData data;
  data.quantities = percentiles(tally.counts, midpoints, [](auto const& count) { return count[0] + count[1]; });
  data.percentiles_others = percentiles(tally.counts, deciles, [](auto const& count) { return count[0]; });
  data.percentiles_member = percentiles(tally.counts, deciles, [](auto const& count) { return count[1]; });
  data.share = tally.totals[1] / (tally.totals[0] + tally.totals[1]);
  for (auto const& [member, transactions] : tally.members) data.transactions += transactions;
  data.transactions_member = tally.members.at(options.member);
  data.members = std::int64_t(tally.members.size());
  return data;
}

std::vector<TargetOptions> targets(MarketData const& data) {
  auto const values = [](auto const& array) { return std::vector<double>(array.begin(), array.end()); };
  return {{.metrics = {"supertype_1.share"}, .values = {data.share}, .weight = 0.5, .scale = 0.05},
          {.metrics = percentile_metrics("supertype_1"),
           .values = values(data.percentiles_member),
           .weight = 0.25,
           .scale = 1},
          {.metrics = percentile_metrics("supertype_2"),
           .values = values(data.percentiles_others),
           .weight = 0.25,
           .scale = 1}};
}

Settings env_settings(MarketData const& data) {
  return {{"quantities", std::vector<double>(data.quantities.begin(), data.quantities.end())}};
}

}  // namespace shoal
