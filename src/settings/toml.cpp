#include "settings/toml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "settings/toml_scan.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

bool is_number(toml::node const& node) { return node.is_integer() || node.is_floating_point(); }

double number(toml::node const& node) { return node.value<double>().value_or(0); }

Converted convert_array(toml::array const& array) {
  if (std::all_of(array.begin(), array.end(), is_number)) {  // an empty list too; readers of strings take that as well
    std::vector<double> numbers;
    for (auto const& item : array) numbers.push_back(number(item));
    return {numbers};
  }
  std::vector<std::string> strings;
  for (auto const& item : array) {
    if (!item.is_string()) return {{}, ": expected a list of numbers only or of strings only"};
    strings.push_back(item.as_string()->get());
  }
  return {strings};
}

}  // namespace

std::string location(std::string const& file, toml::source_region const& region) {
  return fmt::format("{}:{}: ", file, region.begin.line);
}

toml::table parse_toml(std::string const& text, std::string const& file) {
  auto const scan = scan_toml(text);
  if (auto const& excess = scan.excess) throw InputError(fmt::format("{}:{}: {}", file, excess->line, excess->problem));
  try {
    return toml::parse(text);
  } catch (toml::parse_error const& error) {
    auto const at = error.source().begin;
    bool const exists = error.description().find("existing") != std::string_view::npos;  // "cannot redefine existing"
    if (auto const& twice = scan.twice; exists && twice && twice->line <= std::int64_t(at.line))
      throw InputError(fmt::format("{0}:{1}: {2}: given twice; it is given at {0}:{3} too", file, twice->line,
                                   printable(twice->name, 80), twice->first_line));
    throw InputError(fmt::format("{}:{}:{}: {}", file, at.line, at.column, printable(error.description(), 200)));
  }
}

Converted convert(toml::node const& node) {
  if (auto const* x = node.as_boolean()) return {x->get()};
  if (auto const* x = node.as_integer()) return {x->get()};
  if (auto const* x = node.as_floating_point()) return {x->get()};
  if (auto const* x = node.as_string()) return {x->get()};
  if (auto const* x = node.as_array()) return convert_array(*x);
  constexpr char const* expected = "expected a boolean, a number, a string or a list";
  if (node.is_table()) return {{}, fmt::format(" is a table: {}", expected)};
  return {{}, fmt::format(" is a date or time: {}; a string needs quotes", expected)};
}

}  // namespace shoal
