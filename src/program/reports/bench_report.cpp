#include "program/reports/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "program/reports/text_table.hpp"
#include "program/runs/progress.hpp"
#include "program/version.hpp"

namespace shoal {

namespace {

constexpr char const* precision = "f32";

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.find(':') + 2, line.size()));
  return "unknown";
}

/// Whether some environment was measured with several values of the member.
bool varies(std::vector<BenchResult> const& results, int BenchResult::*member) {
  std::map<std::string, std::set<int>> values;
  for (auto const& r : results) values[r.environment].insert(r.*member);
  return std::any_of(values.begin(), values.end(), [](auto const& entry) { return entry.second.size() > 1; });
}

std::string percent(double part, double whole) { return whole > 0 ? fmt::format("{:.0f} %", 100 * part / whole) : ""; }

/// Shares of a stage: the environment's, with the drawing of random actions; inference; the update.
std::vector<std::string> shares(Phases const& p) {
  double const environment = p.environment + p.actions, total = environment + p.inference + p.update;
  std::vector<std::string> cells;
  for (double const part : {environment, p.inference, p.update}) cells.push_back(part > 0 ? percent(part, total) : "-");
  return cells;
}

std::string table(std::vector<BenchResult> const& results) {
  bool const threads = varies(results, &BenchResult::threads), horizons = varies(results, &BenchResult::horizon);
  std::vector<std::string> head{"environment", "mode", "agents", "instances"};
  if (threads) head.push_back("threads");
  if (horizons) head.push_back("horizon");
  for (auto const* name : {"agent-steps/s", "min", "max", "ns each", "CPUs", "env.", "infer.", "update"})
    head.push_back(name);
  std::vector<std::vector<std::string>> rows{head};
  for (auto const& r : results) {
    std::vector<std::string> row{r.environment, name_of(r.mode), std::to_string(r.agents), std::to_string(r.instances)};
    if (threads) row.push_back(std::to_string(r.threads));
    if (horizons) row.push_back(std::to_string(r.horizon));
    row.push_back((r.best ? "* " : "") + count_text(r.median()));
    row.push_back(count_text(r.rates.front()));
    row.push_back(count_text(r.rates.back()));
    double const cost = 1e9 / r.median();
    row.push_back(fmt::format("{:.{}f}", cost, cost < 1000 ? 1 : 0));
    row.push_back(fmt::format("{:.2f}", r.cpus));
    for (auto& cell : shares(r.phases)) row.push_back(std::move(cell));
    rows.push_back(std::move(row));
  }
  return number_table(rows, 2);
}

/// A warning where other programs took more than a tenth of the calling thread's time.
std::string busy_text(BenchReport const& report) {
  double least = 1;
  for (auto const& r : report.results) least = std::min(least, r.own_share);
  if (report.device != "cpu" || least > 0.9) return {};
  return fmt::format("  warning: other programs took the CPU, the calling thread ran only {:.0f} % of the time\n",
                     100 * least);
}

std::string sizes(BenchResult const& r, bool horizons) {
  return fmt::format("{}observation {} bytes, instance {} bytes ({} of state), rollout {:.0f} bytes an agent step",
                     horizons ? "" : fmt::format("{} steps a stage; ", r.horizon), r.observation_bytes,
                     r.bytes_per_instance, r.state_bytes, r.rollout_bytes_per_agent_step);
}

/// How near the steps come to the memory's limit. Bytes of a step: observations written, states read and written.
std::string memory_text(BenchReport const& report) {
  auto text = fmt::format("copies move {:.0f} GB/s", *report.copy_bandwidth / 1e9);
  auto const& results = report.results;
  auto const most = std::max_element(results.begin(), results.end(), [](BenchResult const& a, BenchResult const& b) {
    return a.memory_share < b.memory_share;  // none is less than any
  });
  if (most->memory_share)
    text += fmt::format("; steps at most {:.1f} % of that, {} with {} instances", 100 * *most->memory_share,
                        most->environment, most->instances);
  return text;
}

/// What the figures belong to, one row for each environment and number of agents.
std::vector<Labelled> facts(BenchReport const& report) {
  auto const& results = report.results;
  auto const& first = results.front();
  auto const has = [&](BenchMode mode) {
    return std::any_of(results.begin(), results.end(), [&](BenchResult const& r) { return r.mode == mode; });
  };
  std::vector<Labelled> rows;
  bool const horizons = varies(results, &BenchResult::horizon);
  for (auto const& r : results)
    if (auto const name = fmt::format("{}, {} agents", r.environment, r.agents);
        rows.empty() || rows.back().first != name)
      rows.push_back({name, sizes(r, horizons)});
  if (has(BenchMode::step)) {
    double drawing = 0, stepping = 0;
    for (auto const& r : results)
      if (r.mode == BenchMode::step) drawing += r.phases.actions, stepping += r.phases.environment;
    rows.push_back({"step", "the environment alone under uniform random actions; drawing them, " +
                                percent(drawing, drawing + stepping) + " of the time, included"});
  }
  if (has(BenchMode::rollout)) rows.push_back({"rollout", "step, actor and critic, and sampling into the rollout"});
  if (has(BenchMode::train)) rows.push_back({"train", "rollout, advantages and PPO update: " + first.update});
  rows.push_back({"network", fmt::format("actor and critic {}, {}", first.network, precision)});
  auto machine = (report.device == "cpu" ? "" : report.device + "; ") + cpu_name();
  if (!varies(results, &BenchResult::threads))
    machine += fmt::format(", {} thread{}", first.threads, first.threads > 1 ? "s" : "");
  rows.push_back({"machine", machine});
  if (report.copy_bandwidth) rows.push_back({"memory", memory_text(report)});
  return rows;
}

nlohmann::ordered_json to_json(BenchResult const& r) {
  nlohmann::ordered_json json{
      {"env", r.environment},
      {"mode", name_of(r.mode)},
      {"instances", r.instances},
      {"agents", r.agents},
      {"threads", r.threads},
      {"horizon", r.horizon},
      {"agent_steps_per_s",
       {{"median", r.median()}, {"min", r.rates.front()}, {"max", r.rates.back()}, {"repetitions", r.rates.size()}}},
      {"cpus", r.cpus},
      {"calling_thread_share", r.own_share},
      {"phases",
       {{"environment", r.phases.environment},
        {"actions", r.phases.actions},
        {"inference", r.phases.inference},
        {"update", r.phases.update}}},
      {"bytes_per_instance", r.bytes_per_instance},
      {"state_bytes", r.state_bytes},
      {"rollout_bytes_per_agent_step", r.rollout_bytes_per_agent_step},
      {"observation_bytes", r.observation_bytes},
      {"network", r.network},
      {"update", r.update},
      {"precision", precision},
      {"best", r.best}};
  if (r.memory_share) json["memory_share"] = *r.memory_share;
  return json;
}

}  // namespace

std::string to_text(BenchReport const& report) {
  if (report.results.empty()) return "nothing measured\n";
  bool const swept = std::any_of(report.results.begin(), report.results.end(), [](auto const& r) { return r.best; });
  return fmt::format(
      "shoal {}, commit {}: medians of {} repetition{} of {:g} s; at the right, shares of the time\n\n{}{}{}\n{}",
      SHOAL_VERSION, commit(), report.timing.repetitions, report.timing.repetitions == 1 ? "" : "s",
      report.timing.seconds, table(report.results), swept ? "  * the best of its sweep over instances\n" : "",
      busy_text(report), label_table(facts(report)));
}

std::string to_json(BenchReport const& report) {
  nlohmann::ordered_json json{{"version", SHOAL_VERSION},
                              {"commit", commit()},
                              {"cpu", cpu_name()},
                              {"device", report.device},
                              {"seconds", report.timing.seconds},
                              {"interrupted", report.interrupted},
                              {"results", nlohmann::ordered_json::array()}};
  if (report.copy_bandwidth) json["copy_bytes_per_s"] = *report.copy_bandwidth;
  for (auto const& result : report.results) json["results"].push_back(to_json(result));
  return json.dump(1) + "\n";
}

}  // namespace shoal
