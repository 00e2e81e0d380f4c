#include "program/toml_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

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

constexpr int most_key_parts = 32;

/// toml++ nests a table for each part of a key, and its destructors recurse: thousands would overflow the stack.
void check_key_parts(std::string const& text, std::string const& file) {
  std::int64_t line = 1;
  int parts = 1;
  bool in_key = true;
  for (char const c : text) {
    if (c == '\n') {
      ++line;
      parts = 1;
      in_key = true;
    } else if (c == '=' || c == '#') {
      in_key = false;
    } else if (in_key && c == '.' && ++parts > most_key_parts) {
      throw InputError(
          fmt::format("{}:{}: a key of more than {} parts; expected section.key", file, line, most_key_parts));
    }
  }
}

}  // namespace

std::string location(std::string const& file, toml::source_region const& region) {
  return fmt::format("{}:{}: ", file, region.begin.line);
}

std::string read_toml_text(std::string const& path) {
  if (std::filesystem::is_directory(path)) throw InputError(fmt::format("{}: is a folder; expected a TOML file", path));
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof())
    text << file.rdbuf();  // << of nothing would be a failure
  if (!file.is_open() || file.bad())
    throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  return text.str();
}

toml::table parse_toml(std::string const& text, std::string const& file) {
  check_key_parts(text, file);
  try {
    return toml::parse(text);
  } catch (toml::parse_error const& error) {
    auto const at = error.source().begin;
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

Setting read_setting(Config& config, std::string const& name, toml::key const& key, toml::node const& node) {
  auto const at = location(config.file, key.source());
  auto converted = convert(node);
  if (!converted.setting) throw InputError(at + printable(name, 100) + converted.problem);
  config.origins[name] = at;
  return std::move(*converted.setting);
}

}  // namespace shoal
