// Texts and bytes that are nearly right, as a slip of the hand, a cut transfer or a bad disk leaves them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace shoal {

class Mutation {
 public:
  /// @param words  that the format knows: they are inserted, and stand in for parts
  Mutation(std::uint32_t seed, std::vector<std::string> words) : random_(seed), words_(std::move(words)) {}

  std::string operator()(std::string text) {
    for (int changes = 1 + below(4); changes > 0; --changes) change(text);
    return text;
  }

 private:
  int below(std::size_t n) { return int(random_() % std::max<std::size_t>(n, 1)); }

  std::string word() {
    static std::array<std::string, 24> const general{"0",
                                                     "-1",
                                                     "1e308",
                                                     "1e-320",
                                                     "nan",
                                                     "inf",
                                                     "9223372036854775807",
                                                     "18446744073709551616",
                                                     "\"",
                                                     "'",
                                                     "\n",
                                                     "\r",
                                                     "\\",
                                                     "=",
                                                     "[",
                                                     "]",
                                                     "\xff",
                                                     "\xc3",
                                                     "\x1b[",
                                                     ".",
                                                     "{",
                                                     "}",
                                                     "true",
                                                     std::string(1, '\0')};
    auto const i = std::size_t(below(general.size() + words_.size()));
    return i < general.size() ? general[i] : words_[i - general.size()];
  }

  void change(std::string& text) {
    auto const at = std::size_t(below(text.size() + 1));
    auto const length = std::min(text.size() - at, std::size_t(below(below(4) == 0 ? text.size() : 8)));
    switch (below(7)) {
      case 0: text.insert(at, word()); break;
      case 1: text.replace(at, length, word()); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(at, length)); break;
      case 4: text.resize(at); break;
      case 5: text.insert(at, std::string(std::size_t(below(below(50) == 0 ? 100'000 : 40)), word()[0])); break;
      default:
        if (at < text.size()) text[at] = char(text[at] ^ (1 << below(8)));
    }
  }

  std::mt19937 random_;
  std::vector<std::string> words_;
};

}  // namespace shoal
