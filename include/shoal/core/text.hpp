// Text from outside (file names, names in data, values) on its way into messages, files and terminals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shoal {

/// The length in bytes of the well-formed UTF-8 character at the beginning of `text`; 0: there is none.
std::size_t utf8_length(std::string_view text);

/// Whether all of `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// One line of UTF-8 that a terminal shows as it is: control characters and bytes that are no UTF-8 become `\xNN`, and
/// what goes beyond `most` bytes becomes "...".
std::string printable(std::string_view text, std::size_t most = 1000);

/// The text as a word of a shell's command line: as it is, in quotes where it needs them, and in $'...' where it is not
/// printable.
std::string shell_word(std::string_view text);

}  // namespace shoal
