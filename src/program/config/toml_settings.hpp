// TOML as settings: what configuration files and study files have in common.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <vector>

#include "program/config/config.hpp"

namespace shoal {

/// "x.toml:3: "
std::string location(std::string const& file, toml::source_region const& region);

/// @throws InputError naming the file if it cannot be read or begins as one of another format
std::string read_toml_text(std::string const& path);

/// @throws InputError in one line naming file, line and column, both lines of what is given twice, or the line of a key
///         or value
/// that is nested too deep
toml::table parse_toml(std::string const& text, std::string const& file);

/// The lines as comments, in which control characters and those that turn the direction of text are escaped.
std::string toml_comments(std::vector<std::string> const& lines);

/// What is wrong with a TOML value, or the setting that it is.
struct Converted {
  std::optional<Setting> setting = {};
  std::string problem = {};
};
Converted convert(toml::node const& node);

/// The value of a key that is called `name`, "section.key", in errors; `config` keeps where it stands.
/// @throws InputError naming file and line for a value that is no setting
Setting read_setting(Config& config, std::string const& name, toml::key const& key, toml::node const& node);

}  // namespace shoal
