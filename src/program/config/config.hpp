// Configuration files: TOML of two levels, [section] key = value, [policy.NAME] and [[calibrator.target]]. Reading
// keeps where each key came from, so that errors found later can still say "iowa.toml:14".
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "shoal/core/settings.hpp"

namespace shoal {

struct Config {
  std::string file;  // as given
  /// Those that the file or an override has; [calibrator] without its targets, [policy.NAME] as "policy.NAME".
  std::map<std::string, Settings> sections;
  std::vector<Settings> targets;  // [[calibrator.target]]
  /// What an error about a key begins with, "iowa.toml:14: " or "--set "; by "section.key", for a target by
  /// target_section().
  std::map<std::string, std::string> origins = {};
};

/// The names of all sections, in the order that files are written in.
std::vector<std::string> const& section_names();

/// "NAME" of each section [policy.NAME].
std::vector<std::string> policy_names(Config const& config);

/// What target i, counted from 0, is called in errors: "calibrator.target[1]" for i = 0.
std::string target_section(std::size_t i);

/// @param overrides  "section.key=value", "policy.NAME.key=value": the value is TOML, or else a string as it stands
/// @throws InputError in one line naming file and line, or the override
Config read_config(std::string const& path, std::vector<std::string> const& overrides);
Config parse_config(std::string const& text, std::string const& name, std::vector<std::string> const& overrides);

/// The key of "key=value", without blanks around it.
std::string assigned_key(std::string const& assignment);

/// What is wrong where "key=value"s give a key twice: "train.stages: given twice, as 2 and 3"; empty: none does.
std::string given_twice(std::vector<std::string> const& assignments);

/// "key=value" as a command line gives it. A value that is no TOML of one line stands for itself.
/// @throws InputError without "=", or for a value that is a table or a list of unlike elements
std::pair<std::string, Setting> parse_assignment(std::string const& text);

/// The settings of a command's --set key=value.
/// @throws InputError also where a key is given twice
Settings parse_assignments(std::vector<std::string> const& assignments);

/// The whole configuration as TOML; parse_config() reads it back. `header` lines become comments.
std::string to_toml(Config const& config, std::vector<std::string> const& header);

/// `error`, about a key of `section`, as "iowa.toml:14: env.penalty = ...", "--set env.penalty = ..." or, for a key
/// that nobody wrote, "env.penalty = ...".
InputError located(Config const& config, std::string const& section, SettingError const& error);

/// f(), whose SettingErrors are about keys of `section`.
template <class F>
auto with_location(Config const& config, std::string const& section, F f) {
  try {
    return f();
  } catch (SettingError const& error) {
    throw located(config, section, error);
  }
}

/// The same for errors whose key holds the section: "train.steps".
template <class F>
auto with_section_location(Config const& config, F f) {
  try {
    return f();
  } catch (SettingError const& error) {
    auto const dot = error.key.find('.');
    if (dot == std::string::npos) throw;
    throw located(config, error.key.substr(0, dot), SettingError(error.key.substr(dot + 1), error.message));
  }
}

}  // namespace shoal
