#include "program/config.hpp"

#include <gmock/gmock.h>

#include "program/helpers.hpp"

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

TEST(Config, RefusesBadOverrides) {
  EXPECT_EQ(error_of_override("train.stages"), "--set train.stages: expected key=value");
  EXPECT_EQ(error_of_override("=3"), "--set =3: expected key=value");
  EXPECT_EQ(error_of_override("stages=3"), "--set stages=3: expected section.key=value");
  EXPECT_EQ(error_of_override("train.=3"), "--set train.=3: expected section.key=value");
  EXPECT_EQ(error_of_override("env.a.b=3"), "--set env.a.b=3: expected section.key=value");
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
