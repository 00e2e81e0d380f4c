#include "program/config/market_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <utility>

#include "program/config/csv_reader.hpp"
#include "shoal/core/text.hpp"
#include "shoal/envs/market_rules.hpp"

namespace shoal {

namespace {

std::set<std::string> letter_pairs(std::string const& text) {
  std::set<std::string> pairs;
  for (std::size_t i = 0; i + 1 < text.size(); ++i)
    pairs.insert({char(std::tolower(static_cast<unsigned char>(text[i]))),
                  char(std::tolower(static_cast<unsigned char>(text[i + 1])))});
  return pairs;
}

// The names that share most pairs of letters with `name` (Dice's coefficient): part of a long name is near it.
std::vector<std::string> nearest(std::string const& name, Members const& members) {
  auto const wanted = letter_pairs(name);
  std::vector<std::pair<double, std::string>> scored;
  for (auto const& [member, counts] : members) {
    auto const pairs = letter_pairs(member);
    auto const common =
        std::count_if(pairs.begin(), pairs.end(), [&](auto const& pair) { return wanted.count(pair) > 0; });
    scored.emplace_back(-2 * double(common) / double(wanted.size() + pairs.size() + 1), member);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, scored.size()); ++i)
    names.push_back(printable(to_text(scored[i].second), 60));
  return names;
}

void check_member(Members const& members, DataOptions const& options, std::string const& path) {
  if (!members.count(options.member))
    throw wrong_data("member", options.member,
                     fmt::format("not in column {} of {}; nearest: {}", options.group, path,
                                 fmt::join(nearest(options.member, members), ", ")));
  if (members.size() == 1)
    throw wrong_data(
        "group", options.group,
        fmt::format("{} has no other member than {}; expected at least two", path, to_text(options.member)));
}

void check_grouping(DataOptions const& options, std::vector<int> const& supertype_of) {
  for (std::size_t m = 0; m < supertype_of.size(); ++m)
    if (supertype_of[m] != MarketRules::published_group_of(int(m)))
      throw wrong_data(
          "member", options.member,
          "makes one merchant supertype 1 and all others supertype 2, unlike env.supertype_of; remove one of "
          "the two keys");
}

void check_merchants(Members const& members, std::size_t merchants, DataOptions const& options,
                     std::string const& path) {
  if (members.size() < merchants)
    throw wrong_data("group", options.group,
                     fmt::format("{} has {} members, expected at least {}, one for each of env.merchants", path,
                                 members.size(), merchants));
}

/// The unit of quantity that makes the market independent of the data's: the published clusters trade 1 to 10, a median
/// of 5.5, and in experiments/iowa the median is 6 bottles, so that a bottle is the unit there.
constexpr double units_of_median = 6;

std::int64_t transactions(Counts const& counts) {
  std::int64_t total = 0;
  for (auto const& [quantity, count] : counts) total += count;
  return total;
}

double total_quantity(Counts const& counts) {
  double total = 0;
  for (auto const& [quantity, count] : counts) total += quantity * double(count);
  return total;
}

/// By nearest rank.
template <std::size_t N>
std::array<double, N> percentiles(Counts const& counts, std::array<int, N> const& percents) {
  auto const total = transactions(counts);
  std::array<double, N> result = {};
  for (std::size_t k = 0; k < N; ++k) {
    std::int64_t below = 0;
    for (auto const& [quantity, count] : counts) {
      below += count;
      result[k] = quantity;
      if (below * 100 >= percents[k] * total) break;
    }
  }
  return result;
}

void add(Counts& to, Counts const& counts) {
  for (auto const& [quantity, count] : counts) to[quantity] += count;
}

SupertypeData supertype_data(Counts const& counts) {
  constexpr std::array deciles{10, 20, 30, 40, 50, 60, 70, 80, 90};
  return {.share = {}, .percentiles = percentiles(counts, deciles)};
}

/// The member, whose share is a target, and the others.
std::vector<SupertypeData> member_and_others(Members const& members, std::string const& member, double total) {
  Counts others;
  for (auto const& [name, counts] : members)
    if (name != member) add(others, counts);
  std::vector<SupertypeData> result{supertype_data(members.at(member)), supertype_data(others)};
  result[0].share = total_quantity(members.at(member)) / total;
  return result;
}

/// By total quantity, in descending order, equals by name.
std::vector<std::string> largest(Members const& members, std::size_t count) {
  std::vector<std::pair<double, std::string>> sorted;
  for (auto const& [name, counts] : members) sorted.emplace_back(-total_quantity(counts), name);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(sorted[i].second);
  return names;
}

std::vector<SupertypeData> grouped(Members const& members, std::vector<std::string> const& merchants,
                                   std::vector<int> const& supertype_of, double total) {
  std::vector<SupertypeData> result;
  int const groups = *std::max_element(supertype_of.begin(), supertype_of.end()) + 1;
  for (int g = 0; g < groups; ++g) {
    Counts pooled;
    for (std::size_t m = 0; m < merchants.size(); ++m)
      if (supertype_of[m] == g) add(pooled, members.at(merchants[m]));
    auto& data = result.emplace_back(supertype_data(pooled));
    data.share = total_quantity(pooled) / total / double(std::count(supertype_of.begin(), supertype_of.end(), g));
  }
  return result;
}

/// "the smallest is 1 (x.csv:2), the largest 5 (x.csv:7)"
std::string extremes(Transactions const& all, std::string const& path) {
  return fmt::format("the smallest is {:.6g} ({}:{}), the largest {:.6g} ({}:{})", all.smallest.quantity, path,
                     all.smallest.line, all.largest.quantity, path, all.largest.line);
}

/// The unit becomes env.quantity_unit and the scale of targets, which a run's config.toml must be able to hold.
void check_unit(MarketData const& data, DataOptions const& options, Transactions const& all, std::string const& path) {
  constexpr double least = 1e-12;
  if (data.unit >= least) return;
  if (options.unit > 0) throw SettingError("unit", fmt::format(" = {}: expected 0, or {} to 1e+30", data.unit, least));
  throw wrong_data("quantity", options.quantity,
                   fmt::format("the median in {} is {:.6g}, expected at least {:.6g}, of quantities from {} to {}; {}",
                               path, units_of_median * data.unit, units_of_median * least, least_quantity,
                               most_quantity, extremes(all, path)));
}

/// A market's clusters may differ this much, MarketRules::prepare().
void check_quantities(MarketData const& data, DataOptions const& options, Transactions const& all,
                      std::string const& path) {
  double const low = data.quantities.front(), high = data.quantities.back();
  auto const fits = [&](double q) { return MarketRules::is_size(float(q) / float(data.unit)); };
  if (!fits(low) || !fits(high))
    throw wrong_data("quantity", options.quantity,
                     fmt::format("the 5 % and 95 % percentiles in {} are {:.6g} and {:.6g}, expected {:.6g} to {:.6g}, "
                                 "0.001 to 1000000 times data.unit = {:.6g}; {}",
                                 path, low, high, 1e-3 * data.unit, 1e6 * data.unit, data.unit, extremes(all, path)));
}

std::vector<std::string> percentile_metrics(std::string const& supertype) {
  std::vector<std::string> names;
  for (int k = 10; k <= 90; k += 10) names.push_back(fmt::format("{}.quantity_p{}", supertype, k));
  return names;
}

}  // namespace

MarketData read_market_data(DataOptions const& given, std::vector<int> const& supertype_of,
                            std::string const& base_folder) {
  auto options = given;
  for (auto const& [key, value] :
       {std::pair{"file", &options.file}, {"group", &options.group}, {"quantity", &options.quantity}})
    if (value->empty()) throw SettingError(key, " is missing; `shoal list data` explains it");
  if (without_blanks(options.group) == without_blanks(options.quantity))
    throw wrong_data("group", options.group, "expected another column than quantity");
  bool const has_member = !options.member.empty();
  if (has_member) check_grouping(options, supertype_of);
  options.member = without_blanks(given.member);  // as names in the file are taken
  auto const path = (std::filesystem::path(base_folder) / options.file).string();
  auto const file = read_transactions(path, options);
  auto const& members = file.members;

  constexpr std::array midpoints{5, 15, 25, 35, 45, 55, 65, 75, 85, 95};
  Counts all;
  for (auto const& [member, counts] : members) add(all, counts);
  double const total = total_quantity(all);
  MarketData data;
  data.dropped = file.dropped;
  data.share_scale = options.share_scale;
  data.quantities = percentiles(all, midpoints);
  data.unit = options.unit > 0 ? options.unit : percentiles(all, std::array{50})[0] / units_of_median;
  check_unit(data, options, file, path);
  check_quantities(data, options, file, path);
  data.transactions = transactions(all);
  data.members = std::int64_t(members.size());
  if (has_member) {
    check_member(members, options, path);
    data.supertypes = member_and_others(members, options.member, total);
  } else {
    check_merchants(members, supertype_of.size(), options, path);
    data.merchants = largest(members, supertype_of.size());
    data.supertypes = grouped(members, data.merchants, supertype_of, total);
    for (auto& name : data.merchants) name = printable(name, 200);
  }
  return data;
}

std::vector<TargetOptions> targets(MarketData const& data) {
  std::vector<TargetOptions> result{{.metrics = {}, .values = {}, .weight = 0.5, .scale = data.share_scale}};
  for (std::size_t k = 0; k < data.supertypes.size(); ++k) {
    auto const& supertype = data.supertypes[k];
    auto const name = fmt::format("supertype_{}", k + 1);
    if (supertype.share) {
      result[0].metrics.push_back(name + ".share");
      result[0].values.push_back(*supertype.share);
    }
    result.push_back({.metrics = percentile_metrics(name),
                      .values = {supertype.percentiles.begin(), supertype.percentiles.end()},
                      .weight = 0.5 / double(data.supertypes.size()),
                      .scale = data.unit});
  }
  return result;
}

Settings env_settings(MarketData const& data) {
  return {{"quantities", std::vector<double>(data.quantities.begin(), data.quantities.end())},
          {"quantity_unit", data.unit}};
}

}  // namespace shoal
