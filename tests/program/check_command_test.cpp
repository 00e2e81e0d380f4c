#include "program/commands/check_command.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "program/trained.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr EquilibriumOptions small = {.instances = 4, .updates = 2, .evaluations = 20};

struct Outcome {
  std::string text;
  nlohmann::json json;
};

Outcome run_check(CheckCommand const& command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(check(command), 0);
  testing::internal::GetCapturedStderr();
  Outcome outcome{testing::internal::GetCapturedStdout(), {}};
  std::ifstream(fs::path(command.directory) / "check.json") >> outcome.json;
  return outcome;
}

TEST(CheckCommand, TellsTableVerdictAndFile) {
  TemporaryFolder const folder;
  auto const run = trained(folder, uncalibrated_game);
  auto const [text, json] = run_check({.directory = run, .options = small});
  EXPECT_THAT(text, HasSubstr("who deviates"));
  EXPECT_THAT(text, HasSubstr("all agents"));
  EXPECT_THAT(text, HasSubstr("epsilon-shared equilibrium"));
  EXPECT_THAT(text, HasSubstr(json["verdict"].get<std::string>()));
  EXPECT_EQ(json["environment"], "matrix_game");
  EXPECT_EQ(json["stage"], 2);
  EXPECT_EQ(json["options"]["evaluations"], 20);
  EXPECT_EQ(json["profile"]["supertype_1.altruism_mean"], 0.0);
  ASSERT_EQ(json["deviators"].size(), 1u);
  auto const& all = json["deviators"][0];
  EXPECT_EQ(all["agents"], (std::vector<int>{1, 2}));
  ASSERT_EQ(all["deviations"].size(), 3u);
  double most = -1e30;
  for (auto const& d : all["deviations"]) {
    EXPECT_NEAR(d["value"]["mean"].get<double>() - all["value"]["mean"].get<double>(), d["regret"]["mean"], 1e-9);
    EXPECT_LE(d["regret"]["low"], d["regret"]["mean"]);
    most = std::max(most, d["regret"]["high"].get<double>());
  }
  EXPECT_LE(all["epsilon"], std::max(most, 0.0));
  EXPECT_FALSE(fs::exists(run + "/check.json.partial"));
}

DeviatorsReport report_of(std::string const& name, double value, Estimate regret) {
  DeviatorsReport report{
      .who = {name, 0, {0}}, .value = {value, value, value}, .scale = std::abs(value), .deviations = {}};
  report.scale = std::max(report.scale, 1e-3);
  report.deviations.push_back({"pi*", {}, {-1, -2, 0.5}, 0});
  report.deviations.push_back({"scratch 1", {}, regret, 0});
  return report;
}

TEST(CheckCommand, TheVerdictIsOneSentence) {
  EquilibriumReport report{.shared = true, .deviators = {report_of("all agents", -50, {1, 0.5, 1.5})}};
  EXPECT_EQ(
      verdict(report),
      "An epsilon-shared equilibrium with epsilon = 1.5, 3 % of |V|, against every deviation tried: all agents can "
      "gain 1 [0.5, 1.5] by a deviation from scratch 1; a lower bound on true exploitability, for a stronger "
      "deviation may exist.");
  report.deviators.push_back(report_of("a", 10, {2, 1, 3}));
  report.deviators.push_back(report_of("b", 1000, {5, 4, 6}));
  EXPECT_THAT(verdict(report),
              HasSubstr("; by supertypes, a has most to gain, 2 [1, 3] by a deviation from scratch 1, at "
                        "most 3, 30 % of |V|; a lower bound"));
  report.shared = false;
  EXPECT_THAT(verdict(report), HasSubstr("epsilon = 3, 30 % of |V|, against every deviation tried: a can gain 2"));
  EXPECT_THAT(verdict({.shared = true, .deviators = {report_of("all agents", 0, {1, 1, 1})}}),
              HasSubstr("epsilon = 1, |V| being nearly 0, against"));
  EXPECT_THAT(verdict({.shared = true, .deviators = {report_of("all agents", 7, {-3, -4, -2})}}),
              HasSubstr("can gain -1 [-2, 0.5] by a deviation from pi*;"));
}

TEST(CheckCommand, TakesTheRunsProfileOrTheCalibratorsParticles) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const mean = run_check({.directory = run, .options = small}).json;
  auto const cloud = run_check({.directory = run, .options = small, .particles = true}).json;
  ASSERT_EQ(mean["deviators"].size(), 3u);
  EXPECT_NE(mean["profile"]["supertype_2.altruism_sd"], 0.0) << "the particles have moved";
  EXPECT_EQ(mean["profile"].size(), 4u);
  for (auto const& [name, value] : mean["profile"].items())
    EXPECT_NEAR(value.get<double>(), cloud["profile"][name].get<double>(), 1e-6);
  EXPECT_NE(mean["deviators"][0]["value"], cloud["deviators"][0]["value"]);
}

TEST(CheckCommand, WorksForEveryPolicyMapAndForTheMarket) {
  for (char const* map : {"supertype", "agent"}) {
    TemporaryFolder const folder;
    auto const run = trained(folder, calibrated_game, {std::string("policy.map=") + map});
    auto const [text, json] = run_check({.directory = run, .options = small});
    EXPECT_EQ(json["shared"], false);
    EXPECT_EQ(json["deviators"][1]["name"], "supertype_2");
    EXPECT_THAT(text, HasSubstr("epsilon-equilibrium of the policies"));
  }
  TemporaryFolder const folder;
  auto const run = trained(folder, "[env]\nname = \"market\"\nsteps = 6\n");
  auto const [text, json] = run_check({.directory = run, .options = small});
  EXPECT_THAT(text, HasSubstr("do nothing"));
  EXPECT_EQ(json["deviators"].size(), 3u);
}

TEST(CheckCommand, SaysWhatItCannotCheck) {
  TemporaryFolder const folder;
  auto const complaint = [&](std::string const& run) {
    testing::internal::CaptureStderr();
    auto const text = error_of([&] { check({.directory = run, .options = small}); });
    testing::internal::GetCapturedStderr();
    EXPECT_FALSE(fs::exists(run + "/check.json"));
    EXPECT_EQ(text.find('\n'), std::string::npos);
    return text;
  };
  EXPECT_THAT(complaint(folder.path() + "/none"), HasSubstr("/none: no config.toml there"));
  auto const run = trained(folder, uncalibrated_game);
  auto const configuration = text_of(run + "/config.toml");
  auto const with = [&](std::string const& from, std::string const& to) {
    auto text = configuration;
    text.replace(text.find(from), from.size(), to);
    folder.write("run/config.toml", text);
    return complaint(run);
  };
  EXPECT_THAT(with("rounds = 4", "rounds = 5"), HasSubstr("checkpoint of another configuration"));
  EXPECT_THAT(with("\"matrix_game\"", "\"chess\""), HasSubstr("chess"));
  EXPECT_THAT(with("of a run of shoal ", "of a run of shoal 9."), HasSubstr("a run of shoal 9."));
  folder.write("run/config.toml", configuration);
  for (auto const& file : fs::directory_iterator(run + "/checkpoints")) fs::resize_file(file.path(), 1000);
  EXPECT_THAT(complaint(run), HasSubstr("not a whole checkpoint"));
  fs::remove_all(run + "/checkpoints");
  EXPECT_THAT(complaint(run), HasSubstr("no checkpoint there"));
}

}  // namespace
}  // namespace shoal
