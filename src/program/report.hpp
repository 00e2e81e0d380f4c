// A stage's report as a row of metrics.jsonl and as TensorBoard scalars, and the table at a run's end.
#pragma once

#include <string>
#include <vector>

#include "program/tensorboard.hpp"
#include "shoal/learn/trainer.hpp"

namespace shoal {

/// One JSON object on one line.
std::string to_json(StageReport const& report);

void write_scalars(TensorBoardWriter& writer, StageReport const& report);

/// Target, fitted value and error, means over the last tenth of the stages; empty for a run without targets.
/// @param rows  of metrics.jsonl
std::string final_table(std::vector<std::string> const& rows);

}  // namespace shoal
