#include "program/csv_reader.hpp"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
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
      line += c;
      if (c == '\r' && more() && buffer_[at_] == '\n') line += buffer_[at_++];
      if (c == '\n' || c == '\r') break;
      if (line.size() > longest_value)
        throw InputError(fmt::format("{}:{}: longer than 16 MB; expected a row of a CSV file", path_, number_ + 1));
    }
    if (!more() && line.ends_with('\x1a')) line.pop_back();
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

  void refuse_other_formats() const {
    using namespace std::string_view_literals;
    constexpr std::array formats{std::pair{"\x1f\x8b"sv, "gzip"},
                                 std::pair{"PK\x03\x04"sv, "a zip archive or an Excel workbook"},
                                 std::pair{"BZh"sv, "bzip2"},
                                 std::pair{"\xfd\x37zXZ"sv, "xz"},
                                 std::pair{"\x28\xb5\x2f\xfd"sv, "zstd"},
                                 std::pair{"PAR1"sv, "Parquet"},
                                 std::pair{"\xff\xfe"sv, "UTF-16 text"},
                                 std::pair{"\xfe\xff"sv, "UTF-16 text"},
                                 std::pair{"\xd0\xcf\x11\xe0"sv, "an Excel workbook"}};
    for (auto const& [mark, name] : formats)
      if (buffer_.starts_with(mark))
        throw InputError(fmt::format("{}: is {}; expected a CSV file in UTF-8", path_, name));
    if (buffer_.find('\0') != std::string::npos)
      throw InputError(fmt::format("{}: is no text (UTF-16, or binary); expected a CSV file in UTF-8", path_));
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

/// "sep=;" of spreadsheets; 0: the line is none.
char separator_line(std::string const& line) {
  auto const end = line.find_last_not_of("\r\n");
  bool const is_one = end == 4 && (line.starts_with("sep=") || line.starts_with("SEP="));
  return is_one ? line[4] : '\0';
}

}  // namespace

CsvReader::CsvReader(std::string path, char delimiter, std::vector<std::string> columns)
    : path_(std::move(path)), delimiter_(delimiter), columns_(std::move(columns)) {}

char CsvReader::choose_delimiter(std::string const& first_line) const {
  std::pair<std::size_t, std::size_t> best;  // columns found, cells
  char chosen = ',';
  for (char const c : {',', ';', '\t', '|'}) {
    auto const cells = split(first_line, c);
    auto const has = [&](auto const& name) { return std::find(cells.begin(), cells.end(), name) != cells.end(); };
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
    if (char const c = separator_line(line); c && lines.number() == 1) {
      if (!delimiter) delimiter = c;
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
