// What the program says on its terminal. Standard output has results, standard error what goes on.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace shoal {

/// Opens what is closed of the descriptors 0 to 2, so that no file of a run gets one of them; reading finds nothing
/// there, and writing fails. Also makes a vanished reader an error of writing, not the program's end.
void reserve_standard_descriptors();

/// From now on tell() says nothing, and `name` begins errors in place of "shoal": of many processes that do one work the
/// first tells of it.
void tell_errors_alone(std::string const& name);

/// Whether standard error, or else that descriptor, is a terminal that understands escape sequences.
bool is_live_terminal(int descriptor = 2);

/// Writes a line, or a part of one, to standard error. Whatever becomes of it, work goes on: what cannot be shown is
/// dropped, and a reader that does not read is waited for a second at most. Signal handlers may call it.
/// @param patience  milliseconds to wait for the reader
void tell(std::string_view text, int patience = 1000);

/// Warns where there are fewer CPUs than threads. @param key  what the user calls them
void warn_about_threads(std::string const& key, int threads);

/// "shoal: " and the message on one line, printable and not too long.
void tell_error(std::string const& message);

/// The same of a run, which the message names.
void tell_failure(std::string const& folder, std::exception const& error);

/// Everything printed is written now.
/// @throws Error if it could not be
void finish_output();

/// What was wrong, without any library's own words: one line.
std::string description(std::exception const& error);

}  // namespace shoal
