#include "program/reports/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "program/reports/text_table.hpp"
#include "shoal/core/error.hpp"

namespace shoal {

namespace {

std::string interval(nlohmann::ordered_json const& x) {
  return fmt::format("[{:.4g}, {:.4g}]", x.at("low").get<double>(), x.at("high").get<double>());
}

/// The last row's fit of that name, and the stages that were done then; null: no row has one.
struct LastFit {
  nlohmann::ordered_json fit = {};
  std::size_t stages = 0;
};

LastFit last_fit(std::vector<std::string> const& rows, char const* key) {
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    if (row->find(fmt::format("\"{}\":", key)) != std::string::npos) {
      auto const json = nlohmann::ordered_json::parse(*row);
      if (json.contains(key)) return {json[key], std::size_t(rows.rend() - row)};
    }
  return {};
}

std::string fit_line(nlohmann::ordered_json const& fit, char const* when) {
  return fmt::format("r_cal {:.4f} {} over {} episodes that training never saw, {}\n",
                     fit.at("r_cal").at("mean").get<double>(), interval(fit.at("r_cal")),
                     fit.at("episodes").get<std::int64_t>(), when);
}

}  // namespace

nlohmann::ordered_json to_json(Estimate const& x) { return {{"mean", x.mean}, {"low", x.low}, {"high", x.high}}; }

nlohmann::ordered_json to_json(Fit const& fit) {
  nlohmann::ordered_json json{{"episodes", fit.episodes}, {"r_cal", to_json(fit.r_cal)}};
  json["targets"] = nlohmann::ordered_json::object();
  for (auto const& t : fit.targets) {
    json["targets"][t.name] = to_json(t.value);
    json["targets"][t.name]["target"] = t.target;
  }
  return json;
}

nlohmann::ordered_json fits_of(std::vector<std::string> const& rows) {
  return {{"calibrated", last_fit(rows, "calibrated").fit}, {"settled", last_fit(rows, "settled").fit}};
}

std::string fit_table(nlohmann::ordered_json const& fit) {
  std::vector<std::vector<std::string>> rows{{"metric", "target", "fitted", "95 % interval", "error"}};
  for (auto const& [name, t] : fit.at("targets").items()) {
    double const target = t.at("target"), value = t.at("mean");
    rows.push_back({name, fmt::format("{:.4g}", target), fmt::format("{:.4g}", value), interval(t),
                    fmt::format("{:+.4f}", value - target)});
  }
  return number_table(rows, 1);
}

std::string to_json(StageReport const& r) {
  nlohmann::ordered_json row{{"stage", r.stage},
                             {"agent_steps", r.agent_steps},
                             {"seconds", r.seconds},
                             {"agent_steps_per_second", r.agent_steps_per_second}};
  if (r.r_cal_mean) {
    row["r_cal_mean"] = *r.r_cal_mean;
    row["r_cal_sd"] = *r.r_cal_sd;
  }
  row["targets"] = nlohmann::ordered_json::object();
  for (auto const& fit : r.targets) row["targets"][fit.name] = {{"target", fit.target}, {"value", fit.value}};
  row["returns"] = nlohmann::ordered_json::object();
  for (auto const& x : r.returns) row["returns"][x.supertype] = {{"mean", x.mean}, {"sd", x.sd}};
  row["profile"] = nlohmann::ordered_json::object();
  for (auto const& x : r.profile) row["profile"][x.name] = x.mean;
  for (auto const& x : r.figures) row[x.name] = x.mean;
  row["metrics"] = nlohmann::ordered_json::object();
  for (auto const& x : r.metrics) row["metrics"][x.name] = float(x.mean);
  row["phases"] = {{"environment", r.environment_seconds},
                   {"inference", r.inference_seconds},
                   {"update", r.update_seconds},
                   {"validation", r.validation_seconds}};
  if (r.validation) row["validation"] = {{"episodes", r.validation->episodes}, {"r_cal", to_json(r.validation->r_cal)}};
  for (auto const& regret : r.challenges)
    row["challenges"].push_back({{"regret", to_json(regret)}, {"replaced", regret.low > 0}});
  if (r.calibrated) row["calibrated"] = to_json(*r.calibrated);
  if (r.settled) row["settled"] = to_json(*r.settled);
  return row.dump();
}

void write_scalars(TensorBoardWriter& writer, StageReport const& r) {
  if (r.r_cal_mean) writer.scalar("calibrator/reward", r.stage, *r.r_cal_mean);
  auto const write = [&](std::string const& group, std::optional<Fit> const& fit) {
    if (!fit) return;
    writer.scalar(group + "/r_cal", r.stage, fit->r_cal.mean);
    writer.scalar(group + "/r_cal_low", r.stage, fit->r_cal.low);
    writer.scalar(group + "/r_cal_high", r.stage, fit->r_cal.high);
    for (auto const& t : fit->targets) writer.scalar(group + "/" + t.name, r.stage, t.value.mean);
  };
  write("validation", r.validation);
  write("calibrated", r.calibrated);
  write("settled", r.settled);
  for (auto const& fit : r.targets) writer.scalar("targets/" + fit.name, r.stage, fit.value);
  for (auto const& x : r.returns) writer.scalar("returns/" + x.supertype, r.stage, x.mean);
  for (auto const& x : r.profile) writer.scalar("profile/" + x.name, r.stage, x.mean);
  for (auto const& x : r.figures) writer.scalar("policy/" + x.name, r.stage, x.mean);
  for (auto const& x : r.metrics) writer.scalar("metrics/" + x.name, r.stage, x.mean);
  writer.scalar("throughput/agent_steps_per_second", r.stage, r.agent_steps_per_second);
}

namespace {

/// Of a run without a validated fit: means over the last tenth of the stages.
std::string last_stages_table(std::vector<std::string> const& rows, nlohmann::ordered_json const& first) {
  auto const count = std::max<std::size_t>(1, rows.size() / 10);
  double r_cal = 0;
  std::map<std::string, double> fitted;
  for (std::size_t i = rows.size() - count; i < rows.size(); ++i) {
    auto const row = nlohmann::json::parse(rows[i]);
    r_cal += row.at("r_cal_mean").get<double>() / double(count);
    for (auto const& [name, fit] : row.at("targets").items())
      fitted[name] += fit.at("value").get<double>() / double(count);
  }
  std::vector<std::vector<std::string>> table{{"metric", "target", "fitted", "error"}};
  for (auto const& [name, fit] : first.at("targets").items()) {
    double const target = fit.at("target"), value = fitted[name];
    table.push_back(
        {name, fmt::format("{:.4g}", target), fmt::format("{:.4g}", value), fmt::format("{:+.4f}", value - target)});
  }
  return number_table(table, 1) + fmt::format("r_cal {:.4f} (1 = perfect fit); means over the last {} of {} stages\n",
                                              r_cal, count, rows.size());
}

}  // namespace

std::string final_table(std::vector<std::string> const& rows) try {
  if (rows.empty()) return {};
  auto const first = nlohmann::ordered_json::parse(rows.front());
  if (first.at("targets").empty()) return {};
  auto const beginning =
      fmt::format("r_cal {:.4f} in the first stage, over its instances\n", first.at("r_cal_mean").get<double>());
  auto const calibrated = last_fit(rows, "calibrated"), settled = last_fit(rows, "settled");
  if (calibrated.fit.is_null()) return last_stages_table(rows, first) + beginning;
  auto const& last = settled.fit.is_null() ? calibrated : settled;
  auto text = fit_table(last.fit) + fit_line(calibrated.fit, "at the end of the calibration (1 = perfect fit)");
  if (!settled.fit.is_null()) text += fit_line(settled.fit, "after settling");
  // A run that was extended has trained on: its policies are others now.
  if (settled.stages > 0 && last.stages < rows.size())
    text += fmt::format("measured after stage {}; the policies have trained for {} stages since\n", last.stages,
                        rows.size() - last.stages);
  return text + beginning;
} catch (nlohmann::json::exception const&) {
  throw InputError("metrics.jsonl: a row does not hold what the table shows");
}

}  // namespace shoal
