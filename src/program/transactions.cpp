#include "program/transactions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "program/csv_reader.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

bool is_missing(std::string const& text) {
  std::string lower;
  for (char const c : text) lower += char(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 11> markers{"",     "na",  "n/a", "#n/a", "<na>", "null",
                                                     "none", "nan", "nil", "-",    "--"};
  return std::find(markers.begin(), markers.end(), lower) != markers.end();
}

char character_of(ThousandsMark mark) { return " ,. '"[int(mark)]; }

/// Without the marks between thousands, a point before the fraction. @return nothing where marks do not part groups of three
std::optional<std::string> plain_number(std::string const& text, DataOptions const& options) {
  char const decimal = options.decimal == DecimalMark::comma ? ',' : '.';
  auto const fraction = std::min(text.find(decimal), text.size());
  std::string whole = text.substr(0, fraction), rest = text.substr(fraction);
  if (whole.starts_with('+') && whole.size() > 1 && std::isdigit(static_cast<unsigned char>(whole[1])))
    whole.erase(0, 1);
  if (options.thousands != ThousandsMark::none) {
    char const mark = character_of(options.thousands);
    for (auto at = whole.rfind(mark), end = whole.size(); at != std::string::npos; end = at, at = whole.rfind(mark)) {
      if (at == 0 || end - at != 4) return {};
      whole.erase(at, 1);
    }
  }
  if (!rest.empty()) rest[0] = '.';
  if (decimal == ',' && whole.find('.') != std::string::npos) return {};
  return whole + rest;
}

/// A positive number; 0: it is none.
double parse_quantity(std::string const& text, DataOptions const& options) {
  auto const number = plain_number(text, options);
  if (!number) return 0;
  double x = 0;
  auto const* const end = number->data() + number->size();
  auto const [rest, error] = std::from_chars(number->data(), end, x);
  return error == std::errc{} && rest == end && std::isfinite(x) && x > 0 ? x : 0;
}

/// What may help with a quantity that is none.
char const* hint_about(std::string const& text) {
  bool const comma = text.find(',') != std::string::npos, point = text.find('.') != std::string::npos;
  if (comma && point) return "; data.decimal and data.thousands say what commas and points mean";
  if (comma) return "; data.decimal = \"comma\" or data.thousands = \"comma\" says what a comma means";
  return "";
}

char delimiter_of(Delimiter delimiter) { return "\0,;\t|"[int(delimiter)]; }

std::string listed(CsvRow const& names) {
  constexpr std::size_t most = 8;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) shown.push_back(printable(names[i], 40));
  auto const more = names.size() > most ? fmt::format(" and {} more", names.size() - most) : "";
  return fmt::format("{}{}", fmt::join(shown, ", "), more);
}

class Counter {
 public:
  Counter(std::string const& path, DataOptions const& options) : path_(path), options_(options) {}

  void take(CsvRow const& row, std::int64_t line) {
    if (columns_ == 0)
      read_header(row, line);
    else
      count(row, line);
  }

  Transactions transactions() const {
    if (columns_ == 0)
      throw InputError(fmt::format("{}: empty; expected a header and a row for each transaction", path_));
    if (result_.members.empty() && result_.dropped == 0)
      throw InputError(fmt::format("{}: no rows below the header; expected one for each transaction", path_));
    if (result_.members.empty())
      throw InputError(fmt::format("{}: in all {} rows {} or {} is missing", path_, result_.dropped, options_.quantity,
                                   options_.group));
    return result_;
  }

 private:
  InputError broken(std::int64_t line, std::string const& problem) const {
    return InputError(fmt::format("{}:{}: {}", path_, line, problem));
  }

  std::size_t column(CsvRow const& header, std::int64_t line, char const* key, std::string const& name) const {
    auto const at = std::find(header.begin(), header.end(), name);
    if (at == header.end())
      throw wrong_data(key, name, fmt::format("expected a column of {}: {}", path_, listed(header)));
    if (std::find(at + 1, header.end(), name) != header.end())
      throw broken(line, fmt::format("column {} occurs twice; expected once", printable(name, 40)));
    return std::size_t(at - header.begin());
  }

  void read_header(CsvRow const& header, std::int64_t line) {
    quantity_ = column(header, line, "quantity", options_.quantity);
    group_ = column(header, line, "group", options_.group);
    columns_ = header.size();
  }

  void count(CsvRow const& row, std::int64_t line) {
    if (row.size() <= std::max(quantity_, group_))
      throw broken(line, "too few columns; expected as many as in the header");
    auto const is_empty = [](std::string const& cell) { return cell.empty(); };
    if (row.size() > columns_ && !std::all_of(row.begin() + std::ptrdiff_t(columns_), row.end(), is_empty))
      throw broken(line,
                   "too many columns; expected as many as in the header, and quotes around values with delimiters");
    if (leave_out("quantity", options_.quantity, row[quantity_], line)) return;
    if (leave_out("group", options_.group, row[group_], line)) return;
    auto const& name = row[group_];
    if (!is_utf8(name) || name.find('\0') != std::string::npos)
      throw broken(line,
                   fmt::format("{} = \"{}\" is not UTF-8; expected a file in UTF-8, as `iconv -f LATIN1 -t UTF-8` "
                               "makes of one in Latin-1",
                               printable(options_.group, 40), printable(name, 40)));
    double const quantity = parse_quantity(row[quantity_], options_);
    if (quantity == 0)
      throw broken(line, fmt::format("{} = \"{}\": expected a positive number{}", printable(options_.quantity, 40),
                                     printable(row[quantity_], 40), hint_about(row[quantity_])));
    ++result_.members[name][quantity];
  }

  bool leave_out(char const* key, std::string const& column, std::string const& cell, std::int64_t line) {
    if (!is_missing(cell)) return false;
    bool const is_name = options_.missing == MissingValues::keep && !cell.empty() && std::string_view(key) == "group";
    if (is_name) return false;
    if (options_.missing == MissingValues::drop) return ++result_.dropped, true;
    throw broken(line,
                 fmt::format("{} is {}, a missing {}; expected a value in every row, or data.missing = \"drop\"",
                             printable(column, 40), cell.empty() ? "empty" : fmt::format("\"{}\"", printable(cell, 40)),
                             std::string_view(key) == "group" ? "merchant" : "quantity"));
  }

  std::string const& path_;
  DataOptions const& options_;
  std::size_t columns_ = 0, quantity_ = 0, group_ = 0;
  Transactions result_;
};

}  // namespace

SettingError wrong_data(char const* key, std::string const& value, std::string const& problem) {
  return {key, fmt::format(" = {}: {}", printable(to_text(value), 200), problem)};
}

Transactions read_transactions(std::string const& path, DataOptions const& options) {
  Counter counter(path, options);
  CsvReader const reader(path, delimiter_of(options.delimiter), {options.quantity, options.group});
  try {
    reader([&](CsvRow const& row, std::int64_t line) { counter.take(row, line); });
  } catch (UnreadableFile const& error) {
    throw wrong_data("file", path, fmt::format("cannot be read: {}", error.what()));
  }
  return counter.transactions();
}

}  // namespace shoal
