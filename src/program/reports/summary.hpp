// A whole run in a few figures: the three criteria of CALSHEQ (fit to the targets, convergence of rewards, smoothness
// of the profile's path), and what the run cost. Computed from the rows of metrics.jsonl alone.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "shoal/env/spec.hpp"

namespace shoal {

/// Figures that a run does not have (no calibrator, too few stages) are empty.
struct Summary {
  using Figure = std::optional<double>;

  Figure r_cal_first = {};       // of the first stage
  Figure r_cal_calibrated = {};  // validated, at the end of the calibration
  Figure r_cal_settled = {};     // validated, after settling
  Figure r_cal_last_tenth = {};  // mean over the last tenth of the stages, at least one
  Figure r_cal_auc = {};         // area under the curve of r_cal, divided by the number of stages
  Figure stages_to_90 = {};      // stages after which r_cal stays above 0.9 r_cal_last_tenth

  // Mean return of the first supertype over the last fifth of the stages.
  Figure return_slope = {};  // |least-squares slope| * the fifth's stages / range of the mean return over the whole run
  Figure negative_share = {};  // share of stages whose mean return is below 0

  // L_m is the mean profile of stage m, each coordinate scaled to [0, 1] by its bounds.
  Figure s1 = {};     // mean of |L_m - L_{m-1}|, Euclidean
  Figure s_max = {};  // its maximum

  Figure seconds = {}, agent_steps_per_second = {};  // training only
};

/// A figure with its key in files and its heading in tables.
struct SummaryFigure {
  char const* key;
  char const* heading;
  Summary::Figure Summary::*value;
};

inline constexpr SummaryFigure summary_figures[] = {
    {"r_cal_first", "r_cal, first stage", &Summary::r_cal_first},
    {"r_cal_calibrated", "r_cal, calibrated", &Summary::r_cal_calibrated},
    {"r_cal_settled", "r_cal, settled", &Summary::r_cal_settled},
    {"r_cal_last_tenth", "r_cal, last tenth", &Summary::r_cal_last_tenth},
    {"r_cal_auc", "r_cal, mean", &Summary::r_cal_auc},
    {"stages_to_90", "stages to 90 %", &Summary::stages_to_90},
    {"return_slope", "return slope", &Summary::return_slope},
    {"negative_share", "negative share", &Summary::negative_share},
    {"S1", "S1", &Summary::s1},
    {"Smax", "Smax", &Summary::s_max},
    {"seconds", "seconds", &Summary::seconds},
    {"agent_steps_per_second", "agent-steps/s", &Summary::agent_steps_per_second},
};

/// @throws InputError in one line, not naming the file, about the first row that summarize() could not read
void check_rows(std::vector<std::string> const& rows, Spec const& spec);

/// @param rows    of metrics.jsonl, one JSON text each, from stage 0 on
/// @param spec    of the environment: the bounds of the profile's coordinates, the first supertype
/// @param stages  that the run has; one whose calibration ended early has fewer, the last with its validated fit
/// @throws InputError in one line, not naming the file, if a row is missing or broken
Summary summarize(std::vector<std::string> const& rows, Spec const& spec, std::int64_t stages);

/// What a summary was made from.
struct SummaryOrigin {
  std::int64_t seed, stages;
  std::string digest;  // of the checkpoint (checkpoint.hpp)
};

/// The text of summary.json: the figures, null where empty, and `fits`, of fits_of().
std::string summary_text(Summary const& summary, SummaryOrigin const& of, nlohmann::ordered_json const& fits);

}  // namespace shoal
