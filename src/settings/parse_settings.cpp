#include "settings/parse_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "settings/toml.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

using Json = nlohmann::json;

Converted convert_array(Json const& array) {
  if (std::all_of(array.begin(), array.end(), [](Json const& x) { return x.is_number(); }))
    return {array.get<std::vector<double>>()};
  if (std::all_of(array.begin(), array.end(), [](Json const& x) { return x.is_string(); }))
    return {array.get<std::vector<std::string>>()};
  return {{}, ": expected a list of numbers only or of strings only"};
}

Converted convert(Json const& value) {
  constexpr auto largest = std::uint64_t(std::numeric_limits<std::int64_t>::max());
  if (value.is_boolean()) return {value.get<bool>()};
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > largest)
    return {{}, fmt::format(" = {}: expected an integer of at most {}", value.get<std::uint64_t>(), largest)};
  if (value.is_number_integer()) return {value.get<std::int64_t>()};
  if (value.is_number()) return {value.get<double>()};
  if (value.is_string()) return {value.get<std::string>()};
  if (value.is_array()) return convert_array(value);
  return {
      {},
      fmt::format(" is {}: expected a boolean, a number, a string or a list", value.is_null() ? "null" : "a table")};
}

Json parse_json(std::string const& text, std::string const& name) {
  std::set<std::string> keys;
  auto const once = [&](int depth, Json::parse_event_t event, Json& key) {
    if (depth == 1 && event == Json::parse_event_t::key && !keys.insert(key.get<std::string>()).second)
      throw InputError(fmt::format("{}: {}: given twice", name, printable(key.get<std::string>(), 80)));
    return true;
  };
  try {
    return Json::parse(text, once);
  } catch (Json::exception const& error) {
    throw InputError(fmt::format("{}: {}", name, printable(error.what(), 200)));
  }
}

}  // namespace

Settings parse_settings(std::string const& text, std::string const& name) {
  Settings settings;
  auto const add = [&](std::string const& at, std::string const& key, Converted converted) {
    if (!converted.setting) throw InputError(at + printable(key, 100) + converted.problem);
    settings.emplace(key, std::move(*converted.setting));
  };
  auto const begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string::npos && text[begin] == '{') {
    auto const object = parse_json(text, name);
    for (auto const& [key, value] : object.items()) add(name + ": ", key, convert(value));
  } else {
    for (auto const& [key, node] : parse_toml(text, name))
      add(location(name, key.source()), std::string(key.str()), convert(node));
  }
  return settings;
}

}  // namespace shoal
