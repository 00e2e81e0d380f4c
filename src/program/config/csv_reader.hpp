// CSV files as people have them (RFC 4180 and its habits), row by row. libcsv splits; this names lines, delimiters and
// encodings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/error.hpp"

namespace shoal {

using CsvRow = std::vector<std::string>;

/// A file that cannot be opened or read; the message is the system's reason.
struct UnreadableFile : InputError {
  using InputError::InputError;
};

/// What a file that begins so is in place of UTF-8 text: "gzip", "UTF-16 text". Empty: nothing speaks against text.
std::string other_format(std::string_view beginning);

/// Without blanks at both ends, the no-break space and Unicode's others among them.
std::string_view without_blanks(std::string_view text);

/// Reads the rows of a file: rows end with LF, CR or CRLF, blank ones are left out, and so are a byte order mark, a
/// first line "sep=;" and final Ctrl-Zs. A quote opens a quoted value at the value's beginning only. Blanks around a
/// value do not count where no quotes hold them.
class CsvReader {
 public:
  /// @param delimiter  0: what "sep=" says, or else the one of , ; tab | that gives the first row all of `columns`, or
  ///                   else most cells
  CsvReader(std::string path, char delimiter, std::vector<std::string> columns);

  /// Calls `take(cells, line)` for every row, the header included; `line` is that of the row's beginning, from 1.
  /// @throws UnreadableFile, or InputError naming file and line for what is no text, a quote that is not closed, or a
  ///         value longer than 16 MB
  void operator()(std::function<void(CsvRow const&, std::int64_t line)> const& take) const;

 private:
  char choose_delimiter(std::string const& first_line) const;

  std::string path_;
  char delimiter_;
  std::vector<std::string> columns_;
};

}  // namespace shoal
