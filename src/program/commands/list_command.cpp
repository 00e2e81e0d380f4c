#include "program/commands/list_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "program/config/kind_keys.hpp"
#include "program/config/market_data.hpp"
#include "program/config/study_config.hpp"
#include "program/reports/text_table.hpp"
#include "shoal/core/error.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/plugin.hpp"
#include "shoal/env/simulator.hpp"
#include "shoal/train/options.hpp"

namespace shoal {

namespace {

struct Section {
  char const* name;
  char const* summary;
  std::vector<Field> (*fields)();
};

template <class Options>
std::vector<Field> fields_of() {
  return list_fields<Options>();
}

Section const sections[] = {
    {"data", "[data]: a CSV file of transactions that gives the market its quantities and the targets",
     fields_of<DataOptions>},
    {"policy", "[policy]: the agents' networks and how they learn; [policy.NAME]: of a supertype, or of agent_K",
     policy_fields},
    {"calibrator", "[calibrator]: who moves the supertypes to the targets; nobody without this section",
     calibrator_fields},
    {"target", "[[calibrator.target]], once or more: metrics of the environment and the values that they should take",
     fields_of<TargetOptions>},
    {"validation", "[validation]: how a calibrator's answer is chosen and measured, on episodes of its own",
     fields_of<ValidationOptions>},
    {"settling", "[settling]: the end of a calibrated run, when the profile rests and the policies learn on",
     fields_of<SettlingOptions>},
    {"train", "[train]: how long, how many instances, seed, device", fields_of<TrainOptions>},
    {"study", "[study] of a `shoal study` file: seeds, reference method", fields_of<StudyOptions>},
    {"experiment", "[[experiment]] of a study, once or more: a configuration", fields_of<ExperimentOptions>},
    {"method", "[[method]] of a study, once or more: what is compared", fields_of<MethodOptions>},
};

// ---- Settings ------------------------------------------------------------------------------------------------------

std::string type_text(Field const& field) {
  if (field.allowed.empty() || field.type == "boolean") return field.type;
  if (field.type == "string") return field.allowed;  // one of ...
  auto text = field.allowed;
  if (auto const values = text.find("values"); values != std::string::npos)
    text.replace(values, 6, field.type);  // "up to 4 integers in ..."
  else
    text = field.type + " " + text;
  if (auto const range = text.find('['); range != std::string::npos)
    std::replace(text.begin() + std::ptrdiff_t(range), text.end(), ' ', unbreakable);
  return text;
}

std::string settings_text(std::vector<Field> const& fields) {
  std::vector<std::array<std::string, 4>> rows{{"key", "type", "default", "meaning"}};
  for (auto const& field : fields) rows.push_back({field.name, type_text(field), field.value, field.help});
  return four_columns(rows, {30, 22, 16});
}

// ---- An environment ------------------------------------------------------------------------------------------------

std::string without_number(std::string const& name) { return name.substr(0, name.find_last_not_of("0123456789") + 1); }

/// "link_1 to link_10" for numbered names that follow each other, three or more.
std::vector<std::string> abbreviated(std::vector<std::string> const& names) {
  std::vector<std::string> result;
  for (std::size_t first = 0, last; first < names.size(); first = last) {
    auto const stem = without_number(names[first]);
    for (last = first + 1; last < names.size() && stem != names[first] && without_number(names[last]) == stem;) ++last;
    if (last - first < 3) last = first + 1;
    result.push_back(last - first == 1 ? names[first] : fmt::format("{} to {}", names[first], names[last - 1]));
  }
  return result;
}

std::string joined(std::vector<std::string> const& names) {
  return fmt::format("{}", fmt::join(abbreviated(names), ", "));
}

std::string action_text(Group const& group) {
  std::vector<std::string> heads;
  for (auto const& head : group.continuous)
    heads.push_back(fmt::format("{} in [{}, {}]", head.name, head.low, head.high));
  for (auto const& head : group.discrete) heads.push_back(fmt::format("{}, one of {}", head.name, head.choices));
  return fmt::format("{}{}", fmt::join(heads, "; "), group.masked ? "; illegal ones are masked" : "");
}

/// Coordinates that share bounds and initial value on one line.
std::string coordinates_text(std::vector<Coordinate> const& coordinates) {
  std::vector<std::string> parts;
  for (std::size_t first = 0, last; first < coordinates.size(); first = last) {
    auto const& c = coordinates[first];
    std::vector<std::string> names;
    for (last = first; last < coordinates.size(); ++last) {
      auto const& other = coordinates[last];
      if (other.low != c.low || other.high != c.high || other.initial != c.initial) break;
      names.push_back(other.name);
    }
    parts.push_back(fmt::format("{} in [{}, {}] from {}", joined(names), c.low, c.high, c.initial));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

std::vector<Labelled> facts(Spec const& spec) {
  auto const agents = [&](int s) {
    auto const n = std::count(spec.supertype_of.begin(), spec.supertype_of.end(), s);
    return fmt::format("{} {}", n, n == 1 ? "agent" : "agents");
  };
  std::vector<Labelled> rows;
  for (auto const& group : spec.groups) {
    auto const of = spec.groups.size() > 1 ? " of " + group.name : "";
    rows.push_back({spec.groups.size() > 1 ? group.name : "agents", fmt::format("{}", group.agents)});
    rows.push_back({"observation" + of, fmt::format("{} reals of each agent's own, and its type", group.observation)});
    rows.push_back({"type" + of, fmt::format("{} reals, drawn for each agent at reset", group.type)});
    rows.push_back({"action" + of, action_text(group)});
  }
  if (spec.state > 0)
    rows.push_back({"state", fmt::format("{} reals, for critics: policy.central_critic", spec.state)});
  rows.push_back({"episode", fmt::format("at most {} steps{}", spec.max_episode_steps,
                                         spec.may_truncate ? ", then truncated" : "")});
  for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
    rows.push_back({spec.supertypes[s].name,
                    fmt::format("{}: {}", agents(int(s)), coordinates_text(spec.supertypes[s].coordinates))});
  return rows;
}

/// Metrics "OWNER.NAME" with those owners together that have the same names.
std::vector<Labelled> metric_rows(std::vector<std::string> const& metrics) {
  struct Owners {
    std::vector<std::string> owners, names;
  };
  std::vector<Owners> by_owner, merged;
  for (auto const& metric : metrics) {
    auto const dot = metric.find('.');
    auto const owner = dot == std::string::npos ? "" : metric.substr(0, dot);
    auto it = std::find_if(by_owner.begin(), by_owner.end(), [&](Owners const& g) { return g.owners[0] == owner; });
    if (it == by_owner.end()) it = by_owner.insert(it, {{owner}, {}});
    it->names.push_back(dot == std::string::npos ? metric : metric.substr(dot + 1));
  }
  for (auto const& group : by_owner) {
    auto const it = std::find_if(merged.begin(), merged.end(), [&](Owners const& g) { return g.names == group.names; });
    if (it == merged.end())
      merged.push_back(group);
    else
      it->owners.push_back(group.owners[0]);
  }
  std::vector<Labelled> rows;
  for (auto const& group : merged)
    rows.push_back({group.owners[0].empty() ? "(no owner)" : joined(group.owners), joined(group.names)});
  return rows;
}

void list_environment(EnvironmentInfo const& info) {
  fmt::print("{}: {}\n\n", info.name, info.summary);
  fmt::print("Keys of [env] beside name = \"{}\":\n{}\n", info.name, settings_text(info.fields));
  auto rows = facts(info.spec);
  if (auto const plugin = plugin_of(info.name); !plugin.empty()) rows.push_back({"plugin", printable(plugin)});
  if (info.has_heuristic) rows.push_back({"heuristic", "agents act by it with policy.algorithm = \"heuristic\""});
  fmt::print("With these defaults:\n{}\n", label_table(rows));
  auto const metrics = make_simulator(info.name, {}, {})->metric_names();
  fmt::print("Metrics of an episode, written OWNER.NAME, for calibrator.target:\n{}",
             label_table(metric_rows(metrics)));
}

void overview(std::vector<EnvironmentInfo> const& all) {
  std::vector<Labelled> names,
      parts{{"env", "[env]: name = one of these environments, plugin = its file if it has one, and its settings"}};
  for (auto const& info : all) names.push_back({info.name, info.summary});
  for (auto const& section : sections) parts.push_back({section.name, section.summary});
  fmt::print("Environments, `shoal list NAME` tells their settings and metrics:\n{}\n", label_table(names));
  fmt::print("Sections of a configuration, `shoal list SECTION` tells their keys:\n{}\n", label_table(parts));
  fmt::print("Algorithms of [policy], `shoal list ALGORITHM` tells their keys:\n  {}\n",
             fmt::join(algorithm_names(), ", "));
}

}  // namespace

int list_command(std::string const& name) {
  auto const all = environments();
  if (name.empty() || name == "env") return overview(all), 0;
  std::vector<std::string> known;
  for (auto const& info : all) {
    if (info.name == name) return list_environment(info), 0;
    known.push_back(info.name);
  }
  for (auto const& section : sections) {
    if (section.name == name) return fmt::print("{}\n\n{}", section.summary, settings_text(section.fields())), 0;
    known.push_back(section.name);
  }
  for (auto const& algorithm : algorithm_names()) {
    if (algorithm == name)
      return fmt::print("Keys of [policy] with algorithm = \"{}\":\n{}", name, settings_text(algorithm_fields(name))),
             0;
    known.push_back(algorithm);
  }
  throw InputError(fmt::format("list {}: expected one of {}", name, fmt::join(known, ", ")));
}

}  // namespace shoal
