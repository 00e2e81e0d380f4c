// TOML text and values as settings. Neither LibTorch nor the program.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

#include "shoal/core/settings.hpp"

namespace shoal {

/// "x.toml:3: "
std::string location(std::string const& file, toml::source_region const& region);

/// @throws InputError in one line naming file, line and column, both lines of what is given twice, or the line of a key
///         or value that is nested too deep
toml::table parse_toml(std::string const& text, std::string const& file);

/// What is wrong with a value, or the setting that it is.
struct Converted {
  std::optional<Setting> setting = {};
  std::string problem = {};
};
Converted convert(toml::node const& node);

}  // namespace shoal
