#include "settings/toml_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

namespace shoal {

namespace {

// toml++ nests a table for each part of a key, and its destructors recurse: thousands would overflow the stack.
constexpr std::size_t most_parts = 32;
constexpr int most_depth = 32;

class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    while (statement()) {}
  }

  TomlScan result() const { return {excess_, twice_}; }

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
  std::optional<TomlScan::Excess> excess_;
  std::optional<TomlScan::Twice> twice_;
};

}  // namespace

TomlScan scan_toml(std::string_view text) { return Scan(text).result(); }

}  // namespace shoal
