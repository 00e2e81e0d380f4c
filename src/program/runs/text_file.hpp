// Text files that are never half written: aside first, then renamed.
#pragma once

#include <filesystem>
#include <string>

namespace shoal {

/// @throws Error naming the file if it cannot be written whole; what stood under that name then stays
void write_text(std::filesystem::path const& path, std::string const& text);

/// Finds out before long work whether the file can be written.
/// @param option  that names it: "--json"  @throws InputError naming both if it cannot
void check_writable(std::string const& option, std::filesystem::path const& path);

/// "PATH: cannot write: REASON", the reason being errno's.
[[noreturn]] void cannot_write(std::filesystem::path const& path);

}  // namespace shoal
