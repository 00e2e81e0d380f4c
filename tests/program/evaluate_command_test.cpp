#include "program/commands/evaluate_command.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "program/trained.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

struct Outcome {
  std::string text;
  nlohmann::json json;
};

Outcome run_evaluate(EvaluateCommand command) {
  command.episodes = 16;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(evaluate(command), 0);
  testing::internal::GetCapturedStderr();
  Outcome outcome{testing::internal::GetCapturedStdout(), {}};
  std::ifstream(fs::path(command.directory) / "evaluation.json") >> outcome.json;
  return outcome;
}

/// Nothing must have been written.
std::string complaint(EvaluateCommand command) {
  command.episodes = 16;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  auto const text = error_of([&] { evaluate(command); });
  testing::internal::GetCapturedStderr();
  testing::internal::GetCapturedStdout();
  EXPECT_FALSE(fs::exists(command.directory + "/evaluation.json"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  return text;
}

TEST(EvaluateCommand, TellsTheFitAndWritesItDown) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const [text, json] = run_evaluate({.directory = run});
  EXPECT_THAT(text, HasSubstr("player_1.action_1"));
  EXPECT_THAT(text, HasSubstr("95 % interval"));
  EXPECT_THAT(text, HasSubstr("over 16 episodes, the run's profile after 2 stages\n"));
  EXPECT_THAT(text, Not(HasSubstr("pinned")));
  EXPECT_EQ(json["environment"], "matrix_game");
  EXPECT_EQ(json["stage"], 2);
  EXPECT_EQ(json["seed"], 0);
  EXPECT_EQ(json["episodes"], 16);
  EXPECT_EQ(json["profile"].size(), 4u);
  EXPECT_NE(json["profile"]["supertype_2.altruism_sd"], 0.0) << "the calibrator had moved";
  auto const r_cal = json["r_cal"]["mean"].get<double>();
  EXPECT_GT(r_cal, 0);
  EXPECT_LT(r_cal, 1);
  EXPECT_LT(json["r_cal"]["low"].get<double>(), r_cal);
  EXPECT_GT(json["r_cal"]["high"].get<double>(), r_cal);
  EXPECT_THAT(text, HasSubstr(fmt::format("r_cal {:.4f} [", r_cal)));
  auto const& target = json["targets"]["player_1.action_1"];
  EXPECT_EQ(target["target"], 0.25);
  EXPECT_EQ(target["mean"], json["metrics"]["player_1.action_1"]["mean"]);
  EXPECT_EQ(json["metrics"]["episode_length"]["mean"], 4);
  EXPECT_TRUE(json["moves"].empty());
  EXPECT_FALSE(fs::exists(run + "/evaluation.json.partial"));
}

TEST(EvaluateCommand, ASeedsEpisodesAreTheSameEveryTime) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const first = run_evaluate({.directory = run, .seed = 3}), again = run_evaluate({.directory = run, .seed = 3});
  EXPECT_EQ(first.text, again.text);
  EXPECT_EQ(first.json, again.json);
  EXPECT_NE(run_evaluate({.directory = run, .seed = 4}).json["metrics"], first.json["metrics"]);
}

// What training wrote down is the profile that it stands for.
TEST(EvaluateCommand, TakesAProfile) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const own = run_evaluate({.directory = run}).json;
  auto const [text, written] = run_evaluate({.directory = run, .profile = run + "/profile.toml"});
  EXPECT_EQ(written["r_cal"], own["r_cal"]);
  EXPECT_EQ(written["profile"], own["profile"]);
  EXPECT_EQ(written["profile_file"], run + "/profile.toml");
  EXPECT_THAT(text, HasSubstr("profile.toml after 2 stages\n"));
  auto const other =
      folder.write("other.toml",
                   "environment = \"matrix_game\"\n[supertype_1]\naltruism_mean = 0.75\naltruism_sd = 0\n"
                   "[supertype_2]\naltruism_mean = -0.5\naltruism_sd = 0.25\n");
  auto const json = run_evaluate({.directory = run, .profile = other}).json;
  EXPECT_EQ(json["profile"]["supertype_1.altruism_mean"], 0.75);
  EXPECT_EQ(json["profile"]["supertype_2.altruism_sd"], 0.25);
  EXPECT_NE(json["metrics"]["supertype_1.return"], own["metrics"]["supertype_1.return"]);
}

TEST(EvaluateCommand, TakesTargets) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const own = run_evaluate({.directory = run}).json;
  auto const file = folder.write("targets.toml",
                                 "[env]\nname = \"matrix_game\"\n[calibrator]\n[[calibrator.target]]\n"
                                 "metrics = [\"episode_length\"]\nvalues = [7]\nscale = 3\n");
  auto const json = run_evaluate({.directory = run, .targets = file}).json;
  EXPECT_EQ(json["targets_file"], file);
  EXPECT_EQ(json["targets"].size(), 1u);
  EXPECT_EQ(json["targets"]["episode_length"]["target"], 7);
  EXPECT_EQ(json["r_cal"]["mean"], 0.5) << "4 rounds, one scale below the target";
  EXPECT_EQ(json["metrics"], own["metrics"]);
}

TEST(EvaluateCommand, TellsWhatAMoveOfEachCoordinateCosts) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const profile =
      folder.write("profile.toml",
                   "environment = \"matrix_game\"\n[supertype_1]\naltruism_mean = 0.5\naltruism_sd = 0\n"
                   "[supertype_2]\naltruism_mean = 0.95\naltruism_sd = 0.5\n");
  auto const [text, json] = run_evaluate({.directory = run, .profile = profile, .coordinates = true});
  auto const& moves = json["moves"];
  ASSERT_EQ(moves.size(), 4u);
  std::vector<std::string> const names = {"supertype_1.altruism_mean", "supertype_1.altruism_sd",
                                          "supertype_2.altruism_mean", "supertype_2.altruism_sd"};
  for (std::size_t d = 0; d < 4; ++d) {
    EXPECT_EQ(moves[d]["coordinate"], names[d]);
    EXPECT_EQ(moves[d]["value"], json["profile"][names[d]]);
    EXPECT_THAT(text, HasSubstr(names[d]));
    bool const at_low = d == 1, at_high = d == 2;  // within a tenth of a bound
    EXPECT_EQ(moves[d]["lower"].is_null(), at_low) << names[d];
    EXPECT_EQ(moves[d]["higher"].is_null(), at_high) << names[d];
    bool pinned = true;
    for (char const* way : {"lower", "higher"}) {
      auto const& move = moves[d][way];
      if (move.is_null()) continue;
      EXPECT_LE(move["low"].get<double>(), move["mean"].get<double>());
      EXPECT_GE(move["high"].get<double>(), move["mean"].get<double>());
      pinned = pinned && move["high"].get<double>() < 0;
    }
    EXPECT_EQ(moves[d]["pinned"], pinned) << names[d];
  }
  EXPECT_THAT(text, HasSubstr("pinned"));
}

TEST(EvaluateCommand, RefusesWhatIsOfAnotherEnvironment) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const profile = folder.write("profile.toml", "environment = \"market\"\n");
  EXPECT_EQ(complaint({.directory = run, .profile = profile}),
            profile + ":1: environment = \"market\": a profile of another environment, expected \"matrix_game\"");
  auto const targets = folder.write("targets.toml",
                                    "[env]\nname = \"market\"\n[calibrator]\n[[calibrator.target]]\n"
                                    "metrics = [\"supertype_1.share\"]\nvalues = [0.25]\n");
  EXPECT_EQ(complaint({.directory = run, .targets = targets}),
            targets + ": env.name = \"market\": targets of another environment, expected \"matrix_game\"");
  EXPECT_THAT(complaint({.directory = run, .profile = folder.path() + "/none.toml"}),
              HasSubstr("none.toml: cannot be read"));
}

TEST(EvaluateCommand, RefusesRunsThatItCannotEvaluate) {
  TemporaryFolder const folder, other;
  EXPECT_THAT(complaint({.directory = folder.path() + "/none"}), HasSubstr("/none: no config.toml there"));
  auto const plain = trained(other, uncalibrated_game);
  EXPECT_EQ(complaint({.directory = plain}), plain + "/config.toml: has no [calibrator]; expected a calibrated run");
  auto const run = trained(folder, calibrated_game);
  auto const configuration = text_of(run + "/config.toml");
  auto text = configuration;
  std::string const mark = "of a run of shoal ";
  text.replace(text.find(mark), mark.size(), mark + "9.");
  folder.write("run/config.toml", text);
  EXPECT_THAT(complaint({.directory = run}), HasSubstr("config.toml: a run of shoal 9."));
  folder.write("run/config.toml", configuration);
  fs::remove_all(run + "/checkpoints");
  EXPECT_THAT(complaint({.directory = run}), HasSubstr("no checkpoint there; expected a run that has trained"));
}

}  // namespace
}  // namespace shoal
