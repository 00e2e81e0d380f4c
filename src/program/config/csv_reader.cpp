#include "program/config/csv_reader.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

namespace shoal {

namespace {

constexpr std::size_t longest_value = 1 << 24;

/// The file's physical lines, each with its end of line; the last gets one if it has none.
class Lines {
 public:
  explicit Lines(std::string const& path) : path_(path), file_(std::fopen(path.c_str(), "rb"), std::fclose) {
    if (!file_) fail();
    fill();
    refuse_other_formats();
    if (buffer_.starts_with("\xef\xbb\xbf")) at_ = 3;
  }

  /// @return whether there was another line
  bool next(std::string& line) {
    line.clear();
    while (more()) {
      char const c = buffer_[at_++];
      if (c == '\x1a' && only_padding_follows()) {
        buffer_.clear(), at_ = 0;  // the end
        break;
      }
      line += c;
      if (c == '\r' && more() && buffer_[at_] == '\n') line += buffer_[at_++];
      if (c == '\n' || c == '\r') break;
      if (line.size() > longest_value)
        throw InputError(fmt::format("{}:{}: longer than 16 MB; expected a row of a CSV file", path_, number_ + 1));
    }
    if (line.empty()) return false;
    if (line.back() != '\n' && line.back() != '\r') line += '\n';
    ++number_;
    return true;
  }

  std::int64_t number() const { return number_; }

 private:
  [[noreturn]] static void fail() { throw UnreadableFile(std::strerror(errno)); }

  void fill() {
    buffer_.resize(1 << 16);
    buffer_.resize(std::fread(buffer_.data(), 1, buffer_.size(), file_.get()));
    if (std::ferror(file_.get())) fail();
    at_ = 0;
  }

  bool more() {
    if (at_ == buffer_.size() && !buffer_.empty()) fill();
    return at_ < buffer_.size();
  }

  /// Reads on without dropping what was read. @return whether there was more
  bool extend() {
    std::string next(1 << 16, '\0');
    next.resize(std::fread(next.data(), 1, next.size(), file_.get()));
    if (std::ferror(file_.get())) fail();
    buffer_ += next;
    return !next.empty();
  }

  bool only_padding_follows() {
    for (auto at = at_;;) {
      if (buffer_.find_first_not_of(" \t\r\n\x1a", at) != std::string::npos) return false;
      at = buffer_.size();
      if (!extend()) return true;
    }
  }

  void refuse_other_formats() const {
    if (auto const format = other_format(buffer_); !format.empty())
      throw InputError(fmt::format("{}: is {}; expected a CSV file in UTF-8", path_, format));
  }

  std::string const& path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::int64_t number_ = 0;
};

/// libcsv's parser: gathers cells into rows.
class Parser {
 public:
  explicit Parser(char delimiter) {
    if (csv_init(&parser_, 0) != 0) throw Error("libcsv cannot begin");
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
  }
  Parser(Parser const&) = delete;
  Parser& operator=(Parser const&) = delete;
  ~Parser() { csv_free(&parser_); }

  /// @return whether a row is complete now, in row()
  bool feed(std::string const& line) {
    if (complete_) row_.clear(), complete_ = false;
    if (csv_parse(&parser_, line.data(), line.size(), add_cell, end_row, this) != line.size()) fail();
    return complete_;
  }

  CsvRow const& row() const { return row_; }
  /// Bytes of the value that a later line goes on with.
  std::size_t open_value() const { return parser_.entry_pos; }

 private:
  static void add_cell(void* text, std::size_t size, void* self) {
    static_cast<Parser*>(self)->row_.emplace_back(static_cast<char const*>(text), size);
  }
  static void end_row(int, void* self) { static_cast<Parser*>(self)->complete_ = true; }
  [[noreturn]] void fail() { throw Error(fmt::format("libcsv: {}", csv_strerror(csv_error(&parser_)))); }

  csv_parser parser_;
  CsvRow row_;
  bool complete_ = false;
};

CsvRow split(std::string const& line, char delimiter) {
  Parser parser(delimiter);
  parser.feed(line);
  return parser.row();
}

bool is_blank(std::string const& line) { return line.find_first_not_of(" \t\r\n") == std::string::npos; }

/// "sep=;" of spreadsheets, also in quotes and with empty cells behind it. @return nothing: the line is none; 0: the
/// cells behind are parted otherwise, so that the file was stored again after the line was written
std::optional<char> separator_line(std::string_view line) {
  line = line.substr(0, line.find_last_not_of("\r\n") + 1);
  bool const quoted = line.starts_with('"');
  if (quoted) line.remove_prefix(1);
  auto const same = [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); };
  constexpr std::string_view mark = "sep=";
  if (line.size() <= mark.size() || !std::equal(mark.begin(), mark.end(), line.begin(), same)) return {};
  char const separator = line[mark.size()];
  line.remove_prefix(mark.size() + 1);
  if (quoted && !line.starts_with('"')) return {};
  if (quoted) line.remove_prefix(1);
  if (line.find_first_not_of(" ,;\t|") != std::string_view::npos) return {};
  auto const other = [&](char c) { return c != ' ' && c != separator; };
  return std::any_of(line.begin(), line.end(), other) ? '\0' : separator;
}

constexpr std::array<std::string_view, 29> blanks{
    " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00a0", "\u1680", "\u180e",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009",
    "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u2060", "\u3000", "\ufeff"};

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

}  // namespace

std::string other_format(std::string_view beginning) {
  using namespace std::string_view_literals;
  constexpr std::array formats{std::pair{"\x1f\x8b"sv, "gzip"},
                               std::pair{"PK\x03\x04"sv, "a zip archive or an Excel workbook"},
                               std::pair{"BZh"sv, "bzip2"},
                               std::pair{"\xfd\x37zXZ"sv, "xz"},
                               std::pair{"\x28\xb5\x2f\xfd"sv, "zstd"},
                               std::pair{"PAR1"sv, "Parquet"},
                               std::pair{"\xff\xfe\0\0"sv, "UTF-32 text"},
                               std::pair{"\0\0\xfe\xff"sv, "UTF-32 text"},
                               std::pair{"\xff\xfe"sv, "UTF-16 text"},
                               std::pair{"\xfe\xff"sv, "UTF-16 text"},
                               std::pair{"\xd0\xcf\x11\xe0"sv, "an Excel workbook"}};
  for (auto const& [mark, name] : formats)
    if (beginning.starts_with(mark)) return name;
  if (beginning.find('\0') == std::string_view::npos) return {};
  std::string zeros;  // of the first four bytes: ASCII text without a mark has them at these places
  for (char const c : beginning.substr(0, 4)) zeros += c == '\0' ? '0' : 'x';
  if (zeros == "x000" || zeros == "000x") return "UTF-32 text";
  if (zeros == "x0x0" || zeros == "0x0x") return "UTF-16 text";
  return "no text (UTF-16, or binary)";
}

std::string_view without_blanks(std::string_view text) {
  auto const begins = [&](std::string_view blank) { return text.starts_with(blank); };
  auto const ends = [&](std::string_view blank) { return text.ends_with(blank); };
  while (!text.empty() && !is_visible(text.front())) {
    auto const* const blank = std::find_if(blanks.begin(), blanks.end(), begins);
    if (blank == blanks.end()) break;
    text.remove_prefix(blank->size());
  }
  while (!text.empty() && !is_visible(text.back())) {
    auto const* const blank = std::find_if(blanks.begin(), blanks.end(), ends);
    if (blank == blanks.end()) break;
    text.remove_suffix(blank->size());
  }
  return text;
}

CsvReader::CsvReader(std::string path, char delimiter, std::vector<std::string> columns)
    : path_(std::move(path)), delimiter_(delimiter), columns_(std::move(columns)) {}

char CsvReader::choose_delimiter(std::string const& first_line) const {
  std::pair<std::size_t, std::size_t> best;  // columns found, cells
  char chosen = ',';
  for (char const c : {',', ';', '\t', '|'}) {
    auto const cells = split(first_line, c);
    auto const has = [&](auto const& name) {
      auto const is_it = [&](auto const& cell) { return without_blanks(cell) == without_blanks(name); };
      return std::any_of(cells.begin(), cells.end(), is_it);
    };
    std::pair const score{std::size_t(std::count_if(columns_.begin(), columns_.end(), has)), cells.size()};
    if (score > best) best = score, chosen = c;
  }
  return chosen;
}

void CsvReader::operator()(std::function<void(CsvRow const&, std::int64_t)> const& take) const {
  Lines lines(path_);
  std::unique_ptr<Parser> parser;
  char delimiter = delimiter_;
  std::int64_t begin = 1;
  bool open = false;  // the last line ended within a value
  for (std::string line; lines.next(line);) {
    if (lines.number() == 1)
      if (auto const separator = separator_line(line)) {
        if (!delimiter) delimiter = *separator;
        continue;
      }
    if (!open && is_blank(line)) continue;
    if (!parser) parser = std::make_unique<Parser>(delimiter ? delimiter : choose_delimiter(line));
    if (!open) begin = lines.number();
    bool const complete = parser->feed(line);
    if (complete) take(parser->row(), begin);
    open = !complete;
    if (parser->open_value() > longest_value)
      throw InputError(fmt::format("{}:{}: a value of more than 16 MB; is a quote not closed?", path_, begin));
  }
  if (open) throw InputError(fmt::format("{}:{}: a quote is not closed", path_, begin));
}

}  // namespace shoal
