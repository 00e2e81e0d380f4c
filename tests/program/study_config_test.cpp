#include "program/config/study_config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "program/helpers.hpp"

namespace shoal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char const* game = "[env]\nname = \"matrix_game\"\nrounds = 4\n[train]\nstages = 3\n";

constexpr char const* grid = R"([study]
seeds = [3, 1]

[[experiment]]
name = "a"
config = "game.toml"
set = ["train.stages=5", "policy.epochs=2"]

[[experiment]]
name = "b"
config = "game.toml"

[[method]]
name = "plain"

[[method]]
name = "other"
set = ["policy.epochs=3"]
)";

class StudyConfig : public testing::Test {
 protected:
  StudyConfig() { folder_.write("game.toml", game); }

  std::string path() const { return folder_.path() + "/s.toml"; }
  Study parse(std::string const& text) const { return parse_study(text, path()); }
  std::vector<StudyCell> cells(std::string const& text) const { return resolve_cells(parse(text)); }

  /// Of reading and resolving the grid with `from` replaced; without the folder.
  std::string error_after(std::string const& from, std::string const& to) const {
    std::string text = grid;
    text.replace(text.find(from), from.size(), to);
    auto message = error_of([&] { cells(text); });
    auto const at = message.find(folder_.path() + "/");
    return at == 0 ? message.substr(folder_.path().size() + 1) : message;
  }

  TemporaryFolder folder_;
};

TEST_F(StudyConfig, ReadsTheGrid) {
  auto const study = parse(grid);
  EXPECT_EQ(study.options.seeds.count, 2);
  EXPECT_EQ(study.options.seeds.items[0], 3);
  EXPECT_EQ(study.options.reference, "plain") << "the first method, where none is given";
  EXPECT_EQ(study.options.threads, 1);
  ASSERT_EQ(study.experiments.size(), 2u);
  EXPECT_EQ(study.experiments[0].config, folder_.path() + "/game.toml") << "relative to the study's file";
  EXPECT_THAT(study.experiments[1].set, IsEmpty());
}

TEST_F(StudyConfig, ResolvesEveryCellWithTheMethodsOverridesLast) {
  auto const all = cells(grid);
  std::vector<std::string> names;
  for (auto const& cell : all) {
    ASSERT_TRUE(cell.run) << cell.problem;
    auto const& trainer = cell.run->trainer;
    names.push_back(
        fmt::format("{} {} {} {}", cell.experiment, cell.method, trainer.train.stages, trainer.policy.ppo.epochs));
  }
  EXPECT_THAT(names, ElementsAre("a plain 5 2", "a other 5 3", "b plain 3 4", "b other 3 3"));
  EXPECT_THAT(all[1].overrides, ElementsAre("train.stages=5", "policy.epochs=3"));
  EXPECT_EQ(all[0].spec->supertypes.front().name, "supertype_1");
}

TEST_F(StudyConfig, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(error_after("seeds =", "seed ="), "s.toml:2: study.seed: unknown key; did you mean seeds?");
  EXPECT_EQ(error_after("name = \"b\"", "nam = \"b\""),
            "s.toml:10: experiment[2].nam: unknown key; did you mean name?");
  EXPECT_THAT(error_after("name = \"other\"", "config = \"x\""),
              StartsWith("s.toml:17: method[2].config: unknown key"));
  EXPECT_EQ(error_after("[[method]]", "[[methods]]"),
            "s.toml:13: methods: unknown; expected [study], [[experiment]] and [[method]]");
  EXPECT_EQ(error_after("[study]\nseeds = [3, 1]", "study = 1\n"), "s.toml:1: study: expected a section, [study]");
  EXPECT_EQ(error_of([&] { parse("experiment = 1"); }), path() + ":1: experiment: expected [[experiment]] entries");
  EXPECT_THAT(error_of([&] { parse("[study\n"); }), StartsWith(path() + ":1:7: "));
}

TEST_F(StudyConfig, NamesWhatIsMissing) {
  EXPECT_EQ(error_after("seeds = [3, 1]", ""), "s.toml: study.seeds is missing; expected at least one seed");
  EXPECT_EQ(error_after("name = \"a\"", ""), "s.toml:4: experiment[1].name is missing");
  EXPECT_EQ(error_after("config = \"game.toml\"", ""), "s.toml:4: experiment[1].config is missing");
  EXPECT_EQ(error_of([&] { parse("[study]\nseeds = [1]\n"); }), path() + ": no [[experiment]]; expected at least one");
}

TEST_F(StudyConfig, NamesBadValues) {
  EXPECT_THAT(error_after("[3, 1]", "[3, -1]"),
              StartsWith("s.toml:2: study.seeds = [3, -1]: expected a list of integers"));
  EXPECT_EQ(error_after("[3, 1]", "[3, 3]"), "s.toml:2: study.seeds: seed 3 is given twice, as values 1 and 2");
  EXPECT_EQ(error_after("[3, 1]", "[3]\nreference = \"bo\""),
            "s.toml:3: study.reference = \"bo\": expected the name of a method");
  EXPECT_EQ(error_after("\"b\"", "\"a\""),
            fmt::format("s.toml:10: experiment[2].name = \"a\": given twice; it is the name at {}:5: experiment[1] too",
                        path()));
  EXPECT_THAT(error_after("\"b\"", "\"../b\""),
              StartsWith("s.toml:10: experiment[2].name = \"../b\": expected letters"));
  EXPECT_EQ(
      error_after("game.toml", "none.toml"),
      "s.toml:6: experiment[1].config = \"none.toml\": no such file; expected a path relative to the study's file");
}

TEST_F(StudyConfig, NamesOverridesAtFaultWithTheirPlace) {
  EXPECT_EQ(error_after("policy.epochs=3", "policy.epoch=3"),
            "s.toml:18: method[2].set: --set policy.epoch: unknown key; did you mean epochs?");
  EXPECT_THAT(error_after("train.stages=5", "train.stages=0"),
              StartsWith("s.toml:7: experiment[1].set: --set train.stages = 0"));
  EXPECT_THAT(error_after("policy.epochs=3", "policyepochs"),
              StartsWith("s.toml:18: method[2].set: --set policyepochs: "));
  EXPECT_THAT(error_after("policy.epochs=3", "env.actions=[2]"),
              StartsWith("s.toml:18: method[2].set: --set env.actions"));
  EXPECT_EQ(error_after("policy.epochs=3", "train.seed=3"),
            "s.toml:18: method[2].set: train.seed=3: expected study.seeds in its place");
}

TEST_F(StudyConfig, AnEntryGivesAKeyOnce) {
  EXPECT_EQ(error_after("policy.epochs=3", "policy.epochs=3\", \"policy.epochs = 4"),
            "s.toml:18: method[2].set: policy.epochs: given twice, as 3 and 4");
  EXPECT_EQ(error_after("policy.epochs=2", "train.stages=6"),
            "s.toml:7: experiment[1].set: train.stages: given twice, as 5 and 6");
}

TEST_F(StudyConfig, PathsAndOverridesHoldNoNul) {
  EXPECT_EQ(error_after("game.toml", "game.toml\\u0000x"),
            "s.toml:6: experiment[1].config = \"game.toml\\x00x\": expected a path without NUL");
  EXPECT_EQ(error_after("policy.epochs=3", "data.member=a\\u0000b"),
            "s.toml:18: method[2].set: data.member=a\\x00b: expected text without NUL");
}

TEST_F(StudyConfig, AnOverrideWithControlCharactersIsNamedWithItsPlace) {
  EXPECT_THAT(error_after("policy.epochs=3", "t\\rain.stages=3"),
              testing::AllOf(StartsWith("s.toml:"), HasSubstr("t\\x0dain.stages")));
}

TEST_F(StudyConfig, AConfigurationAtFaultIsTheProblemOfItsCells) {
  auto const broken = folder_.write("broken.toml", "[env]\nname = \"matrix_game\"\nround = 3\n");
  std::string text = grid;
  text.replace(text.find("game.toml"), 9, "broken.toml");
  auto const all = cells(text);
  EXPECT_EQ(all[0].problem, broken + ":3: env.round: unknown key; did you mean rounds?");
  EXPECT_EQ(all[1].problem, all[0].problem);
  EXPECT_FALSE(all[0].run);
  EXPECT_TRUE(all[2].run && all[3].run);
}

}  // namespace
}  // namespace shoal
