#include "program/calibrator_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

namespace shoal {

namespace {

struct Key {
  Field field;
  std::vector<std::string> kinds;  // that have it
};

constexpr CalibratorKind all_kinds[] = {CalibratorKind::es,     CalibratorKind::rl,    CalibratorKind::bo,
                                        CalibratorKind::random, CalibratorKind::cmaes, CalibratorKind::fixed};

std::vector<Key> calibrator_keys() {
  std::vector<Key> keys;
  for (auto const kind : all_kinds) {
    CalibratorOptions options;
    options.kind = kind;
    auto const name = std::get<std::string>(to_settings(options).at("kind"));
    for (auto const& field : list_fields(options)) {
      // Two kinds may give a key of one name another default and meaning; the kind's own name is no default.
      auto it = std::find_if(keys.begin(), keys.end(), [&](Key const& key) {
        bool const same_default = key.field.value == field.value || field.name == "kind";
        return key.field.name == field.name && key.field.help == field.help && same_default;
      });
      if (it == keys.end()) it = keys.insert(it, {field, {}});
      it->kinds.push_back(name);
    }
  }
  return keys;
}

}  // namespace

std::vector<Field> calibrator_fields() {
  std::vector<Field> fields;
  for (auto const& [field, kinds] : calibrator_keys()) {
    fields.push_back(field);
    if (kinds.size() < std::size(all_kinds))
      fields.back().help = fmt::format("({}) {}", fmt::join(kinds, ", "), field.help);
  }
  return fields;
}

CalibratorOptions read_calibrator(Settings const& settings) {
  CalibratorOptions options;
  if (auto const kind = settings.find("kind"); kind != settings.end()) read_settings(options, Settings{*kind});
  auto const name = std::get<std::string>(to_settings(options).at("kind"));
  std::map<std::string, std::vector<std::string>> kinds_of;
  for (auto const& [field, kinds] : calibrator_keys())
    kinds_of[field.name].insert(kinds_of[field.name].end(), kinds.begin(), kinds.end());
  for (auto const& [key, kinds] : kinds_of)
    if (settings.count(key) && std::find(kinds.begin(), kinds.end(), name) == kinds.end())
      throw SettingError(key,
                         fmt::format(": a key of kind {}, but calibrator.kind is {}", fmt::join(kinds, ", "), name));
  read_settings(options, settings);
  return options;
}

}  // namespace shoal
