#include "program/config/config.hpp"

#include <gmock/gmock.h>

#include "program/config/run_config.hpp"
#include "program/helpers.hpp"
#include "program/runs/stored_run.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char const* example = R"([env]
name = "market"
quantities = [
  1, 2.5,
]
terminal_unwind = false

[calibrator]
increment = 1e-5

[[calibrator.target]]
metrics = ["supertype_1.share"]
values = [0.3]
[[calibrator.target]]
weight = 2

[train]
stages = 20
)";

std::string error_in(std::string const& text, std::vector<std::string> const& overrides = {}) {
  return error_of([&] { parse_config(text, "x.toml", overrides); });
}

std::string error_of_override(std::string const& text) { return error_in("[env]\nname = \"market\"", {text}); }

TEST(Config, KeepsTypesAndTargets) {
  auto const config = parse_config(example, "x.toml", {});
  auto const& env = config.sections.at("env");
  EXPECT_EQ(env.at("name"), Setting(std::string("market")));
  EXPECT_EQ(env.at("quantities"), Setting(std::vector<double>{1, 2.5}));
  EXPECT_EQ(env.at("terminal_unwind"), Setting(false));
  EXPECT_EQ(config.sections.at("train").at("stages"), Setting(std::int64_t(20)));
  EXPECT_EQ(config.sections.at("calibrator"), (Settings{{"increment", 1e-5}}));
  EXPECT_EQ(config.sections.count("policy"), 0u);
  ASSERT_EQ(config.targets.size(), 2u);
  EXPECT_EQ(config.targets[0].at("metrics"), Setting(std::vector<std::string>{"supertype_1.share"}));
  EXPECT_EQ(config.targets[1].at("weight"), Setting(std::int64_t(2)));
}

TEST(Config, AcceptsByteOrderMarkAndWindowsLineEnds) {
  auto const config = parse_config("\xef\xbb\xbf[env]\r\nname = \"market\"\r\n", "x.toml", {});
  EXPECT_EQ(config.sections.at("env").size(), 1u);
}

TEST(Config, ReadsBackWhatItWrites) {
  auto const config = parse_config(example, "x.toml", {R"(data.member=a "quoted" \ name)"});
  auto const text = to_toml(config, {"first line", "second line"});
  EXPECT_THAT(text, StartsWith("# first line\n# second line\n\n[env]\n"));
  auto const again = parse_config(text, "x.toml", {});
  EXPECT_EQ(again.sections, config.sections);
  EXPECT_EQ(again.targets, config.targets);
}

TEST(Config, NamesFileAndLineOfBadSyntax) {
  EXPECT_THAT(error_in("[env]\nname = market\n"), StartsWith("x.toml:2:8: "));
  EXPECT_THAT(error_in("[env]\nname = \"a\"\nname = \"b\""), StartsWith("x.toml:3:"));
  EXPECT_EQ(error_in("[env\nname = \"a\n").find('\n'), std::string::npos);
}

std::string of_parts(int parts) {
  std::string key = "a";
  for (int i = 1; i < parts; ++i) key += ".a";
  return key;
}

TEST(Config, ListsOfManyDecimalsAreNoKeysOfManyParts) {
  std::string list = "[env]\nname = \"market\"\na = [\n";
  for (int i = 0; i < 100; ++i) list += "0.5, ";
  auto const config =
      parse_config(list + "\n 1.5 # 1.5.5\n]\nb = \"\"\"\n" + of_parts(100) + " = 1\"\"\"\n", "x.toml", {});
  EXPECT_EQ(std::get<std::vector<double>>(config.sections.at("env").at("a")).size(), 101u);
}

TEST(Config, KeysAndListsThatNestTooDeepAreRefused) {
  auto const deep = of_parts(50'000);
  std::string const parts = "x.toml:2: a key of more than 32 parts; expected section.key";
  EXPECT_EQ(error_in("\n" + deep + " = 1"), parts);
  EXPECT_EQ(error_in("\n\"a=b#\"." + deep + " = 1"), parts);
  EXPECT_EQ(error_in("\n['a=b'." + deep + "]"), parts);
  EXPECT_EQ(error_in("\n[['a\"b'. " + deep + "]]"), parts);
  EXPECT_EQ(error_in("\nx = { y = '}', " + deep + " = 1 }"), parts);
  EXPECT_EQ(error_in("a = [ # [\n {" + deep + " = 1}]"), parts);
  std::string tables, ends;
  for (int i = 0; i < 1000; ++i) tables += "{a = [", ends += "]}";
  for (auto const& value : {std::string(50'000, '['), tables + ends})
    EXPECT_THAT(error_in("[env]\na = " + value), StartsWith("x.toml:2: lists or tables within more than 32 others"));
}

TEST(Config, NamesBothLinesOfWhatIsGivenTwice) {
  EXPECT_EQ(error_in("[train]\nstages = 1\n\nsteps = 2\n\"stages\" = 3\n"),
            "x.toml:5: train.stages: given twice; it is given at x.toml:2 too");
  EXPECT_EQ(error_in("[train]\nstages = 1\n[env]\n[train]\n"),
            "x.toml:4: [train]: given twice; it is given at x.toml:1 too");
  EXPECT_EQ(error_in("[[calibrator.target]]\nweight = 1\n[[calibrator.target]]\nweight = 1\nweight = 2\n"),
            "x.toml:5: calibrator.target[2].weight: given twice; it is given at x.toml:4 too");
  EXPECT_EQ(error_in("env = {a = 1, a = 2}"), "x.toml:1: env.a: given twice; it is given at x.toml:1 too");
  EXPECT_EQ(error_in("[env]\na = 1\na.b = 2"), "x.toml:3: env.a: given twice; it is given at x.toml:2 too");
}

TEST(Config, NamesOtherFormats) {
  using namespace std::string_literals;
  TemporaryFolder const folder;
  for (auto const& [text, name] : {std::pair{"\xff\xfe[\0e\0"s, "UTF-16 text"},
                                   {"[\0e\0n\0"s, "UTF-16 text"},
                                   {"\xff\xfe\0\0[\0\0\0"s, "UTF-32 text"},
                                   {"\0\0\0[\0\0\0e"s, "UTF-32 text"},
                                   {"\x1f\x8b\x08"s, "gzip"},
                                   {"PK\x03\x04"s, "a zip archive or an Excel workbook"}}) {
    auto const path = folder.write("x.toml", text);
    EXPECT_EQ(error_of([&] { read_config(path, {}); }), path + ": is " + name + "; expected a TOML file in UTF-8");
  }
}

TEST(Config, PathsHoldNoNul) {
  EXPECT_EQ(error_in("[env]\nname = \"market\"\n[data]\nfile = \"a\\u0000b\""),
            "x.toml:4: data.file = \"a\\x00b\": expected a path without NUL");
  EXPECT_EQ(error_in("[env]\nname = \"market\"\n[calibrator]\nprofile_file = \"a\\u0000b\""),
            "x.toml:4: calibrator.profile_file = \"a\\x00b\": expected a path without NUL");
}

TEST(Config, CommentsShowControlCharactersAndDoNotTurnText) {
  auto const text = to_toml(Config{.file = "", .sections = {}, .targets = {}}, {"a\u202eb\u0085c\u2028d\u2066e\nf"});
  EXPECT_EQ(text, "# a\\xe2\\x80\\xaeb\\xc2\\x85c\\xe2\\x80\\xa8d\\xe2\\x81\\xa6e\\x0af\n");
}

TEST(Config, RefusesWhatNoSettingCanBe) {
  std::string const env = "[env]\nname = \"market\"\n";
  EXPECT_EQ(error_in("seed = 1"),
            "x.toml:1: seed: expected inside a section, one of [env], [data], [policy], [calibrator], [validation], "
            "[settling], [train]");
  EXPECT_EQ(
      error_in("\n[polcy]"),
      "x.toml:2: [polcy]: unknown section; expected [env], [data], [policy], [calibrator], [validation], [settling], "
      "[train]");
  EXPECT_EQ(error_in("env = 1"), "x.toml:1: env: expected a section, [env]");
  EXPECT_EQ(error_in(env + "a = [1, \"b\"]"), "x.toml:3: env.a: expected a list of numbers only or of strings only");
  EXPECT_EQ(error_in(env + "a = [[1]]"), "x.toml:3: env.a: expected a list of numbers only or of strings only");
  EXPECT_EQ(error_in(env + "a.b = 1"), "x.toml:3: env.a is a table: expected a boolean, a number, a string or a list");
  EXPECT_EQ(
      error_in(env + "a = 2012-01-31"),
      "x.toml:3: env.a is a date or time: expected a boolean, a number, a string or a list; a string needs quotes");
  EXPECT_EQ(error_in(env + "[calibrator]\ntarget = 3"),
            "x.toml:4: calibrator.target: expected [[calibrator.target]] entries");
  EXPECT_EQ(error_in("[env]\nsteps = 3"), "x.toml: env.name is missing; `shoal list` names the environments");
  EXPECT_EQ(error_in(""), "x.toml: env.name is missing; `shoal list` names the environments");
}

TEST(Config, OverridesAreTomlOrElseStrings) {
  auto const config = parse_config(example, "x.toml",
                                   {"train.stages=30", "env.quantities = [3]", "data.member=Diageo Americas",
                                    "data.file=2012-01-31", "env.terminal_unwind=true", "data.group="});
  EXPECT_EQ(config.sections.at("train").at("stages"), Setting(std::int64_t(30)));
  EXPECT_EQ(config.sections.at("env").at("quantities"), Setting(std::vector<double>{3}));
  EXPECT_EQ(config.sections.at("env").at("terminal_unwind"), Setting(true));
  auto const& data = config.sections.at("data");
  EXPECT_EQ(data.at("member"), Setting(std::string("Diageo Americas")));
  EXPECT_EQ(data.at("file"), Setting(std::string("2012-01-31")));
  EXPECT_EQ(data.at("group"), Setting(std::string()));
}

TEST(Config, OverridesThatNestTooDeepOrHoldLineBreaksAreText) {
  auto const value_of = [](std::string const& value) {
    return parse_config(example, "x.toml", {"env.a=" + value}).sections.at("env").at("a");
  };
  for (std::string const value : {"1\nb = 2", "1\n[c]", "[1,\n2]", "\"x\"\ry = 1"})
    EXPECT_EQ(value_of(value), Setting(value));
  auto const table = "{ " + of_parts(50'000) + " = 1 }";
  EXPECT_EQ(value_of(table), Setting(table));
  EXPECT_EQ(value_of("1\n" + of_parts(50'000) + " = 1"), Setting("1\n" + of_parts(50'000) + " = 1"));
  EXPECT_EQ(value_of(std::string(50'000, '[')), Setting(std::string(50'000, '[')));
}

TEST(Config, RefusesOneOverrideGivenTwice) {
  EXPECT_EQ(error_in(example, {"train.stages=2", "env.steps=4", "train.stages = 3"}),
            "--set train.stages: given twice, as 2 and 3");
  EXPECT_EQ(error_in(example, {"train.stages=2", "train.stages=2"}), "--set train.stages: given twice, as 2 and 2");
}

TEST(Config, RefusesBadOverrides) {
  EXPECT_EQ(error_of_override("train.stages"), "--set train.stages: expected key=value");
  EXPECT_EQ(error_of_override("=3"), "--set =3: expected key=value");
  EXPECT_EQ(error_of_override("stages=3"), "--set stages=3: expected section.key=value");
  for (std::string const name :
       {"train.", "env.a.b", ".stages", ".", "..", "..stages", "policy.", "policy..", ".policy.x"})
    EXPECT_EQ(error_of_override(name + "=3"), "--set " + name + "=3: expected section.key=value");
  EXPECT_EQ(error_of_override("trian.stages=3"),
            "--set trian.stages=3: unknown section; expected [env], [data], [policy], [calibrator], [validation], "
            "[settling], [train]");
  EXPECT_EQ(error_of_override("calibrator.target=3"),
            "--set calibrator.target=3: targets are given in the file, [[calibrator.target]]");
  EXPECT_EQ(error_of_override("env.a=[1, true]"), "--set env.a: expected a list of numbers only or of strings only");
}

TEST(Config, LocatesErrorsAboutKeys) {
  auto const config = parse_config(example, "x.toml", {"env.penalty=x"});
  auto const error = [&](std::string const& section, char const* key) {
    return error_of([&] { with_location(config, section, [&] { throw SettingError(key, " = 3: expected 4"); }); });
  };
  EXPECT_EQ(error("env", "quantities"), "x.toml:3: env.quantities = 3: expected 4");
  EXPECT_EQ(error("env", "penalty"), "--set env.penalty = 3: expected 4");
  EXPECT_EQ(error("env", "steps"), "env.steps = 3: expected 4");
  EXPECT_EQ(error(target_section(1), "weight"), "x.toml:15: calibrator.target[2].weight = 3: expected 4");
  EXPECT_EQ(with_location(config, "env", [] { return 7; }), 7);
}

TEST(Config, LocatesErrorsAboutTargets) {
  auto const error = [](std::string const& targets) {
    auto const file = parse_config("[env]\nname = \"matrix_game\"\n[calibrator]\n" + targets, "x.toml", {});
    return error_of([&] { make_trainer(file, resolve(file)); });
  };
  std::string const good = "[[calibrator.target]]\nmetrics = [\"welfare\"]\nvalues = [1]\n";
  EXPECT_EQ(error(good + "[[calibrator.target]]\nmetrics = [\"" + std::string(500, 'x') + "\"]\nvalues = [1]\n"),
            "x.toml:8: calibrator.target[2].metrics: no metric \"" + std::string(80, 'x') +
                "...\"; `shoal list` names the environment's metrics");
  EXPECT_EQ(error("[[calibrator.target]]\nmetrics = [\"welfare\"]\nvalues = [1, 2]\n"),
            "x.toml:5: calibrator.target[1].metrics: 1 metrics but 2 values; expected a value for each metric");
  EXPECT_EQ(error(good + "weight = 0\n"),
            "x.toml:4: calibrator.target: expected at least one target with a positive weight");
}

TEST(Config, NamesAPathThatCannotBeRead) {
  TemporaryFolder const folder;
  auto const missing = folder.path() + "/none.toml";
  EXPECT_EQ(error_of([&] { read_config(missing, {}); }), missing + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_of([&] { read_config(folder.path(), {}); }), folder.path() + ": is a folder; expected a TOML file");
  auto const empty = folder.write("empty.toml", "");
  EXPECT_THAT(error_of([&] { read_config(empty, {}); }), HasSubstr("env.name is missing"));
  EXPECT_EQ(read_config(folder.write("a.toml", example), {}).sections.count("train"), 1u);
}

}  // namespace
}  // namespace shoal
