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

/// How often each quantity was traded.
using Counts = std::map<double, std::int64_t>;
using Members = std::map<std::string, Counts>;

double parse_quantity(char const* text) {
  double x = 0;
  auto const* const end = text + std::strlen(text);
  auto const [rest, error] = std::from_chars(text, end, x);
  return error == std::errc{} && rest == end && std::isfinite(x) ? x : 0;
}

Members read_rows(Table& table, DataOptions const& options, std::string const& path) {
  Members members;
  auto const broken = [&](std::string const& problem) {
    return InputError(fmt::format("{}:{}: {}", path, table.get_file_line(), problem));
  };
  try {
    char const *text = nullptr, *member = nullptr;
    while (table.read_row(text, member)) {
      double const quantity = parse_quantity(text);
      if (!(quantity > 0))
        throw broken(fmt::format("{} = {}: expected a positive number", options.quantity, to_text(std::string(text))));
      ++members[member][quantity];
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
  return members;
}

std::set<std::string> letter_pairs(std::string const& text) {
  std::set<std::string> pairs;
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    pairs.insert({char(std::tolower(static_cast<unsigned char>(text[i]))),
                  char(std::tolower(static_cast<unsigned char>(text[i + 1])))});
  return pairs;
}

// The names that share most pairs of letters with `name` (Dice's coefficient): part of a long name is near it.
std::vector<std::string> nearest(std::string const& name, Members const& members) {
  auto const wanted = letter_pairs(name);
  std::vector<std::pair<double, std::string>> scored;
  for (auto const& [member, counts] : members) {
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

void check_member(Members const& members, DataOptions const& options, std::string const& path) {
  if (!members.count(options.member))
    throw wrong("member", options.member,
                fmt::format("not in column {} of {}; nearest: {}", options.group, path,
                            fmt::join(nearest(options.member, members), ", ")));
  if (members.size() == 1)
    throw wrong("group", options.group,
                fmt::format("{} has no other member than {}; expected at least two", path, to_text(options.member)));
}

void check_grouping(DataOptions const& options, std::vector<int> const& supertype_of) {
  for (std::size_t m = 0; m < supertype_of.size(); ++m)
    if (supertype_of[m] != (m == 0 ? 0 : 1))
      throw wrong("member", options.member,
                  "makes one merchant supertype 1 and all others supertype 2, unlike env.supertype_of; remove one of "
                  "the two keys");
}

void check_merchants(Members const& members, std::size_t merchants, DataOptions const& options,
                     std::string const& path) {
  if (members.size() < merchants)
    throw wrong("group", options.group,
                fmt::format("{} has {} members, expected at least {}, one for each of env.merchants", path,
                            members.size(), merchants));
}

std::int64_t transactions(Counts const& counts) {
  std::int64_t total = 0;
  for (auto const& [quantity, count] : counts) total += count;
  return total;
}

double total_quantity(Counts const& counts) {
  double total = 0;
  for (auto const& [quantity, count] : counts) total += quantity * double(count);
  return total;
}

/// By nearest rank.
template <std::size_t N>
std::array<double, N> percentiles(Counts const& counts, std::array<int, N> const& percents) {
  auto const total = transactions(counts);
  std::array<double, N> result = {};
  for (std::size_t k = 0; k < N; ++k) {
    std::int64_t below = 0;
    for (auto const& [quantity, count] : counts) {
      below += count;
      result[k] = quantity;
      if (below * 100 >= percents[k] * total) break;
    }
  }
  return result;
}

void add(Counts& to, Counts const& counts) {
  for (auto const& [quantity, count] : counts) to[quantity] += count;
}

SupertypeData supertype_data(Counts const& counts) {
  constexpr std::array deciles{10, 20, 30, 40, 50, 60, 70, 80, 90};
  return {.share = {}, .percentiles = percentiles(counts, deciles)};
}

/// The member, whose share is a target, and the others.
std::vector<SupertypeData> member_and_others(Members const& members, std::string const& member, double total) {
  Counts others;
  for (auto const& [name, counts] : members)
    if (name != member) add(others, counts);
  std::vector<SupertypeData> result{supertype_data(members.at(member)), supertype_data(others)};
  result[0].share = total_quantity(members.at(member)) / total;
  return result;
}

/// By total quantity, in descending order, equals by name.
std::vector<std::string> largest(Members const& members, std::size_t count) {
  std::vector<std::pair<double, std::string>> sorted;
  for (auto const& [name, counts] : members) sorted.emplace_back(-total_quantity(counts), name);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(sorted[i].second);
  return names;
}

std::vector<SupertypeData> grouped(Members const& members, std::vector<std::string> const& merchants,
                                   std::vector<int> const& supertype_of, double total) {
  std::vector<SupertypeData> result;
  int const groups = *std::max_element(supertype_of.begin(), supertype_of.end()) + 1;
  for (int g = 0; g < groups; ++g) {
    Counts pooled;
    for (std::size_t m = 0; m < merchants.size(); ++m)
      if (supertype_of[m] == g) add(pooled, members.at(merchants[m]));
    auto& data = result.emplace_back(supertype_data(pooled));
    data.share = total_quantity(pooled) / total / double(std::count(supertype_of.begin(), supertype_of.end(), g));
  }
  return result;
}

std::vector<std::string> percentile_metrics(std::string const& supertype) {
  std::vector<std::string> names;
  for (int k = 10; k <= 90; k += 10) names.push_back(fmt::format("{}.quantity_p{}", supertype, k));
  return names;
}

}  // namespace

MarketData read_market_data(DataOptions const& options, std::vector<int> const& supertype_of,
                            std::string const& base_folder) {
  for (auto const& [key, value] : to_settings(options))
    if (key != "member" && std::get<std::string>(value).empty())
      throw SettingError(key, " is missing; `shoal list data` explains it");
  if (options.group == options.quantity) throw wrong("group", options.group, "expected another column than quantity");
  bool const has_member = !options.member.empty();
  if (has_member) check_grouping(options, supertype_of);
  auto const path = (std::filesystem::path(base_folder) / options.file).string();
  Table table(path, std::make_unique<CsvBytes>(path));
  read_header(table, options, path);
  auto const members = read_rows(table, options, path);
  if (members.empty())
    throw InputError(fmt::format("{}: no rows below the header; expected one for each transaction", path));

  constexpr std::array midpoints{5, 15, 25, 35, 45, 55, 65, 75, 85, 95};
  Counts all;
  for (auto const& [member, counts] : members) add(all, counts);
  double const total = total_quantity(all);
  MarketData data;
  data.quantities = percentiles(all, midpoints);
  data.transactions = transactions(all);
  data.members = std::int64_t(members.size());
  if (has_member) {
    check_member(members, options, path);
    data.supertypes = member_and_others(members, options.member, total);
  } else {
    check_merchants(members, supertype_of.size(), options, path);
    data.merchants = largest(members, supertype_of.size());
    data.supertypes = grouped(members, data.merchants, supertype_of, total);
  }
  return data;
}

std::vector<TargetOptions> targets(MarketData const& data) {
  std::vector<TargetOptions> result{{.metrics = {}, .values = {}, .weight = 0.5, .scale = 0.05}};
  for (std::size_t k = 0; k < data.supertypes.size(); ++k) {
    auto const& supertype = data.supertypes[k];
    auto const name = fmt::format("supertype_{}", k + 1);
    if (supertype.share) {
      result[0].metrics.push_back(name + ".share");
      result[0].values.push_back(*supertype.share);
    }
    result.push_back({.metrics = percentile_metrics(name),
                      .values = {supertype.percentiles.begin(), supertype.percentiles.end()},
                      .weight = 0.5 / double(data.supertypes.size()),
                      .scale = 1});
  }
  return result;
}

Settings env_settings(MarketData const& data) {
  return {{"quantities", std::vector<double>(data.quantities.begin(), data.quantities.end())}};
}

}  // namespace shoal
