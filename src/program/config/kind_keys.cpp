#include "program/config/kind_keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>

namespace shoal {

namespace {

struct Kind {
  std::string name;
  std::vector<Field> fields;
};

/// A section and the key that says which of its kinds it is.
struct Section {
  std::string name;
  char const* selector;
  std::vector<Kind> kinds;
};

struct Key {
  Field field;
  std::vector<std::string> kinds;  // that have it
};

/// @param options  with the kind set
template <class Options>
Kind kind_of(Options const& options, char const* selector) {
  return {std::get<std::string>(to_settings(options).at(selector)), list_fields(options)};
}

Section calibrator_section() {
  Section section{"calibrator", "kind", {}};
  for (auto const kind : {CalibratorKind::es, CalibratorKind::rl, CalibratorKind::bo, CalibratorKind::random,
                          CalibratorKind::cmaes, CalibratorKind::fixed}) {
    CalibratorOptions options;
    options.kind = kind;
    section.kinds.push_back(kind_of(options, section.selector));
  }
  return section;
}

Section policy_section(std::string const& name = "policy") {
  Section section{name, "algorithm", {}};
  for (auto const algorithm : {Algorithm::ppo, Algorithm::a2c, Algorithm::reinforce, Algorithm::dqn, Algorithm::uniform,
                               Algorithm::heuristic, Algorithm::frozen}) {
    PolicyOptions options;
    options.algorithm = algorithm;
    section.kinds.push_back(kind_of(options, section.selector));
  }
  return section;
}

/// Keys of [policy] that hold for all agents.
bool is_of_all_agents(std::string const& key) {
  return key == "map" || to_settings(ObservationOptions{}).count(key) > 0;
}

std::vector<Key> keys_of(Section const& section) {
  std::vector<Key> keys;
  for (auto const& [name, fields] : section.kinds)
    for (auto const& field : fields) {
      // Two kinds may give a key of one name another default and meaning; the kind's own name is no default.
      auto it = std::find_if(keys.begin(), keys.end(), [&](Key const& key) {
        bool const same_default = key.field.value == field.value || field.name == section.selector;
        return key.field.name == field.name && key.field.help == field.help && same_default;
      });
      if (it == keys.end()) it = keys.insert(it, {field, {}});
      it->kinds.push_back(name);
    }
  return keys;
}

std::vector<Field> fields_of(Section const& section) {
  std::vector<Field> fields;
  for (auto const& [field, kinds] : keys_of(section)) {
    fields.push_back(field);
    if (kinds.size() < section.kinds.size())
      fields.back().help = fmt::format("({}) {}", fmt::join(kinds, ", "), field.help);
  }
  return fields;
}

template <class Options>
Options read(Section const& section, Settings const& settings) {
  Options options;
  if (auto const kind = settings.find(section.selector); kind != settings.end())
    read_settings(options, Settings{*kind});
  auto const name = std::get<std::string>(to_settings(options).at(section.selector));
  std::map<std::string, std::vector<std::string>> kinds_of;
  for (auto const& [field, kinds] : keys_of(section))
    kinds_of[field.name].insert(kinds_of[field.name].end(), kinds.begin(), kinds.end());
  for (auto const& [key, kinds] : kinds_of)
    if (settings.count(key) && std::find(kinds.begin(), kinds.end(), name) == kinds.end())
      throw SettingError(key, fmt::format(": a key of {} {}, but {}.{} is {}", section.selector, fmt::join(kinds, ", "),
                                          section.name, section.selector, name));
  read_settings(options, settings);
  return options;
}

}  // namespace

std::vector<Field> calibrator_fields() { return fields_of(calibrator_section()); }
std::vector<Field> policy_fields() { return fields_of(policy_section()); }

std::vector<Field> algorithm_fields(std::string const& algorithm) {
  for (auto const& kind : policy_section().kinds)
    if (kind.name == algorithm) return kind.fields;
  return {};
}

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names;
  for (auto const& kind : policy_section().kinds) names.push_back(kind.name);
  return names;
}

CalibratorOptions read_calibrator(Settings const& settings) {
  return read<CalibratorOptions>(calibrator_section(), settings);
}

PolicyOptions read_policy_section(std::string const& name, Settings const& own, Settings const& policy) {
  for (auto const& [key, value] : own)
    if (is_of_all_agents(key)) throw SettingError(key, ": holds for all agents; expected in [policy]");
  auto merged = own;
  if (auto const algorithm = policy.find("algorithm"); algorithm != policy.end()) merged.insert(*algorithm);
  PolicyOptions kind;
  if (auto const algorithm = merged.find("algorithm"); algorithm != merged.end())
    read_settings(kind, Settings{*algorithm});
  auto const has = to_settings(kind);
  for (auto const& [key, value] : policy)
    if (has.count(key) && !is_of_all_agents(key)) merged.insert({key, value});
  return read<PolicyOptions>(policy_section("policy." + name), merged);
}

Settings policy_section_settings(PolicyOptions const& options) {
  auto settings = to_settings(options);
  std::erase_if(settings, [](auto const& entry) { return is_of_all_agents(entry.first); });
  return settings;
}

PolicyOptions read_policy(Settings const& settings) { return read<PolicyOptions>(policy_section(), settings); }

}  // namespace shoal
