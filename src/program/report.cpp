#include "program/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace shoal {

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
  row["kl"] = r.kl;
  row["kl_coefficient"] = r.kl_coefficient;
  row["entropy"] = r.entropy;
  row["value_loss"] = r.value_loss;
  row["phases"] = {
      {"environment", r.environment_seconds}, {"inference", r.inference_seconds}, {"update", r.update_seconds}};
  return row.dump();
}

void write_scalars(TensorBoardWriter& writer, StageReport const& r) {
  if (r.r_cal_mean) writer.scalar("calibrator/reward", r.stage, *r.r_cal_mean);
  for (auto const& fit : r.targets) writer.scalar("targets/" + fit.name, r.stage, fit.value);
  for (auto const& x : r.returns) writer.scalar("returns/" + x.supertype, r.stage, x.mean);
  for (auto const& x : r.profile) writer.scalar("profile/" + x.name, r.stage, x.mean);
  writer.scalar("policy/kl", r.stage, r.kl);
  writer.scalar("policy/kl_coefficient", r.stage, r.kl_coefficient);
  writer.scalar("policy/entropy", r.stage, r.entropy);
  writer.scalar("policy/value_loss", r.stage, r.value_loss);
  writer.scalar("throughput/agent_steps_per_second", r.stage, r.agent_steps_per_second);
}

std::string final_table(std::vector<std::string> const& rows) {
  if (rows.empty()) return {};
  auto const count = std::max<std::size_t>(1, rows.size() / 10);
  auto const first = nlohmann::ordered_json::parse(rows.front());
  if (first["targets"].empty()) return {};
  double r_cal = 0;
  std::map<std::string, double> fitted;
  for (std::size_t i = rows.size() - count; i < rows.size(); ++i) {
    auto const row = nlohmann::json::parse(rows[i]);
    r_cal += row["r_cal_mean"].get<double>() / double(count);
    for (auto const& [name, fit] : row["targets"].items()) fitted[name] += fit["value"].get<double>() / double(count);
  }
  std::size_t width = 6;
  for (auto const& [name, value] : fitted) width = std::max(width, name.size());
  auto text = fmt::format("{:<{}}  {:>10}  {:>10}  {:>10}\n", "metric", width, "target", "fitted", "error");
  for (auto const& [name, fit] : first["targets"].items()) {
    double const target = fit["target"], value = fitted[name];
    text += fmt::format("{:<{}}  {:>10.4g}  {:>10.4g}  {:>+10.4f}\n", name, width, target, value, value - target);
  }
  return text +
         fmt::format("r_cal {:.4f} (1 = perfect fit; {:.4f} in the first stage); means over the last {} of {} stages\n",
                     r_cal, first["r_cal_mean"].get<double>(), count, rows.size());
}

}  // namespace shoal
