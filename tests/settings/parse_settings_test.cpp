// Settings as TOML and JSON text.
#include "settings/parse_settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/errors.hpp"

namespace shoal {

namespace {

std::string error_of(std::string const& text) {
  return test::input_error([&] { parse_settings(text, "params"); });
}

TEST(ParseSettings, TomlAndJsonGiveTheSame) {
  Settings const expected{{"a", true},
                          {"b", std::int64_t(3)},
                          {"c", 0.5},
                          {"d", std::string("x")},
                          {"e", std::vector<double>{1, 2.5}},
                          {"f", std::vector<std::string>{"y", "z"}}};
  EXPECT_EQ(parse_settings("a = true\nb = 3\nc = 0.5\nd = 'x'\ne = [1, 2.5]\nf = ['y', 'z']", "params"), expected);
  EXPECT_EQ(parse_settings(R"( {"a": true, "b": 3, "c": 0.5, "d": "x", "e": [1, 2.5], "f": ["y", "z"]})", "params"),
            expected);
}

TEST(ParseSettings, NothingIsNoSettings) {
  for (auto const* text : {"", " \n", "# a comment", "{}"}) EXPECT_TRUE(parse_settings(text, "params").empty()) << text;
}

TEST(ParseSettings, ErrorsNameThePlaceTheKeyAndWhatWasExpected) {
  constexpr auto kinds = "expected a boolean, a number, a string or a list";
  EXPECT_EQ(error_of("a = 1\nb = {}"), std::string("params:2: b is a table: ") + kinds);
  EXPECT_EQ(error_of(R"({"b": {}})"), std::string("params: b is a table: ") + kinds);
  EXPECT_EQ(error_of(R"({"b": null})"), std::string("params: b is null: ") + kinds);
  EXPECT_EQ(error_of("b = [1, 'x']"), "params:1: b: expected a list of numbers only or of strings only");
  EXPECT_EQ(error_of(R"({"b": [1, "x"]})"), "params: b: expected a list of numbers only or of strings only");
  EXPECT_EQ(error_of("a = 1\na = 2"), "params:2: a: given twice; it is given at params:1 too");
  EXPECT_EQ(error_of(R"({"a": 1, "a": 2})"), "params: a: given twice");
  EXPECT_EQ(error_of(R"({"a": 9223372036854775808})"),
            "params: a = 9223372036854775808: expected an integer of at most 9223372036854775807");
}

TEST(ParseSettings, TextThatIsNeitherIsOneLineOfError) {
  for (std::string const text :
       {"merchants", "{\"a\": 1", "{\"a\": 1e999}", "a = \xff", "{\"a\": \"\xff\"}", "[a]\nb"}) {
    auto const error = error_of(text);
    EXPECT_TRUE(error.starts_with("params:")) << text << ": " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST(ParseSettings, DeepNestingDoesNotOverflowTheStack) {
  std::string const open(100000, '['), close(100000, ']');
  EXPECT_NE(error_of("a = " + open + close), "no error");
  EXPECT_NE(error_of("{\"a\": " + open + close + "}"), "no error");
}

}  // namespace

}  // namespace shoal
