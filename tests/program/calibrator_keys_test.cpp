#include "program/calibrator_keys.hpp"

#include <gmock/gmock.h>

#include "program/helpers.hpp"
#include "program/run_config.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;

std::string message(Settings const& settings) {
  try {
    read_calibrator(settings);
  } catch (SettingError const& error) {
    return error.key + error.message;
  }
  return "(no error)";
}

Settings with_kind(char const* kind) { return {{"kind", std::string(kind)}}; }

TEST(CalibratorKeys, EachKindReadsItsOwn) {
  EXPECT_EQ(read_calibrator({}).kind, CalibratorKind::rl);
  EXPECT_EQ(read_calibrator({{"increment", 0.2}}).increment, 0.2);
  auto settings = with_kind("bo");
  settings.insert({{"period", std::int64_t(25)}, {"acquisition", std::string("ucb")}, {"max_move", 0.1}});
  auto const bo = read_calibrator(settings);
  EXPECT_EQ(bo.kind, CalibratorKind::bo);
  EXPECT_EQ(bo.period, 25);
  EXPECT_EQ(bo.bayesian.acquisition, Acquisition::upper_confidence_bound);
  EXPECT_EQ(bo.bayesian.max_move, 0.1);
  settings = with_kind("cmaes");
  settings.insert({"population", std::int64_t(6)});
  EXPECT_EQ(read_calibrator(settings).cma_es.population, 6);
}

TEST(CalibratorKeys, EveryKindMayCarryAProfile) {
  for (char const* kind : {"rl", "bo", "random", "cmaes", "fixed"}) {
    auto settings = with_kind(kind);
    settings.insert({"profile", std::vector<double>{0.5, 1}});
    EXPECT_EQ(read_calibrator(settings).profile, (std::vector<double>{0.5, 1})) << kind;
  }
}

TEST(CalibratorKeys, KeysOfAnotherKindAreNamedAsSuch) {
  EXPECT_EQ(message({{"period", std::int64_t(10)}}),
            "period: a key of kind bo, random, cmaes, but calibrator.kind is rl");
  auto settings = with_kind("bo");
  settings.insert({"learning_rate", 1e-3});
  EXPECT_EQ(message(settings), "learning_rate: a key of kind rl, but calibrator.kind is bo");
  settings = with_kind("fixed");
  settings.insert({"step_size", 0.1});
  EXPECT_EQ(message(settings), "step_size: a key of kind cmaes, but calibrator.kind is fixed");
}

TEST(CalibratorKeys, OtherMistakesAreNamedToo) {
  EXPECT_THAT(message(with_kind("sgd")), HasSubstr("kind = \"sgd\": expected one of \"rl\", \"bo\""));
  EXPECT_THAT(message({{"incremen", 0.1}}), HasSubstr("did you mean increment?"));
  auto settings = with_kind("bo");
  settings.insert({"period", std::int64_t(0)});
  EXPECT_THAT(message(settings), HasSubstr("period = 0: expected an integer in [1,"));
}

TEST(CalibratorKeys, TheListTellsWhoseAKeyIs) {
  std::map<std::string, Field> fields;
  for (auto const& field : calibrator_fields()) EXPECT_TRUE(fields.emplace(field.name, field).second) << field.name;
  EXPECT_EQ(fields.at("kind").value, "\"rl\"");
  EXPECT_THAT(fields.at("period").help, testing::StartsWith("(bo, random, cmaes) "));
  EXPECT_THAT(fields.at("increment").help, testing::StartsWith("(rl) "));
  EXPECT_THAT(fields.at("profile").help, testing::StartsWith("what kind"));
}

TEST(CalibratorKeys, AResolvedConfigurationHasThoseOfItsKindAndReadsBack) {
  constexpr char const* text = R"([env]
name = "matrix_game"
[calibrator]
kind = "cmaes"
profile = [0.5, 0.25]
[[calibrator.target]]
metrics = ["player_1.action_1"]
values = [0.5]
)";
  auto const resolved = to_toml(resolve(parse_config(text, "x.toml", {"calibrator.period=20"})));
  EXPECT_THAT(resolved, HasSubstr("kind = \"cmaes\"\n"));
  EXPECT_THAT(resolved, HasSubstr("period = 20\n"));
  EXPECT_THAT(resolved, HasSubstr("profile = [0.5, 0.25]\n"));
  EXPECT_THAT(resolved, HasSubstr("step_size = 0.3\n"));
  EXPECT_THAT(resolved, testing::Not(HasSubstr("increment")));
  EXPECT_THAT(resolved, testing::Not(HasSubstr("acquisition")));
  EXPECT_EQ(to_toml(resolve(parse_config(resolved, "y.toml", {}))), resolved);
  EXPECT_EQ(error_of([&] { resolve(parse_config(text, "x.toml", {"calibrator.restoring=1"})); }),
            "--set calibrator.restoring: a key of kind rl, but calibrator.kind is cmaes");
}

}  // namespace
}  // namespace shoal
