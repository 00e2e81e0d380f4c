// Reading, writing and documenting settings, and the text of every error.
#include "shoal/core/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace shoal {
namespace {

using testing::ElementsAre;

constexpr double inf = std::numeric_limits<double>::infinity();

enum class Mode { slow, fast };

struct Group {
  bool flag = false;
  int count = 3;
  float rate = 0.1f;
  double scale = 1;
  std::string name = "a";
  std::vector<std::string> words = {"x"};
  std::vector<double> reals = {0.5};
  Mode mode = Mode::slow;
  float pair[2] = {1, 2};
  List<int, 3> list = {1, {7}};

  template <class Visit>
  static void fields(Visit& visit, Group& g) {
    visit("flag", g.flag, "a flag");
    visit("count", g.count, Range{1, 10}, "a count");
    visit("rate", g.rate, Range{0, 1}, "a rate");
    visit("scale", g.scale, Range{0, inf}, "a scale");
    visit("name", g.name, "a name");
    visit("words", g.words, "some words");
    visit("reals", g.reals, Range{0, 1}, "some reals");
    visit("mode", g.mode, Choices{"slow", "fast"}, "a mode");
    visit("pair", g.pair, Range{-5, 5}, "two numbers");
    visit("list", g.list, Range{0, 9}, "up to three integers");
  }
};

Group read(Settings const& settings) {
  Group g;
  read_settings(g, settings);
  return g;
}

std::string error(Settings const& settings) {
  try {
    read(settings);
  } catch (SettingError const& e) {
    EXPECT_EQ(e.what(), e.key + e.message);
    return e.what();
  }
  return "no error";
}

std::int64_t whole(int x) { return x; }
using Reals = std::vector<double>;

TEST(Settings, ReadsEveryKind) {
  auto const g = read({{"flag", true},
                       {"count", whole(5)},
                       {"rate", 0.25},
                       {"scale", 1e9},
                       {"name", std::string("b")},
                       {"words", std::vector<std::string>{"p", "q"}},
                       {"reals", Reals{0, 1}},
                       {"mode", std::string("fast")},
                       {"pair", Reals{3, -4.5}},
                       {"list", Reals{1, 2}}});
  EXPECT_TRUE(g.flag);
  EXPECT_EQ(g.count, 5);
  EXPECT_EQ(g.rate, 0.25f);
  EXPECT_EQ(g.scale, 1e9);
  EXPECT_EQ(g.name, "b");
  EXPECT_THAT(g.words, ElementsAre("p", "q"));
  EXPECT_THAT(g.reals, ElementsAre(0, 1));
  EXPECT_EQ(g.mode, Mode::fast);
  EXPECT_THAT(g.pair, ElementsAre(3, -4.5f));
  EXPECT_EQ(g.list.count, 2);
  EXPECT_THAT(g.list.items, ElementsAre(1, 2, 0));
}

TEST(Settings, KeepsWhatIsNotNamed) {
  auto const g = read({{"count", whole(4)}});
  EXPECT_EQ(g.rate, 0.1f);
  EXPECT_EQ(g.list.items[0], 7);
}

TEST(Settings, IntegersServeAsReals) { EXPECT_EQ(read({{"rate", whole(1)}}).rate, 1); }

TEST(Settings, AnEmptyListIsAListOfStringsToo) { EXPECT_TRUE(read({{"words", Reals{}}}).words.empty()); }

TEST(SettingErrors, NameKeyValueAndExpectation) {
  EXPECT_EQ(error({{"flag", whole(1)}}), "flag = 1: expected true or false");
  EXPECT_EQ(error({{"count", whole(11)}}), "count = 11: expected an integer in [1, 10]");
  EXPECT_EQ(error({{"count", 2.5}}), "count = 2.5: expected an integer in [1, 10]");
  EXPECT_EQ(error({{"rate", -0.5}}), "rate = -0.5: expected a number in [0, 1]");
  EXPECT_EQ(error({{"rate", std::string("x")}}), "rate = \"x\": expected a number in [0, 1]");
  EXPECT_EQ(error({{"scale", -1.0}}), "scale = -1.0: expected a number of at least 0");
  EXPECT_EQ(error({{"name", true}}), "name = true: expected a string");
  EXPECT_EQ(error({{"words", Reals{1}}}), "words = [1]: expected a list of strings");
  EXPECT_EQ(error({{"reals", Reals{0.5, 2}}}), "reals = [0.5, 2.0]: expected a list of numbers in [0, 1]");
  EXPECT_EQ(error({{"mode", std::string("fst")}}), "mode = \"fst\": expected one of \"slow\", \"fast\"");
  EXPECT_EQ(error({{"mode", whole(1)}}), "mode = 1: expected one of \"slow\", \"fast\"");
  EXPECT_EQ(error({{"pair", Reals{1}}}), "pair: 1 values, expected 2");
  EXPECT_EQ(error({{"list", Reals{1, 2, 3, 4}}}), "list: 4 values, expected at most 3");
  EXPECT_EQ(error({{"list", Reals{1.5}}}), "list = [1.5]: expected a list of integers in [0, 9]");
}

TEST(SettingErrors, NonFiniteNumbersAreOutOfRange) {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error({{"rate", nan}}), "rate = nan: expected a number in [0, 1]");
  EXPECT_EQ(error({{"rate", inf}}), "rate = inf: expected a number in [0, 1]");
  EXPECT_EQ(error({{"reals", Reals{nan}}}), "reals = [nan]: expected a list of numbers in [0, 1]");
}

// Found by this test: an interval that is open above let infinity through.
TEST(SettingErrors, InfinityIsNotANumberOfAtLeastZero) {
  EXPECT_EQ(error({{"scale", inf}}), "scale = inf: expected a number of at least 0");
}

TEST(SettingErrors, UnknownKeysNameTheNearest) {
  EXPECT_EQ(error({{"cuont", whole(1)}}), "cuont: unknown key; did you mean count?");
  EXPECT_EQ(error({{"xxxxxxxxxx", whole(1)}}),
            "xxxxxxxxxx: unknown key; expected one of flag, count, rate, scale, name, words, reals, mode, pair, list");
}

TEST(Settings, TextIsWhatTomlWouldTake) {
  EXPECT_EQ(to_text(Setting(true)), "true");
  EXPECT_EQ(to_text(Setting(whole(-3))), "-3");
  EXPECT_EQ(to_text(Setting(2.0)), "2.0");
  EXPECT_EQ(to_text(Setting(double(0.1f))), "0.1");
  EXPECT_EQ(to_text(Setting(0.1)), "0.1");
  EXPECT_EQ(to_text(Setting(1e-30)), "1e-30");
  EXPECT_EQ(to_text(Setting(std::string("a\"b\\c\nd\x7f"))), "\"a\\\"b\\\\c\\u000ad\\u007f\"");
  EXPECT_EQ(to_text(Setting(Reals{1, 2.5})), "[1.0, 2.5]");
  EXPECT_EQ(to_text(Setting(Reals{1, 2})), "[1, 2]");
  EXPECT_EQ(to_text(Setting(std::vector<std::string>{"p", "q"})), "[\"p\", \"q\"]");
}

TEST(Settings, TextOfARealReadsBackAsTheSameNumber) {
  EXPECT_TRUE(rc::check([](double x, std::uint32_t bits) {
    RC_ASSERT(std::strtod(to_text(Setting(x)).c_str(), nullptr) == x);
    float narrow;
    std::memcpy(&narrow, &bits, sizeof narrow);
    RC_PRE(std::isfinite(narrow));
    RC_ASSERT(std::strtof(to_text(Setting(double(narrow))).c_str(), nullptr) == narrow);
  }));
}

TEST(Settings, ReadBackAsWritten) {
  auto const g = read({{"rate", 0.7}, {"mode", std::string("fast")}, {"list", Reals{3, 1}}, {"flag", true}});
  auto const settings = to_settings(g);
  EXPECT_EQ(settings.size(), 10u);
  EXPECT_EQ(to_settings(read(settings)), settings);
}

TEST(Settings, FieldsAreDocumentedInOrder) {
  auto const fields = list_fields<Group>();
  ASSERT_EQ(fields.size(), 10u);
  auto const line = [](Field const& f) {
    return f.name + " | " + f.type + " | " + f.value + " | " + f.allowed + " | " + f.help;
  };
  EXPECT_EQ(line(fields[0]), "flag | boolean | false | true or false | a flag");
  EXPECT_EQ(line(fields[1]), "count | integer | 3 | in [1, 10] | a count");
  EXPECT_EQ(line(fields[2]), "rate | real | 0.1 | in [0, 1] | a rate");
  EXPECT_EQ(line(fields[7]), "mode | string | \"slow\" | one of \"slow\", \"fast\" | a mode");
  EXPECT_EQ(line(fields[8]), "pair | reals | [1, 2] | 2 values in [-5, 5] | two numbers");
  EXPECT_EQ(line(fields[9]), "list | integers | [7] | up to 3 values in [0, 9] | up to three integers");
}

}  // namespace
}  // namespace shoal
