// Settings from text: what interfaces of other languages take in place of a configuration file.
#pragma once

#include <string>

#include "shoal/core/settings.hpp"

namespace shoal {

/// The pairs of a flat TOML document, or of a JSON object where the first character after blanks is {.
/// @param name  what errors call the text
/// @throws InputError in one line naming the line or the key: for text that is neither, values that are no settings,
///         and keys given twice
Settings parse_settings(std::string const& text, std::string const& name);

}  // namespace shoal
