#include "program/config/toml_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

#include "program/config/csv_reader.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace {

bool is_number(toml::node const& node) { return node.is_integer() || node.is_floating_point(); }

double number(toml::node const& node) { return node.value<double>().value_or(0); }

Converted convert_array(toml::array const& array) {
  if (std::all_of(array.begin(), array.end(), is_number)) {  // an empty list too; readers of strings take that as well
    std::vector<double> numbers;
    for (auto const& item : array) numbers.push_back(number(item));
    return {numbers};
  }
  std::vector<std::string> strings;
  for (auto const& item : array) {
    if (!item.is_string()) return {{}, ": expected a list of numbers only or of strings only"};
    strings.push_back(item.as_string()->get());
  }
  return {strings};
}

// toml++ nests a table for each part of a key, and its destructors recurse: thousands would overflow the stack.
constexpr std::size_t most_parts = 32;
constexpr int most_depth = 32;

/// A pass over TOML text ahead of toml++'s. It finds what is nested too deep and what is given twice, and takes all
/// that is valid; text that is not is left to toml++, which stops where this does or before.
class Scan {
 public:
  struct Excess {
    std::int64_t line;
    std::string problem;
  };
  struct Twice {
    std::string name;  // "train.stages", "[train]"
    std::int64_t line, first_line;
  };

  explicit Scan(std::string_view text) : text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    while (statement()) {}
  }

  std::optional<Excess> const& excess() const { return excess_; }
  std::optional<Twice> const& twice() const { return twice_; }  // the first name that is

 private:
  /// How a name comes to be: before the last point of a header, before the last point of a key, or by itself.
  enum class Kind { parent, dotted, table, entry, key };
  struct Definition {
    Kind kind;
    std::int64_t line;
  };

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  char next() {
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  bool take(char c) {
    bool const is_next = !at_end() && peek() == c;
    if (is_next) next();
    return is_next;
  }
  void skip(std::string_view characters) {
    while (!at_end() && characters.find(peek()) != characters.npos) next();
  }
  void skip_to(std::string_view characters) {
    while (!at_end() && characters.find(peek()) == characters.npos) next();
  }
  void skip_blanks_and_comments() {
    for (skip(" \t\r\n"); peek() == '#'; skip(" \t\r\n")) skip_to("\n");
  }

  bool refuse(std::string problem) {
    excess_ = {line_, std::move(problem)};
    return false;
  }

  // Each of the following returns whether the text may go on.

  bool statement() {
    skip_blanks_and_comments();
    if (at_end() || !(peek() == '[' ? header() : pair(table_))) return false;
    skip_to("\n");
    return true;
  }

  bool header() {
    take('[');
    bool const is_entry = take('[');
    std::vector<std::string> parts;
    if (!key(parts)) return false;
    table_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      table_ = joined(table_, parts[i]);
      bool const is_last = i + 1 == parts.size();
      define(table_, !is_last ? Kind::parent : is_entry ? Kind::entry : Kind::table);
      if (is_last && is_entry) ++entries_[table_];
      bool const in_entry = is_last ? is_entry : entries_.count(table_) > 0;
      if (in_entry) table_ += fmt::format("[{}]", entries_[table_]);
    }
    return true;
  }

  /// key = value, in a table.
  bool pair(std::string const& table) {
    std::vector<std::string> parts;
    if (!key(parts)) return false;
    std::string name = table;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      name = joined(name, parts[i]);
      define(name, i + 1 == parts.size() ? Kind::key : Kind::dotted);
    }
    if (!take('=')) return false;
    skip(" \t");
    return value(name);
  }

  bool key(std::vector<std::string>& parts) {
    do {
      skip(" \t");
      auto const begin = at_;
      bool const quoted = peek() == '"' || peek() == '\'';
      if (quoted && !string()) return false;
      if (!quoted) skip_to(" \t\r\n.=[]{},#\"'");
      if (at_ == begin) return false;
      auto const text = text_.substr(begin, at_ - begin);
      parts.emplace_back(quoted && is_plain(text.substr(1, text.size() - 2)) ? text.substr(1, text.size() - 2) : text);
      if (parts.size() > most_parts)
        return refuse(fmt::format("a key of more than {} parts; expected section.key", most_parts));
      skip(" \t");
    } while (take('.'));
    return true;
  }

  bool value(std::string const& name) {
    if (peek() == '"' || peek() == '\'') return string();
    if (peek() == '[' || peek() == '{') {
      if (++depth_ > most_depth)
        return refuse(
            fmt::format("lists or tables within more than {} others; expected a boolean, a number, a string "
                        "or a list of them",
                        most_depth));
      bool const goes_on = peek() == '[' ? array(name) : inline_table(name);
      --depth_;
      return goes_on;
    }
    auto const begin = at_;
    skip_to(" \t\r\n,]}#");
    return at_ > begin;
  }

  bool array(std::string const& name) {
    take('[');
    for (std::size_t i = 1;;) {
      skip_blanks_and_comments();
      if (take(']')) return true;
      if (take(',')) continue;
      bool const nests = peek() == '[' || peek() == '{';
      if (at_end() || !value(nests ? fmt::format("{}[{}]", name, i++) : name)) return false;
    }
  }

  bool inline_table(std::string const& name) {
    take('{');
    for (;;) {
      skip_blanks_and_comments();
      if (take('}')) return true;
      if (take(',')) continue;
      if (at_end() || !pair(name)) return false;
      skip_to(",}#\n");  // the time of a date
    }
  }

  bool string() {
    char const quote = peek();
    std::string const fence(3, quote);
    bool const is_long = text_.substr(at_).starts_with(fence);
    at_ += is_long ? 3 : 1;
    while (!at_end()) {
      if (is_long && text_.substr(at_).starts_with(fence)) {
        at_ += 3;
        for (int more = 0; more < 2 && take(quote);) ++more;  // quotes that end the text itself
        return true;
      }
      char const c = next();
      if (c == quote && !is_long) return true;
      if (c == '\n' && !is_long) return false;
      if (c == '\\' && quote == '"' && !at_end()) next();
    }
    return false;
  }

  static bool is_plain(std::string_view part) {
    auto const fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
    return !part.empty() && std::all_of(part.begin(), part.end(), fits);
  }
  static std::string joined(std::string const& table, std::string const& part) {
    return table.empty() ? part : table + "." + part;
  }

  void define(std::string const& name, Kind kind) {
    auto const [it, is_new] = defined_.emplace(name, Definition{kind, line_});
    auto& first = it->second;
    if (is_new) return;
    bool const are_keys = first.kind == Kind::key || kind == Kind::key;
    bool const may_meet = first.kind == Kind::parent || kind == Kind::parent ||
                          (first.kind == kind && (kind == Kind::dotted || kind == Kind::entry));
    if ((are_keys || !may_meet) && !twice_)
      twice_ = {kind == Kind::table || kind == Kind::entry ? fmt::format("[{}]", name) : name, line_, first.line};
    if (first.kind == Kind::parent) first = {kind, line_};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  int depth_ = 0;
  std::string table_;                            // that of the last header
  std::map<std::string, std::int64_t> entries_;  // of each [[list]] so far
  std::map<std::string, Definition> defined_;
  std::optional<Excess> excess_;
  std::optional<Twice> twice_;
};

}  // namespace

std::string location(std::string const& file, toml::source_region const& region) {
  return fmt::format("{}:{}: ", file, region.begin.line);
}

std::string read_toml_text(std::string const& path) {
  if (std::filesystem::is_directory(path)) throw InputError(fmt::format("{}: is a folder; expected a TOML file", path));
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof())
    text << file.rdbuf();  // << of nothing would be a failure
  if (!file.is_open() || file.bad())
    throw InputError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  if (auto const format = other_format(std::string_view(text.view()).substr(0, 16)); !format.empty())
    throw InputError(fmt::format("{}: is {}; expected a TOML file in UTF-8", path, format));
  return text.str();
}

toml::table parse_toml(std::string const& text, std::string const& file) {
  Scan const scan(text);
  if (auto const& excess = scan.excess())
    throw InputError(fmt::format("{}:{}: {}", file, excess->line, excess->problem));
  try {
    return toml::parse(text);
  } catch (toml::parse_error const& error) {
    auto const at = error.source().begin;
    bool const exists = error.description().find("existing") != std::string_view::npos;  // "cannot redefine existing"
    if (auto const& twice = scan.twice(); exists && twice && twice->line <= std::int64_t(at.line))
      throw InputError(fmt::format("{0}:{1}: {2}: given twice; it is given at {0}:{3} too", file, twice->line,
                                   printable(twice->name, 80), twice->first_line));
    throw InputError(fmt::format("{}:{}:{}: {}", file, at.line, at.column, printable(error.description(), 200)));
  }
}

std::string toml_comments(std::vector<std::string> const& lines) {
  std::string out;
  for (auto const& line : lines) out += fmt::format("# {}\n", printable(line, std::string::npos));
  return out;
}

Converted convert(toml::node const& node) {
  if (auto const* x = node.as_boolean()) return {x->get()};
  if (auto const* x = node.as_integer()) return {x->get()};
  if (auto const* x = node.as_floating_point()) return {x->get()};
  if (auto const* x = node.as_string()) return {x->get()};
  if (auto const* x = node.as_array()) return convert_array(*x);
  constexpr char const* expected = "expected a boolean, a number, a string or a list";
  if (node.is_table()) return {{}, fmt::format(" is a table: {}", expected)};
  return {{}, fmt::format(" is a date or time: {}; a string needs quotes", expected)};
}

Setting read_setting(Config& config, std::string const& name, toml::key const& key, toml::node const& node) {
  auto const at = location(config.file, key.source());
  auto converted = convert(node);
  if (!converted.setting) throw InputError(at + printable(name, 100) + converted.problem);
  config.origins[name] = at;
  return std::move(*converted.setting);
}

}  // namespace shoal
