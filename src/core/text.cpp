#include "shoal/core/text.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace shoal {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// C0 and C1 controls, delete, the line and paragraph separators, and what turns the direction of writing.
bool is_control(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

std::uint32_t decode(std::string_view character) {
  auto const n = character.size();
  std::uint32_t c = byte_at(character, 0) & (n == 1 ? 0x7f : 0xff >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) c = c << 6 | (byte_at(character, i) & 0x3f);
  return c;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  auto const first = byte_at(text, 0);
  std::size_t const n = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                        : first < 0xf5 ? 4
                                       : 0;
  if (n == 0 || text.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
  auto const c = decode(text.substr(0, n));
  bool const overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
  bool const surrogate = c >= 0xd800 && c < 0xe000;
  return overlong || surrogate || c > 0x10ffff ? 0 : n;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    auto const n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./+=:,@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  bool const shows = printable(text, std::string_view::npos) == text;
  std::string out = shows ? "'" : "$'";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '\'')
      out += shows ? "'\\''" : "\\'";
    else if (!shows && (byte < 0x20 || byte >= 0x7f || c == '\\'))
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out + "'";
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    auto const n = utf8_length(text);
    auto const character = text.substr(0, n > 0 ? n : 1);
    std::string piece(character);
    if (n == 0 || is_control(decode(character))) {
      piece.clear();
      for (std::size_t i = 0; i < character.size(); ++i) piece += fmt::format("\\x{:02x}", byte_at(character, i));
    }
    if (out.size() + piece.size() > most) return out + "...";
    out += piece;
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace shoal
