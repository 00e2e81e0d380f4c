#include "program/transactions.hpp"

#define CSV_IO_NO_THREAD                      // a second thread would save nothing here
#if defined(__GNUC__) && !defined(__clang__)  // the library cuts long file names in messages that we do not show
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#include <csv.h>
#pragma GCC diagnostic pop
#else
#include <csv.h>
#endif
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace shoal {

namespace {

using Trim = io::trim_chars<' ', '\t'>;
using Quotes = io::double_quote_escape<',', '"'>;
using Table = io::CSVReader<2, Trim, Quotes, io::throw_on_overflow, io::empty_line_comment>;

// The library's own source takes a read error for the end, and without a line break at a file's end the library goes on into
// what happens to lie in its buffer.
class CsvBytes : public io::ByteSourceBase {
 public:
  explicit CsvBytes(std::string const& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), std::fclose) {
    if (!file_) fail();
    std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // the library reads 16 MB at once
  }

  int read(char* buffer, int size) override {
    auto n = int(std::fread(buffer, 1, std::size_t(size), file_.get()));
    if (std::ferror(file_.get())) fail();
    if (n > 0) last_ = buffer[n - 1];
    if (n < size && last_ != '\n') buffer[n++] = last_ = '\n';
    return n;
  }

 private:
  [[noreturn]] void fail() const {
    throw wrong_data("file", path_, fmt::format("cannot be read: {}", std::strerror(errno)));
  }

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  char last_ = '\n';
};

std::vector<std::string> header_columns(std::string const& path) {
  io::LineReader reader(path, std::make_unique<CsvBytes>(path));
  std::vector<std::string> columns;
  for (char* at = reader.next_line(); at;) {
    char* begin = at;
    char* end = begin + (Quotes::find_next_column_end(begin) - begin);
    at = *end == '\0' ? nullptr : end + 1;
    *end = '\0';
    Trim::trim(begin, end);
    Quotes::unescape(begin, end);
    columns.emplace_back(begin);
  }
  return columns;
}

void read_header(Table& table, DataOptions const& options, std::string const& path) {
  try {
    table.read_header(io::ignore_extra_column, options.quantity, options.group);
  } catch (io::error::header_missing const&) {
    throw InputError(fmt::format("{}: empty; expected a header and a row for each transaction", path));
  } catch (io::error::duplicated_column_in_header const& error) {
    throw InputError(fmt::format("{}:1: column {} occurs twice; expected once", path, error.column_name));
  } catch (io::error::missing_column_in_header const&) {
    auto const columns = header_columns(path);
    bool const has_quantity = std::find(columns.begin(), columns.end(), options.quantity) != columns.end();
    throw wrong_data(has_quantity ? "group" : "quantity", has_quantity ? options.group : options.quantity,
                     fmt::format("expected a column of {}: {}", path, fmt::join(columns, ", ")));
  } catch (io::error::escaped_string_not_closed const&) {
    throw InputError(fmt::format("{}:1: a quote is not closed", path));
  }
}

double parse_quantity(char const* text) {
  double x = 0;
  auto const* const end = text + std::strlen(text);
  auto const [rest, error] = std::from_chars(text, end, x);
  return error == std::errc{} && rest == end && std::isfinite(x) ? x : 0;
}

Members read_rows(Table& table, DataOptions const& options, std::string const& path) {
  Members members;
  auto const broken = [&](std::string const& problem) {
    return InputError(fmt::format("{}:{}: {}", path, table.get_file_line(), problem));
  };
  try {
    char const *text = nullptr, *member = nullptr;
    while (table.read_row(text, member)) {
      double const quantity = parse_quantity(text);
      if (!(quantity > 0))
        throw broken(fmt::format("{} = {}: expected a positive number", options.quantity, to_text(std::string(text))));
      ++members[member][quantity];
    }
  } catch (io::error::too_few_columns const&) {
    throw broken("too few columns; expected as many as in the header");
  } catch (io::error::too_many_columns const&) {
    throw broken("too many columns; expected as many as in the header, and quotes around values with commas");
  } catch (io::error::escaped_string_not_closed const&) {
    throw broken("a quote is not closed; expected that on the same line");
  } catch (io::error::line_length_limit_exceeded const&) {
    throw broken("longer than 16 MB; expected a row of a CSV file");
  }
  return members;
}

}  // namespace

SettingError wrong_data(char const* key, std::string const& value, std::string const& problem) {
  return {key, fmt::format(" = {}: {}", to_text(value), problem)};
}

Members read_transactions(std::string const& path, DataOptions const& options) {
  Table table(path, std::make_unique<CsvBytes>(path));
  read_header(table, options, path);
  auto members = read_rows(table, options, path);
  if (members.empty())
    throw InputError(fmt::format("{}: no rows below the header; expected one for each transaction", path));
  return members;
}

}  // namespace shoal
