#include "program/config/transactions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "program/config/csv_reader.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

/// Hyphens, dashes of all lengths and the minus sign, as many as there are.
bool is_dashes(std::string_view text) {
  constexpr std::array<std::string_view, 8> dashes{"-",      "\u2010", "\u2011", "\u2012",
                                                   "\u2013", "\u2014", "\u2015", "\u2212"};
  while (!text.empty()) {
    auto const* const dash =
        std::find_if(dashes.begin(), dashes.end(), [&](auto const& d) { return text.starts_with(d); });
    if (dash == dashes.end()) return false;
    text.remove_prefix(dash->size());
  }
  return true;
}

/// @param text  without blanks around it
bool is_missing(std::string const& text) {
  std::string lower;
  for (char const c : text) lower += char(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view markers[] = {
      "na",     "n/a",     "n.a.",   "<na>",    "#na",     "#n/a",     "#n/a n/a", "null",
      "(null)", "none",    "nil",    "(blank)", "\\n",     "?",        ".",        "nat",
      "nan",    "-nan",    "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan",  // of printf in Windows
      "#ref!",  "#value!", "#null!", "#div/0!", "#name?",  "#num!"};    // of spreadsheets
  return is_dashes(text) || std::find(std::begin(markers), std::end(markers), lower) != std::end(markers);
}

char character_of(ThousandsMark mark) { return " ,. '"[int(mark)]; }

/// What typesetting puts in the place of a mark between thousands becomes the mark.
void simplify_marks(std::string& whole, ThousandsMark mark) {
  constexpr std::array<std::string_view, 3> spaces{"\u00a0", "\u2009", "\u202f"};
  constexpr std::array<std::string_view, 1> apostrophes{"\u2019"};
  auto const replace = [&](auto const& others) {
    for (auto const& other : others)
      for (auto at = whole.find(other); at != std::string::npos; at = whole.find(other, at))
        whole.replace(at, other.size(), 1, character_of(mark));
  };
  if (mark == ThousandsMark::blank) replace(spaces);
  if (mark == ThousandsMark::apostrophe) replace(apostrophes);
}

/// Without the marks between thousands, a point before the fraction. @return nothing where marks do not part groups of
/// three
std::optional<std::string> plain_number(std::string const& text, DataOptions const& options) {
  char const decimal = options.decimal == DecimalMark::comma ? ',' : '.';
  auto const fraction = std::min(text.find(decimal), text.size());
  std::string whole = text.substr(0, fraction), rest = text.substr(fraction);
  if (whole.starts_with('+') && whole.size() > 1 && std::isdigit(static_cast<unsigned char>(whole[1])))
    whole.erase(0, 1);
  if (options.thousands != ThousandsMark::none) {
    char const mark = character_of(options.thousands);
    simplify_marks(whole, options.thousands);
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
    auto const is_it = [&](auto const& cell) { return without_blanks(cell) == without_blanks(name); };
    auto const at = std::find_if(header.begin(), header.end(), is_it);
    if (at == header.end())
      throw wrong_data(key, name, fmt::format("expected a column of {}: {}", path_, listed(header)));
    if (std::any_of(at + 1, header.end(), is_it))
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
    auto const is_empty = [](std::string const& cell) { return without_blanks(cell).empty(); };
    if (row.size() > columns_ && !std::all_of(row.begin() + std::ptrdiff_t(columns_), row.end(), is_empty))
      throw broken(line,
                   "too many columns; expected as many as in the header, and quotes around values with delimiters");
    std::string const text(without_blanks(row[quantity_])), name(without_blanks(row[group_]));
    if (leave_out("quantity", options_.quantity, text, line)) return;
    if (leave_out("group", options_.group, name, line)) return;
    if (!is_utf8(name) || name.find('\0') != std::string::npos)
      throw broken(line,
                   fmt::format("{} = \"{}\" is not UTF-8; expected a file in UTF-8, as `iconv -f LATIN1 -t UTF-8` "
                               "makes of one in Latin-1",
                               printable(options_.group, 40), printable(name, 40)));
    add(name, quantity_of(text, line), line);
  }

  double quantity_of(std::string const& text, std::int64_t line) const {
    double const quantity = parse_quantity(text, options_);
    if (quantity >= least_quantity && quantity <= most_quantity) return quantity;
    auto const expected =
        quantity == 0 ? fmt::format("expected a positive number{}", hint_about(text))
                      : fmt::format("expected {} to {} in data.quantity's column", least_quantity, most_quantity);
    throw broken(line, fmt::format("{} = \"{}\": {}", printable(options_.quantity, 40), printable(text, 40), expected));
  }

  void add(std::string const& name, double quantity, std::int64_t line) {
    ++result_.members[name][quantity];
    auto& smallest = result_.smallest;
    auto& largest = result_.largest;
    if (smallest.line == 0 || quantity < smallest.quantity) smallest = {quantity, line};
    if (quantity > largest.quantity) largest = {quantity, line};
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
  bool const one_mark = (options.decimal == DecimalMark::comma && options.thousands == ThousandsMark::comma) ||
                        (options.decimal == DecimalMark::point && options.thousands == ThousandsMark::point);
  if (one_mark)
    throw wrong_data("thousands", options.thousands == ThousandsMark::comma ? "comma" : "point",
                     "it is data.decimal too; expected two marks");
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
