#include "program/reports/study_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace shoal {

namespace {

/// For Markdown: as text, not as a tag or a column.
std::string escaped(std::string const& text) {
  std::string out;
  for (char const c : text) out += c == '<' || c == '|' || c == '`' ? std::string{'\\', c} : std::string{c};
  return out;
}

using Row = std::vector<std::string>;
using BySeed = std::map<std::int64_t, Summary const*>;

BySeed runs_of(std::vector<StudyResult> const& results, std::string const& experiment, std::string const& method) {
  BySeed runs;
  for (auto const& result : results)
    if (result.experiment == experiment && result.method == method) runs[result.seed] = &result.summary;
  return runs;
}

/// Nothing if there are no values, or if a run lacks one: a mean over other seeds would mislead.
std::optional<SampleMean> estimate_all(std::vector<Summary::Figure> const& figures) {
  std::vector<double> values;
  for (auto const& x : figures)
    if (x) values.push_back(*x);
  if (values.empty() || values.size() < figures.size()) return {};
  return sample_mean(values);
}

std::optional<SampleMean> over_seeds(BySeed const& runs, SummaryFigure const& figure) {
  std::vector<Summary::Figure> values;
  for (auto const& [seed, summary] : runs) values.push_back(summary->*figure.value);
  return estimate_all(values);
}

std::optional<SampleMean> paired(BySeed const& runs, BySeed const& reference, SummaryFigure const& figure) {
  std::vector<Summary::Figure> differences;
  for (auto const& [seed, summary] : runs)
    if (auto const other = reference.find(seed); other != reference.end()) {
      auto const &a = summary->*figure.value, &b = other->second->*figure.value;
      differences.push_back(a && b ? *a - *b : Summary::Figure());
    }
  return estimate_all(differences);
}

/// f(experiment, method) for all of them, methods innermost.
template <class F>
void for_cells(StudyNames const& names, F f) {
  for (auto const& experiment : names.experiments)
    for (auto const& method : names.methods) f(experiment, method);
}

/// f(experiment, method, runs, runs of the reference) for all methods but the reference.
template <class F>
void for_pairs(StudyNames const& names, std::vector<StudyResult> const& results, F f) {
  for_cells(names, [&](std::string const& experiment, std::string const& method) {
    if (method != names.reference)
      f(experiment, method, runs_of(results, experiment, method), runs_of(results, experiment, names.reference));
  });
}

std::string csv(std::vector<Row> const& rows) {
  std::string text;
  for (auto const& row : rows) text += fmt::format("{}\n", fmt::join(row, ","));
  return text;
}

/// Shortest text that reads back as the same number.
std::string exact(std::optional<double> const& x) { return x ? fmt::format("{}", *x) : ""; }

/// As many digits as asked for, and no exponent for large numbers.
std::string short_number(double x, int digits = 3) {
  return std::abs(x) >= std::pow(10, digits) - 0.5 ? fmt::format("{:.0f}", x) : fmt::format("{:.{}g}", x, digits);
}

std::string signed_number(double x) { return (x > 0 ? "+" : "") + short_number(x); }

std::string mean_text(std::optional<SampleMean> const& e) {
  if (!e) return "-";
  return short_number(e->mean) + (e->sd ? " ± " + short_number(*e->sd, 2) : "");
}

std::string interval_text(std::optional<SampleMean> const& e) {
  if (!e) return "-";
  auto const mean = signed_number(e->mean);
  if (!e->half_width) return mean;
  return fmt::format("{} [{}, {}]", mean, signed_number(e->mean - *e->half_width),
                     signed_number(e->mean + *e->half_width));
}

std::size_t characters(std::string const& utf8) {
  return std::size_t(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string markdown(std::vector<Row> rows) {
  std::vector<std::size_t> width(rows.front().size(), 3);
  for (auto const& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], characters(row[c]));
  Row rule;
  for (auto const w : width) rule.push_back(std::string(w, '-'));
  rows.insert(rows.begin() + 1, rule);
  std::string text;
  for (auto const& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c)
      text += "| " + row[c] + std::string(width[c] - characters(row[c]) + 1, ' ');
    text += "|\n";
  }
  return text;
}

Row with_headings(Row row) {
  for (auto const& figure : summary_figures) row.push_back(figure.heading);
  return row;
}

std::string means_markdown(StudyNames const& names, std::vector<StudyResult> const& results) {
  std::vector<Row> rows{with_headings({"experiment", "method", "seeds"})};
  for_cells(names, [&](std::string const& experiment, std::string const& method) {
    auto const runs = runs_of(results, experiment, method);
    auto& row = rows.emplace_back(Row{experiment, method, std::to_string(runs.size())});
    for (auto const& figure : summary_figures) row.push_back(mean_text(over_seeds(runs, figure)));
  });
  return "Mean ± standard deviation over seeds.\n\n" + markdown(rows);
}

std::string pairs_markdown(StudyNames const& names, std::vector<StudyResult> const& results) {
  std::vector<Row> rows{with_headings({"experiment", "method", "pairs"})};
  for_pairs(names, results, [&](auto const& experiment, auto const& method, auto const& runs, auto const& reference) {
    auto const shared =
        std::count_if(runs.begin(), runs.end(), [&](auto const& run) { return reference.count(run.first) > 0; });
    auto& row = rows.emplace_back(Row{experiment, method, std::to_string(shared)});
    for (auto const& figure : summary_figures) row.push_back(interval_text(paired(runs, reference, figure)));
  });
  if (rows.size() == 1) return {};
  return fmt::format("\nMethod - {}, paired by seed: mean [95 % t-interval].\n\n", names.reference) + markdown(rows);
}

}  // namespace

std::string table_csv(StudyNames const& names, std::vector<StudyResult> const& results) {
  std::vector<Row> rows{{"experiment", "method", "seeds"}};
  for (auto const& figure : summary_figures)
    for (auto const* what : {"_mean", "_sd"}) rows.front().push_back(figure.key + std::string(what));
  for_cells(names, [&](std::string const& experiment, std::string const& method) {
    auto const runs = runs_of(results, experiment, method);
    auto& row = rows.emplace_back(Row{experiment, method, std::to_string(runs.size())});
    for (auto const& figure : summary_figures) {
      auto const e = over_seeds(runs, figure);
      row.push_back(e ? exact(e->mean) : "");
      row.push_back(e ? exact(e->sd) : "");
    }
  });
  return csv(rows);
}

std::string pairs_csv(StudyNames const& names, std::vector<StudyResult> const& results) {
  std::vector<Row> rows{{"experiment", "method", "reference", "figure", "seeds", "difference", "low", "high"}};
  for_pairs(names, results, [&](auto const& experiment, auto const& method, auto const& runs, auto const& reference) {
    for (auto const& figure : summary_figures) {
      auto const e = paired(runs, reference, figure);
      auto& row = rows.emplace_back(Row{experiment, method, names.reference, figure.key});
      row.push_back(std::to_string(e ? e->count : 0));
      row.push_back(e ? exact(e->mean) : "");
      for (int const side : {-1, 1}) row.push_back(e && e->half_width ? exact(e->mean + side * *e->half_width) : "");
    }
  });
  return csv(rows);
}

std::string table_markdown(StudyNames const& names, std::vector<StudyResult> const& results,
                           std::vector<std::pair<std::string, std::string>> const& left_out) {
  auto text = means_markdown(names, results) + pairs_markdown(names, results);
  if (!left_out.empty()) text += "\nLeft out:\n\n";
  for (auto const& [run, why] : left_out) text += fmt::format("- {}: {}\n", run, escaped(why));
  return text;
}

}  // namespace shoal
