#include "program/commands/bench_command.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "program/helpers.hpp"
#include "program/reports/bench_report.hpp"

namespace shoal {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Small and short.
BenchOptions quick(std::string const& environment) {
  return {.environments = {environment},
          .overrides = {"policy.hidden=[8]", "policy.epochs=1", "policy.minibatches=2"},
          .instances = "2",
          .threads = {1},
          .horizons = {4},
          .seconds = 0.002,
          .repetitions = 3,
          .device = "cpu"};
}

struct Outcome {
  int code;
  std::string text;
  nlohmann::json json;
};

Outcome run(BenchOptions options) {
  TemporaryFolder const folder;
  options.json = folder.path() + "/bench.json";
  testing::internal::CaptureStdout();
  int const code = bench_command(options);
  auto const text = testing::internal::GetCapturedStdout();
  std::ifstream file(options.json);
  return {code, text, nlohmann::json::parse(file)};
}

std::string error_with(BenchOptions const& options) {
  return error_of([&] { bench_command(options); });
}

std::vector<std::string> column(nlohmann::json const& json, char const* key) {
  std::vector<std::string> values;
  for (auto const& result : json.at("results"))
    values.push_back(result.at(key).is_string() ? result.at(key).get<std::string>() : result.at(key).dump());
  return values;
}

TEST(BenchCommand, MeasuresTheTripletOfEveryEnvironment) {
  auto options = quick("market");
  options.environments.clear();
  auto const [code, text, json] = run(options);
  EXPECT_EQ(code, 0);
  EXPECT_EQ(json.at("device"), "cpu");
  EXPECT_EQ(json.at("interrupted"), false);
  for (auto const* key : {"version", "commit", "cpu"}) EXPECT_FALSE(json.at(key).get<std::string>().empty()) << key;
  std::vector<std::string> names, modes;
  for (auto const& info : environments())
    for (auto const* mode : {"step", "rollout", "train"}) names.push_back(info.name), modes.push_back(mode);
  EXPECT_EQ(column(json, "env"), names);
  EXPECT_EQ(column(json, "mode"), modes);
  for (auto const* heading : {"agent-steps/s", "market", "matrix_game", "network", "machine"})
    EXPECT_THAT(text, HasSubstr(heading));
}

TEST(BenchCommand, TellsWhatTheFiguresBelongTo) {
  auto const [code, text, json] = run(quick("market"));
  ASSERT_EQ(json.at("results").size(), 3u);
  for (auto const& r : json.at("results")) {
    auto const& rate = r.at("agent_steps_per_s");
    EXPECT_LE(rate.at("min"), rate.at("median"));
    EXPECT_LE(rate.at("median"), rate.at("max"));
    EXPECT_GT(rate.at("min"), 0);
    EXPECT_EQ(rate.at("repetitions"), 3);
    EXPECT_EQ(r.at("instances"), 2);
    EXPECT_EQ(r.at("agents"), 5);
    EXPECT_EQ(r.at("threads"), 1);
    EXPECT_EQ(r.at("horizon"), 4);
    EXPECT_GT(r.at("cpus"), 0);
    EXPECT_LT(r.at("calling_thread_share"), 1.1);
    EXPECT_EQ(r.at("network"), "8 tanh");
    EXPECT_EQ(r.at("precision"), "f32");
    EXPECT_EQ(r.at("observation_bytes"), 21 * 4);
    EXPECT_GT(r.at("bytes_per_instance"), r.at("state_bytes"));
    EXPECT_GT(r.at("rollout_bytes_per_agent_step"), 21 * 4);
  }
  auto const phases = [&](int i, char const* key) {
    return json.at("results").at(i).at("phases").at(key).get<double>();
  };
  EXPECT_GT(phases(0, "environment"), 0);
  EXPECT_GT(phases(0, "actions"), 0);
  EXPECT_EQ(phases(0, "inference"), 0);
  EXPECT_GT(phases(1, "inference"), 0);
  EXPECT_EQ(phases(1, "update"), 0);
  EXPECT_GT(phases(2, "update"), 0);
}

TEST(BenchCommand, WarnsWhereOtherProgramsTookTheCpu) {
  BenchResult result{};
  result.environment = "market";
  result.rates = {1e6};
  result.cpus = result.own_share = 0.93;
  BenchReport report{.device = "cpu", .timing = {1, 1}, .results = {result}};
  EXPECT_THAT(to_text(report), Not(HasSubstr("warning")));
  report.results.push_back(result);
  report.results[1].own_share = 0.48;
  EXPECT_THAT(to_text(report), HasSubstr("the calling thread ran only 48 % of the time"));
}

TEST(BenchCommand, SweepsInstancesByPowersOfTwoAndMarksTheBest) {
  auto options = quick("matrix_game");
  options.mode = "step";
  options.instances = "3:13";
  options.threads = {1, 2};
  auto const [code, text, json] = run(options);
  EXPECT_THAT(column(json, "instances"), ElementsAre("3", "6", "12", "3", "6", "12"));
  EXPECT_THAT(column(json, "threads"), ElementsAre("1", "1", "1", "2", "2", "2"));
  for (int sweep = 0; sweep < 2; ++sweep) {
    double most = 0, marked = 0;
    for (int i = 3 * sweep; i < 3 * sweep + 3; ++i) {
      auto const& r = json.at("results").at(i);
      double const rate = r.at("agent_steps_per_s").at("median");
      most = std::max(most, rate);
      if (r.at("best")) marked += rate;
    }
    EXPECT_EQ(marked, most) << "one and the fastest";
  }
  EXPECT_THAT(text, HasSubstr("* the best of its sweep"));
}

TEST(BenchCommand, SetsAnEnvironmentsAgents) {
  auto options = quick("market");
  options.mode = "step";
  options.environments = {"market", "matrix_game"};
  options.agents = {2, 7};
  auto const json = run(options).json;
  EXPECT_THAT(column(json, "agents"), ElementsAre("2", "7", "2", "7"));
}

TEST(BenchCommand, StopsAtAnInterruptWithWhatIsMeasured) {
  auto options = quick("matrix_game");
  options.repetitions = 1000;
  options.seconds = 0.01;
  std::jthread const user([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    kill(getpid(), SIGINT);
  });
  auto const [code, text, json] = run(options);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  EXPECT_EQ(code, 130);
  EXPECT_EQ(json.at("interrupted"), true);
  EXPECT_EQ(column(json, "mode"), std::vector<std::string>{"step"});
  EXPECT_LT(json.at("results").at(0).at("agent_steps_per_s").at("repetitions"), 1000);
  EXPECT_THAT(text, EndsWith("interrupted: 1 of 3 measured\n"));
}

TEST(BenchCommand, NamesTheOptionAtFault) {
  auto const with = [](auto change) {
    auto options = quick("market");
    change(options);
    return error_with(options);
  };
  EXPECT_EQ(with([](auto& o) { o.instances = "64:x"; }),
            "--instances = 64:x: expected N, or A:B with A <= B, integers in [1, 16777216]");
  EXPECT_THAT(with([](auto& o) { o.instances = "8:4"; }), StartsWith("--instances = 8:4: expected"));
  EXPECT_THAT(with([](auto& o) { o.instances = "0"; }), StartsWith("--instances = 0: expected"));
  EXPECT_EQ(with([](auto& o) { o.agents = {17}; }), "--agents: env.merchants = 17: expected an integer in [2, 16]");
  EXPECT_EQ(with([](auto& o) { o.agents = {0}; }), "--agents = 0: expected integers in [1, 4096]");
  EXPECT_EQ(with([](auto& o) { o.environments = {"matrix_game"}, o.agents = {9}; }),
            "--agents: matrix_game.players = 9: expected 2 to 8");
  EXPECT_EQ(with([](auto& o) { o.agents = {3}, o.overrides = {"env.merchants=4"}; }),
            "--set env.merchants: excludes --agents, which sets it too");
  EXPECT_EQ(with([](auto& o) { o.threads = {0}; }), "--threads = 0: expected integers in [1, 4096]");
  EXPECT_EQ(with([](auto& o) { o.mode = "steps"; }),
            "--mode = \"steps\": expected \"step\", \"rollout\", \"train\" or \"all\"");
  EXPECT_EQ(with([](auto& o) { o.repetitions = 0; }), "--repetitions = 0: expected an integer in [1, 1000]");
  EXPECT_EQ(with([](auto& o) { o.seconds = 0; }), "--seconds = 0: expected a real in [0.001, 3600]");
  EXPECT_EQ(with([](auto& o) { o.device = "gpu"; }), "--device = \"gpu\": expected \"cpu\" or \"cuda\"");
  EXPECT_EQ(with([](auto& o) { o.overrides = {"env.merchants=1"}; }),
            "--set env.merchants = 1: expected an integer in [2, 16]");
  EXPECT_EQ(with([](auto& o) { o.environments = {"x"}; }),
            "--env = \"x\": expected one of \"checkers\", \"market\", \"matrix_game\", \"pursuit\", \"recall\", "
            "\"switch\", \"two_role\"");
  EXPECT_EQ(with([](auto& o) { o.environments = {"market", "market"}; }), "--env = market: given twice");
  EXPECT_EQ(with([](auto& o) { o.threads = {1, 1}; }), "--threads = 1: given twice");
  EXPECT_EQ(with([](auto& o) { o.json = "/nowhere/bench.json"; }), "--json /nowhere/bench.json: cannot be written");
}

}  // namespace
}  // namespace shoal
