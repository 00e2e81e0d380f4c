// A study's tables: means over seeds, and differences to the reference method seed by seed.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "program/reports/statistics.hpp"
#include "program/reports/summary.hpp"

namespace shoal {

struct StudyResult {
  std::string experiment, method;
  std::int64_t seed;
  Summary summary;
};

/// The names in the order of the study's file.
struct StudyNames {
  std::vector<std::string> experiments, methods;
  std::string reference;
};

/// table.csv: a row an experiment and method: experiment, method, seeds (finished runs), and for each figure
/// FIGURE_mean and FIGURE_sd. A figure that some of the runs lack is empty, and so is the sd of one run.
std::string table_csv(StudyNames const& names, std::vector<StudyResult> const& results);

/// pairs.csv: a row an experiment, method other than the reference, and figure: experiment, method, reference, figure,
/// seeds (that both have), difference (mean of method - reference), low and high (its 95 % t-interval, empty for one
/// seed).
std::string pairs_csv(StudyNames const& names, std::vector<StudyResult> const& results);

/// table.md: both for readers, and what was left out.
/// @param left_out  names of runs, and why
std::string table_markdown(StudyNames const& names, std::vector<StudyResult> const& results,
                           std::vector<std::pair<std::string, std::string>> const& left_out);

}  // namespace shoal
