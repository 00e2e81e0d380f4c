#include "shoal/core/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace shoal {
namespace {

TEST(Text, Utf8IsWhatTheStandardSays) {
  for (auto const* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x9f", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << printable(good);
  // a lone continuation, a cut character, overlong forms, a surrogate, beyond U+10FFFF, Latin-1
  for (auto const* bad : {"\x80", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "Caf\xe9 Y"})
    EXPECT_FALSE(is_utf8(bad)) << printable(bad);
}

TEST(Text, PrintableEscapesWhatATerminalObeys) {
  EXPECT_EQ(printable("Caf\xc3\xa9 \xe2\x82\xac"), "Caf\xc3\xa9 \xe2\x82\xac");
  EXPECT_EQ(printable("a\x1b[31m\n\t\x7f"), "a\\x1b[31m\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("\xc2\x85 \xe2\x80\xa8"), "\\xc2\\x85 \\xe2\\x80\\xa8") << "next line, line separator";
  EXPECT_EQ(printable("Caf\xe9"), "Caf\\xe9");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "\\x00x");
}

TEST(Text, PrintableCutsBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdef", 5), "abcde...");
  EXPECT_EQ(printable("ab\xc3\xa9", 3), "ab...");
}

RC_GTEST_PROP(Text, PrintableIsUtf8WithoutControls, (std::string const& text)) {
  auto const shown = printable(text, 50);
  RC_ASSERT(is_utf8(shown));
  RC_ASSERT(shown.size() <= 53u);
  for (unsigned char const c : shown) RC_ASSERT(c >= 0x20 && c != 0x7f);
}

TEST(ShellWord, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_word("runs/a-1_b.toml"), "runs/a-1_b.toml");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's $x"), "'it'\\''s $x'");
  EXPECT_EQ(shell_word("a\n\\'\xff"), "$'a\\x0a\\x5c\\'\\xff'");
  EXPECT_EQ(shell_word("Caf\xc3\xa9"), "'Caf\xc3\xa9'");
}

TEST(Printable, EscapesWhatTurnsTheDirectionOfWriting) {
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\xe2\\x80\\xaeb");
}

}  // namespace
}  // namespace shoal
