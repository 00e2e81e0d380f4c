#include "program/reports/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "program/version.hpp"
#include "shoal/core/error.hpp"

namespace shoal {

namespace {

using nlohmann::json;
using Figure = Summary::Figure;
using Profile = std::vector<double>;  // scaled to [0, 1]

/// What a summary needs of all rows. A series without values for all rows is empty, but for `returns`: early stages
/// have none where no episode has ended yet.
struct Series {
  std::vector<double> r_cal;
  Figure calibrated = {}, settled = {};
  bool concluded = false;  // the last row has a validated fit
  std::vector<Figure> returns;
  std::vector<Profile> profiles;
  double seconds = 0, agent_steps = 0;
};

/// What a row lacks. The library says "[json.exception.out_of_range.403] key 'x' not found", or that a type is another
/// one.
std::string lack(json::exception const& error) {
  std::string const text = error.what();
  auto const begin = text.find("key '"), end = text.find("' not found");
  if (begin == std::string::npos || end == std::string::npos) return "a value is of another type than shoal writes";
  return text.substr(begin + 5, end - begin - 5) + " is missing";
}

class Reader {
 public:
  explicit Reader(Spec const& spec) {
    if (!spec.supertypes.empty()) first_supertype_ = spec.supertypes.front().name;
    for (auto const& supertype : spec.supertypes)
      for (auto const& c : supertype.coordinates) ranges_[supertype.name + "." + c.name] = c.high - c.low;
  }

  void read(std::string const& text, std::size_t index) try {
    auto const row = json::parse(text);
    if (auto const stage = row.at("stage").get<std::size_t>(); stage != index)
      throw InputError(fmt::format("row {}: stage {}, expected {}", index + 1, stage, index));
    series_.seconds = row.at("seconds").get<double>();
    series_.agent_steps = row.at("agent_steps").get<double>();
    read_fit(row, index);
    auto const& returns = row.at("returns");
    series_.returns.push_back(returns.contains(first_supertype_) ? returns.at(first_supertype_).at("mean").get<double>()
                                                                 : Figure());
  } catch (json::exception const& error) {
    throw InputError(fmt::format("row {}: broken: {}", index + 1, lack(error)));
  }

  Series const& series() const { return series_; }

 private:
  void read_fit(json const& row, std::size_t index) {
    if (index == 0) calibrated_ = row.contains("r_cal_mean");
    if (!calibrated_) return;
    series_.r_cal.push_back(row.at("r_cal_mean").get<double>());
    auto const take = [&](char const* key, Figure& figure) {
      if (row.contains(key)) figure = row.at(key).at("r_cal").at("mean").get<double>();
      return row.contains(key);
    };
    bool const calibrated = take("calibrated", series_.calibrated), settled = take("settled", series_.settled);
    series_.concluded = calibrated || settled;
    auto& profile = series_.profiles.emplace_back();
    auto const& coordinates = row.at("profile");
    for (auto const& [name, range] : ranges_) profile.push_back(coordinates.at(name).get<double>() / range);
  }

  std::string first_supertype_;
  std::map<std::string, double> ranges_;
  bool calibrated_ = false;
  Series series_;
};

/// The last 1/`part` of a series, at least one element.
template <class T>
std::span<T const> last(std::vector<T> const& series, std::size_t part) {
  return std::span(series).last(std::max<std::size_t>(1, series.size() / part));
}

double mean(std::span<double const> x) { return std::accumulate(x.begin(), x.end(), 0.0) / double(x.size()); }

void add_fit(Summary& summary, std::vector<double> const& r_cal) {
  if (r_cal.empty()) return;
  summary.r_cal_first = r_cal.front();
  double const final = mean(last(r_cal, 10));
  auto const below = std::find_if(r_cal.rbegin(), r_cal.rend(), [&](double r) { return r < 0.9 * final; });
  summary.r_cal_last_tenth = final;
  summary.r_cal_auc = mean(r_cal);
  summary.stages_to_90 = double(r_cal.rend() - below);
}

/// Least squares over the places of the values that are there.
double slope(std::span<Figure const> values) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    n += 1;
    x += double(i);
    y += *values[i];
    xx += double(i * i);
    xy += double(i) * *values[i];
  }
  return n < 2 ? 0 : (n * xy - x * y) / (n * xx - x * x);
}

void add_convergence(Summary& summary, std::vector<Figure> const& returns) {
  auto const tail = last(returns, 5);
  auto const there = [](Figure const& x) { return x.has_value(); };
  auto const count = std::count_if(tail.begin(), tail.end(), there);
  if (count == 0) return;
  auto const negative = std::count_if(tail.begin(), tail.end(), [](Figure const& x) { return x && *x < 0; });
  summary.negative_share = double(negative) / double(count);
  if (count < 2) return;
  std::vector<double> all;
  for (auto const& x : returns)
    if (x) all.push_back(*x);
  auto const [low, high] = std::minmax_element(all.begin(), all.end());
  summary.return_slope = *high > *low ? std::abs(slope(tail)) * double(tail.size()) / (*high - *low) : 0.0;
}

double distance(Profile const& a, Profile const& b) {
  double square = 0;
  for (std::size_t d = 0; d < a.size(); ++d) square += (a[d] - b[d]) * (a[d] - b[d]);
  return std::sqrt(square);
}

void add_smoothness(Summary& summary, std::vector<Profile> const& profiles) {
  if (profiles.size() < 2) return;
  std::vector<double> moves;
  for (std::size_t m = 1; m < profiles.size(); ++m) moves.push_back(distance(profiles[m], profiles[m - 1]));
  summary.s1 = mean(moves);
  summary.s_max = *std::max_element(moves.begin(), moves.end());
}

}  // namespace

void check_rows(std::vector<std::string> const& rows, Spec const& spec) {
  Reader reader(spec);
  for (std::size_t i = 0; i < rows.size(); ++i) reader.read(rows[i], i);
}

Summary summarize(std::vector<std::string> const& rows, Spec const& spec, std::int64_t stages) {
  Reader reader(spec);
  for (std::size_t i = 0; i < rows.size(); ++i) reader.read(rows[i], i);
  if (std::int64_t(rows.size()) != stages && !(reader.series().concluded && std::int64_t(rows.size()) < stages))
    throw InputError(fmt::format("{} whole rows, but the run has {} stages", rows.size(), stages));
  auto const& series = reader.series();
  Summary summary;
  add_fit(summary, series.r_cal);
  summary.r_cal_calibrated = series.calibrated;
  summary.r_cal_settled = series.settled;
  add_convergence(summary, series.returns);
  add_smoothness(summary, series.profiles);
  summary.seconds = series.seconds;
  if (series.seconds > 0) summary.agent_steps_per_second = series.agent_steps / series.seconds;
  return summary;
}

std::string summary_text(Summary const& summary, SummaryOrigin const& of, nlohmann::ordered_json const& fits) {
  nlohmann::ordered_json object{{"version", SHOAL_VERSION},
                                {"commit", commit()},
                                {"seed", of.seed},
                                {"stages", of.stages},
                                {"digest", of.digest}};
  for (auto const& figure : summary_figures) {
    auto const& value = summary.*figure.value;
    object[figure.key] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  }
  object["fits"] = fits;
  return object.dump(2) + "\n";
}

}  // namespace shoal
