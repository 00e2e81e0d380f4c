// TOML as settings: what configuration files and study files have in common.
#pragma once

#include <string>
#include <vector>

#include "program/config/config.hpp"
#include "settings/toml.hpp"

namespace shoal {

/// @throws InputError naming the file if it cannot be read or begins as one of another format
std::string read_toml_text(std::string const& path);

/// The lines as comments, in which control characters and those that turn the direction of text are escaped.
std::string toml_comments(std::vector<std::string> const& lines);

/// The value of a key that is called `name`, "section.key", in errors; `config` keeps where it stands.
/// @throws InputError naming file and line for a value that is no setting
Setting read_setting(Config& config, std::string const& name, toml::key const& key, toml::node const& node);

}  // namespace shoal
