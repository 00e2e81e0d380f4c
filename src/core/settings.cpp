#include "shoal/core/settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "shoal/core/text.hpp"

namespace shoal {

namespace {

// A TOML string; TOML has no bytes that are no UTF-8, so these stand as \xNN in its text.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    auto const n = utf8_length(text);
    auto const c = static_cast<unsigned char>(text[0]);
    if (n == 0)
      out += fmt::format("\\\\x{:02x}", c);
    else if (c < 0x20 || c == 0x7f)
      out += fmt::format("\\u{:04x}", c);
    else if (c == '"' || c == '\\')
      out += fmt::format("\\{}", text[0]);
    else
      out += text.substr(0, n);
    text.remove_prefix(n > 0 ? n : 1);
  }
  return out + '"';
}

// Shortest text that reads back as the same float or double, and that TOML takes for a real.
std::string real_text(double x) {
  auto const narrow = float(x);
  auto text = double(narrow) == x ? fmt::format("{}", narrow) : fmt::format("{}", x);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

[[noreturn]] void wrong(std::string_view key, Setting const& setting, std::string const& expected) {
  throw SettingError(std::string(key), fmt::format(" = {}: expected {}", printable(to_text(setting), 200), expected));
}

int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = int(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = int(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      int const above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// @param narrow  x becomes a float: one that equals a bound as a float is within, as when it is written down and read
///                again
bool is_within(double x, Range range, bool narrow) {
  if (!std::isfinite(x)) return false;
  if (x >= range.low && x <= range.high) return true;
  return narrow && float(x) >= float(range.low) && float(x) <= float(range.high);
}

bool is_whole(double x) { return std::floor(x) == x && std::abs(x) < 9e15; }

}  // namespace

std::string to_text(Setting const& setting) {
  struct {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(std::int64_t x) const { return std::to_string(x); }
    std::string operator()(double x) const { return real_text(x); }
    std::string operator()(std::string const& x) const { return in_quotes(x); }
    std::string operator()(std::vector<double> const& x) const {
      bool const whole = std::all_of(x.begin(), x.end(), is_whole);
      std::vector<std::string> items;
      for (double const item : x) items.push_back(whole ? fmt::format("{}", std::int64_t(item)) : real_text(item));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    std::string operator()(std::vector<std::string> const& x) const {
      std::vector<std::string> items;
      for (auto const& item : x) items.push_back(in_quotes(item));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
  } text;
  return std::visit(text, setting);
}

namespace detail {

bool as_bool(std::string_view key, Setting const& setting) {
  if (auto const* x = std::get_if<bool>(&setting)) return *x;
  wrong(key, setting, "true or false");
}

std::int64_t as_integer(std::string_view key, Setting const& setting, Range range) {
  auto const* x = std::get_if<std::int64_t>(&setting);
  if (!x || double(*x) < range.low || double(*x) > range.high)
    wrong(key, setting, "an integer " + to_text(range, true));
  return *x;
}

double as_real(std::string_view key, Setting const& setting, Range range, bool narrow) {
  double x = NAN;
  if (auto const* real = std::get_if<double>(&setting)) x = *real;
  if (auto const* whole = std::get_if<std::int64_t>(&setting)) x = double(*whole);
  if (!is_within(x, range, narrow)) wrong(key, setting, "a number " + to_text(range, false));
  return x;
}

std::string as_string(std::string_view key, Setting const& setting) {
  if (auto const* x = std::get_if<std::string>(&setting)) return *x;
  wrong(key, setting, "a string");
}

int as_choice(std::string_view key, Setting const& setting, Choices choices) {
  if (auto const* x = std::get_if<std::string>(&setting))
    if (auto const it = std::find(choices.names.begin(), choices.names.end(), *x); it != choices.names.end())
      return int(it - choices.names.begin());
  wrong(key, setting, to_text(choices));
}

std::vector<double> as_reals(std::string_view key, Setting const& setting, Range range, bool whole, bool narrow) {
  auto const* x = std::get_if<std::vector<double>>(&setting);
  bool const fits = x && std::all_of(x->begin(), x->end(), [&](double item) {
                      return is_within(item, range, narrow) && (!whole || is_whole(item));
                    });
  if (!fits) wrong(key, setting, fmt::format("a list of {} {}", whole ? "integers" : "numbers", to_text(range, whole)));
  return *x;
}

std::vector<std::string> as_strings(std::string_view key, Setting const& setting) {
  if (auto const* x = std::get_if<std::vector<std::string>>(&setting)) return *x;
  if (auto const* x = std::get_if<std::vector<double>>(&setting); x && x->empty()) return {};
  wrong(key, setting, "a list of strings");
}

std::string to_text(Range range, bool whole) {
  auto const bound = [&](double x) { return whole ? fmt::format("{:.0f}", x) : fmt::format("{}", x); };
  if (std::isinf(range.high) && std::isinf(range.low)) return "(finite)";
  if (std::isinf(range.high)) return "of at least " + bound(range.low);
  return fmt::format("in [{}, {}]", bound(range.low), bound(range.high));
}

std::string to_text(Choices choices) {
  std::vector<std::string> names;
  for (auto const name : choices.names) names.push_back(in_quotes(std::string(name)));
  return fmt::format("one of {}", fmt::join(names, ", "));
}

void wrong_count(std::string_view key, std::size_t count, std::string const& expected) {
  throw SettingError(std::string(key), fmt::format(": {} values, expected {}", count, expected));
}

void unknown_key(std::string const& key, std::vector<std::string> const& known) {
  auto const nearest = std::min_element(known.begin(), known.end(), [&](auto const& a, auto const& b) {
    return edit_distance(key, a) < edit_distance(key, b);
  });
  bool const near = nearest != known.end() && edit_distance(key, *nearest) <= 3;
  throw SettingError(key, near ? fmt::format(": unknown key; did you mean {}?", *nearest)
                               : fmt::format(": unknown key; expected one of {}", fmt::join(known, ", ")));
}

}  // namespace detail
}  // namespace shoal
