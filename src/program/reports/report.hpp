// A stage's report as a row of metrics.jsonl and as TensorBoard scalars, and the table at a run's end.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program/reports/tensorboard.hpp"
#include "shoal/train/stage_report.hpp"

namespace shoal {

/// One JSON object on one line.
std::string to_json(StageReport const& report);

void write_scalars(TensorBoardWriter& writer, StageReport const& report);

/// Mean, low and high.
nlohmann::ordered_json to_json(Estimate const& estimate);

/// r_cal and every target with mean, low and high of its 95 % interval.
nlohmann::ordered_json to_json(Fit const& fit);

/// "calibrated" and "settled": what to_json() gave for them, or null.
/// @param rows  of metrics.jsonl
nlohmann::ordered_json fits_of(std::vector<std::string> const& rows);

/// A row for each target. @param fit  of to_json()
std::string fit_table(nlohmann::ordered_json const& fit);

/// The run's validated fit; before it has one, means over the last tenth of the stages. Empty for a run without
/// targets.
/// @param rows  of metrics.jsonl
/// @throws InputError for a row that lacks what a stage's has
std::string final_table(std::vector<std::string> const& rows);

}  // namespace shoal
