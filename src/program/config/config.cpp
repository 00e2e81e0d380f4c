#include "program/config/config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>

#include "program/config/toml_settings.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

std::string trimmed(std::string const& text) {
  auto const first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string bracketed_names() {
  std::vector<std::string> names;
  for (auto const& name : section_names()) names.push_back(fmt::format("[{}]", name));
  return fmt::format("{}", fmt::join(names, ", "));
}

bool is_section(std::string const& name) {
  auto const& names = section_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Reader {
 public:
  explicit Reader(std::string const& name) : config_{.file = name, .sections = {}, .targets = {}} {}

  Config operator()(toml::table const& root) {
    for (auto const& [key, node] : root) {
      auto const name = std::string(key.str());
      auto const at = location(config_.file, key.source());
      auto const* const table = node.as_table();
      if (!table && is_section(name)) throw InputError(fmt::format("{}{}: expected a section, [{}]", at, name, name));
      if (!table)
        throw InputError(
            fmt::format("{}{}: expected inside a section, one of {}", at, printable(name, 80), bracketed_names()));
      if (!is_section(name))
        throw InputError(
            fmt::format("{}[{}]: unknown section; expected {}", at, printable(name, 80), bracketed_names()));
      config_.sections[name] = read_table(name, *table);
    }
    return std::move(config_);
  }

 private:
  Settings read_table(std::string const& section, toml::table const& table) {
    Settings settings;
    for (auto const& [key, node] : table) {
      auto const full = fmt::format("{}.{}", section, key.str());
      if (full == "calibrator.target") {
        read_targets(location(config_.file, key.source()), node);
      } else if (section == "policy" && node.is_table()) {
        config_.origins[full] = location(config_.file, key.source());
        config_.sections[full] = read_table(full, *node.as_table());
      } else {
        settings.emplace(std::string(key.str()), read_setting(config_, full, key, node));
      }
    }
    return settings;
  }

  void read_targets(std::string const& at, toml::node const& node) {
    auto const* const array = node.as_array();
    if (!array || !array->is_homogeneous(toml::node_type::table))
      throw InputError(at + "calibrator.target: expected [[calibrator.target]] entries");
    config_.origins["calibrator.target"] = at;
    for (auto const& item : *array)
      config_.targets.push_back(read_table(target_section(config_.targets.size()), *item.as_table()));
  }

  Config config_;
};

bool is_of_policy(std::string const& name) { return name.starts_with("policy."); }

/// Keys whose values are text even where they look like something else: --set data.member=5.
bool takes_text(std::string const& name) {
  constexpr std::array<std::string_view, 6> keys{"data.file",   "data.quantity", "data.group",
                                                 "data.member", "env.plugin",    "calibrator.profile_file"};
  return std::find(keys.begin(), keys.end(), name) != keys.end() || (is_of_policy(name) && name.ends_with(".run"));
}

struct KeyName {
  std::string section, key;
};

/// section.key or policy.NAME.key; nothing where a part is missing, empty or too much.
std::optional<KeyName> parse_key_name(std::string const& name) {
  auto const last = name.rfind('.');
  if (last == std::string::npos) return std::nullopt;
  KeyName parts{name.substr(0, last), name.substr(last + 1)};
  auto const member = is_of_policy(parts.section) ? parts.section.substr(parts.section.find('.') + 1) : parts.section;
  if (parts.key.empty() || member.empty() || member.find('.') != std::string::npos) return std::nullopt;
  return parts;
}

void apply(Config& config, std::string const& assignment) {
  auto const text = fmt::format("--set {}", printable(assignment, 100));
  auto [name, value] = parse_assignment(assignment);
  if (takes_text(name) && !std::holds_alternative<std::string>(value))
    value = trimmed(assignment.substr(assignment.find('=') + 1));
  auto const parts = parse_key_name(name);
  if (!parts) throw InputError(fmt::format("{}: expected section.key=value", text));
  if (!is_of_policy(parts->section) && !is_section(parts->section))
    throw InputError(fmt::format("{}: unknown section; expected {}", text, bracketed_names()));
  if (name == "calibrator.target")
    throw InputError(fmt::format("{}: targets are given in the file, [[calibrator.target]]", text));
  config.sections[parts->section].insert_or_assign(parts->key, std::move(value));
  config.origins[name] = "--set ";
  config.origins.try_emplace(parts->section, "--set ");
}

// A value that is no TOML of one line, or a date, which no setting is, stands for itself: --set data.member=Diageo
// Americas.
Converted parse_value(std::string const& text) {
  if (text.find_first_of("\r\n") != std::string::npos) return {text};
  try {
    auto const table = parse_toml(fmt::format("value = {}", text), "--set");
    if (auto const* node = table.get("value");
        node && table.size() == 1 && !(node->is_date() || node->is_time() || node->is_date_time()))
      return convert(*node);
  } catch (InputError const&) {}
  return {text};
}

/// The system would take a path to end at a NUL character.
void check_paths(Config const& config) {
  std::vector<std::pair<std::string, char const*>> paths{
      {"data", "file"}, {"env", "plugin"}, {"calibrator", "profile_file"}, {"policy", "run"}};
  for (auto const& name : policy_names(config)) paths.emplace_back("policy." + name, "run");
  for (auto const& [section, key] : paths) {
    auto const settings = config.sections.find(section);
    if (settings == config.sections.end() || !settings->second.count(key)) continue;
    auto const* const path = std::get_if<std::string>(&settings->second.at(key));
    if (path && path->find('\0') != std::string::npos)
      throw located(config, section,
                    SettingError(key, fmt::format(" = \"{}\": expected a path without NUL", printable(*path, 200))));
  }
}

void write_table(std::string& out, std::string const& heading, Settings const& settings) {
  out += fmt::format("\n{}\n", heading);
  for (auto const& [key, value] : settings) out += fmt::format("{} = {}\n", key, to_text(value));
}

}  // namespace

std::vector<std::string> const& section_names() {
  static std::vector<std::string> const names{"env", "data", "policy", "calibrator", "validation", "settling", "train"};
  return names;
}

std::vector<std::string> policy_names(Config const& config) {
  std::vector<std::string> names;
  for (auto const& [section, settings] : config.sections)
    if (is_of_policy(section)) names.push_back(section.substr(section.find('.') + 1));
  return names;
}

std::string target_section(std::size_t i) { return fmt::format("calibrator.target[{}]", i + 1); }

std::string assigned_key(std::string const& assignment) { return trimmed(assignment.substr(0, assignment.find('='))); }

std::string given_twice(std::vector<std::string> const& assignments) {
  std::map<std::string, std::string> values;
  for (auto const& text : assignments) {
    auto const equals = text.find('=');
    if (equals == std::string::npos) continue;
    auto const key = assigned_key(text);
    auto const value = trimmed(text.substr(equals + 1));
    if (auto const [first, is_new] = values.emplace(key, value); !is_new)
      return fmt::format("{}: given twice, as {} and {}", printable(key, 100), printable(first->second, 80),
                         printable(value, 80));
  }
  return {};
}

std::pair<std::string, Setting> parse_assignment(std::string const& text) {
  if (!is_utf8(text)) throw InputError(fmt::format("--set {}: is not UTF-8", printable(text, 100)));
  auto const equals = text.find('=');
  auto const key = assigned_key(text);
  if (equals == std::string::npos || key.empty())
    throw InputError(fmt::format("--set {}: expected key=value", printable(text, 100)));
  auto converted = parse_value(trimmed(text.substr(equals + 1)));
  if (!converted.setting) throw InputError(fmt::format("--set {}{}", printable(key, 100), converted.problem));
  return {key, std::move(*converted.setting)};
}

Settings parse_assignments(std::vector<std::string> const& assignments) {
  if (auto const problem = given_twice(assignments); !problem.empty()) throw InputError("--set " + problem);
  Settings settings;
  for (auto const& text : assignments) {
    auto [key, value] = parse_assignment(text);
    settings.emplace(key, std::move(value));
  }
  return settings;
}

Config parse_config(std::string const& text, std::string const& name, std::vector<std::string> const& overrides) {
  auto config = Reader(name)(parse_toml(text, name));
  if (auto const problem = given_twice(overrides); !problem.empty()) throw InputError("--set " + problem);
  for (auto const& assignment : overrides) apply(config, assignment);
  check_paths(config);
  if (auto const env = config.sections.find("env"); env == config.sections.end() || !env->second.count("name"))
    throw InputError(fmt::format("{}: env.name is missing; `shoal list` names the environments", name));
  return config;
}

Config read_config(std::string const& path, std::vector<std::string> const& overrides) {
  return parse_config(read_toml_text(path), path, overrides);
}

std::string to_toml(Config const& config, std::vector<std::string> const& header) {
  auto out = toml_comments(header);
  for (auto const& name : section_names()) {
    if (auto const it = config.sections.find(name); it != config.sections.end())
      write_table(out, fmt::format("[{}]", name), it->second);
    if (name == "policy")
      for (auto const& part : policy_names(config))
        write_table(out, fmt::format("[policy.{}]", part), config.sections.at("policy." + part));
    if (name == "calibrator")
      for (auto const& target : config.targets) write_table(out, "[[calibrator.target]]", target);
  }
  return out;
}

InputError located(Config const& config, std::string const& section, SettingError const& error) {
  auto const key = fmt::format("{}.{}", section, error.key);
  auto const origin = config.origins.find(key);
  return InputError((origin == config.origins.end() ? "" : origin->second) + printable(key, 100) + error.message);
}

}  // namespace shoal
