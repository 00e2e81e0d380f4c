#include "program/config/study_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "program/config/toml_settings.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

namespace {

constexpr char const* layout = "[study], [[experiment]] and [[method]]";

/// The tables of the file as settings.
struct Tables {
  Config source;
  Settings study = {};
  std::vector<Settings> experiments = {}, methods = {};
};

std::string entry(char const* kind, std::size_t i) { return fmt::format("{}[{}]", kind, i + 1); }

Settings read_table(Config& source, std::string const& section, toml::table const& table) {
  Settings settings;
  source.origins[section] = location(source.file, table.source());
  for (auto const& [key, node] : table)
    settings.emplace(std::string(key.str()), read_setting(source, fmt::format("{}.{}", section, key.str()), key, node));
  return settings;
}

std::vector<Settings> read_entries(Config& source, char const* kind, std::string const& at, toml::node const& node) {
  auto const* const array = node.as_array();
  if (!array || !array->is_homogeneous(toml::node_type::table))
    throw InputError(fmt::format("{}{}: expected [[{}]] entries", at, kind, kind));
  std::vector<Settings> entries;
  for (auto const& item : *array) entries.push_back(read_table(source, entry(kind, entries.size()), *item.as_table()));
  return entries;
}

Tables read_tables(toml::table const& root, std::string const& file) {
  Tables tables{.source = {.file = file, .sections = {}, .targets = {}}};
  auto& source = tables.source;
  for (auto const& [key, node] : root) {
    auto const at = location(file, key.source());
    if (key == "experiment") {
      tables.experiments = read_entries(source, "experiment", at, node);
    } else if (key == "method") {
      tables.methods = read_entries(source, "method", at, node);
    } else if (key == "study") {
      if (!node.is_table()) throw InputError(fmt::format("{}study: expected a section, [study]", at));
      tables.study = read_table(source, "study", *node.as_table());
    } else {
      throw InputError(fmt::format("{}{}: unknown; expected {}", at, printable(key.str(), 80), layout));
    }
  }
  return tables;
}

[[noreturn]] void fail(Config const& source, std::string const& section, char const* key, std::string const& problem) {
  throw located(source, section, SettingError(key, problem));
}

template <class Options>
std::vector<Options> read_all(Config const& source, char const* kind, std::vector<Settings> const& entries) {
  std::vector<Options> all(entries.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    with_location(source, entry(kind, i), [&] { read_settings(all[i], entries[i]); });
  if (all.empty()) throw InputError(fmt::format("{}: no [[{}]]; expected at least one", source.file, kind));
  return all;
}

bool is_folder_name(std::string const& name) {
  auto const fits = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), fits);
}

template <class Options>
void check_names(Config const& source, char const* kind, std::vector<Options> const& all) {
  std::map<std::string, std::size_t> entry_of;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const& name = all[i].name;
    auto const section = entry(kind, i);
    if (name.empty()) throw InputError(fmt::format("{}{}.name is missing", source.origins.at(section), section));
    if (!is_folder_name(name))
      fail(source, section, "name",
           fmt::format(" = \"{}\": expected letters, digits, '-', '_' and '.'", printable(name, 80)));
    auto const [first, is_new] = entry_of.emplace(name, i);
    if (is_new) continue;
    auto const other = entry(kind, first->second);
    fail(source, section, "name",
         fmt::format(" = \"{}\": given twice; it is the name at {}{} too", printable(name, 80),
                     source.origins.at(other + ".name"), other));
  }
}

/// Paths become relative to the working directory.
void find_configurations(Config const& source, std::vector<ExperimentOptions>& experiments) {
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    auto& config = experiments[i].config;
    auto const section = entry("experiment", i);
    if (config.empty()) throw InputError(fmt::format("{}{}.config is missing", source.origins.at(section), section));
    if (config.find('\0') != std::string::npos)
      fail(source, section, "config", fmt::format(" = \"{}\": expected a path without NUL", printable(config, 200)));
    auto const path = std::filesystem::path(source.file).parent_path() / config;
    if (!std::filesystem::is_regular_file(path))
      fail(
          source, section, "config",
          fmt::format(" = \"{}\": no such file; expected a path relative to the study's file", printable(config, 200)));
    config = path.string();
  }
}

void check_study(Study& study) {
  auto const& source = study.source;
  auto& options = study.options;
  auto const* const seeds = options.seeds.items;
  auto const count = std::size_t(options.seeds.count);
  if (count == 0) throw InputError(fmt::format("{}: study.seeds is missing; expected at least one seed", source.file));
  for (std::size_t i = 0; i < count; ++i)
    if (auto const first = std::size_t(std::find(seeds, seeds + i, seeds[i]) - seeds); first < i)
      fail(source, "study", "seeds",
           fmt::format(": seed {} is given twice, as values {} and {}", seeds[i], first + 1, i + 1));
  if (options.reference.empty()) options.reference = study.methods.front().name;
  auto const is_reference = [&](auto const& method) { return method.name == options.reference; };
  if (std::none_of(study.methods.begin(), study.methods.end(), is_reference))
    fail(source, "study", "reference",
         fmt::format(" = \"{}\": expected the name of a method", printable(options.reference, 80)));
}

/// A study sets seeds and threads itself.
template <class Options>
void check_overrides(Config const& source, char const* kind, std::vector<Options> const& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (auto const problem = given_twice(all[i].set); !problem.empty())
      fail(source, entry(kind, i), "set", ": " + problem);
    for (auto const& text : all[i].set) {
      if (text.find('\0') != std::string::npos)
        fail(source, entry(kind, i), "set", fmt::format(": {}: expected text without NUL", printable(text, 100)));
      for (auto const& [key, instead] : {std::pair{"train.seed", "study.seeds"}, {"train.threads", "study.threads"}})
        if (assigned_key(text) == key)
          fail(source, entry(kind, i), "set",
               fmt::format(": {}: expected {} in its place", printable(text, 100), instead));
    }
  }
}

/// Each key once: a method's value takes the place of the experiment's.
std::vector<std::string> merged(std::vector<std::string> overrides, std::vector<std::string> const& of_method) {
  std::erase_if(overrides, [&](auto const& text) {
    return std::any_of(of_method.begin(), of_method.end(),
                       [&](auto const& other) { return assigned_key(other) == assigned_key(text); });
  });
  overrides.insert(overrides.end(), of_method.begin(), of_method.end());
  return overrides;
}

/// Where the override stands that an error "--set KEY..." is about, the method's first because it is applied last;
/// empty for another error.
std::string origin_of_override(Study const& study, std::size_t experiment, std::size_t method,
                               std::string const& error) {
  std::string const prefix = "--set ";
  if (!error.starts_with(prefix)) return {};
  auto const about = [&](std::string const& text) {
    return error.substr(prefix.size())
        .starts_with(printable(assigned_key(text)).substr(0, 90));  // as the error shows it
  };
  auto const has = [&](std::vector<std::string> const& set) { return std::any_of(set.begin(), set.end(), about); };
  bool const of_method = has(study.methods[method].set);
  if (!of_method && !has(study.experiments[experiment].set)) return {};
  auto const section = of_method ? entry("method", method) : entry("experiment", experiment);
  return study.source.origins.at(section + ".set") + section + ".set: ";
}

StudyCell resolve_cell(Study const& study, std::size_t experiment, std::size_t method) {
  auto const& e = study.experiments[experiment];
  auto const& m = study.methods[method];
  StudyCell cell{.experiment = e.name, .method = m.name, .config = e.config, .overrides = merged(e.set, m.set)};
  try {
    auto const file = read_config(cell.config, cell.overrides);
    auto const run = resolve(file);
    auto const& trainer = run.trainer;
    cell.spec = with_location(file, "env", [&] {
      return make_simulator(trainer.environment, trainer.env, {.instances = 1, .threads = 1})->spec();
    });
    cell.run = run;
  } catch (InputError const& error) {
    if (auto const at = origin_of_override(study, experiment, method, error.what()); !at.empty())
      throw InputError(at + error.what());
    cell.problem = error.what();
  }
  return cell;
}

}  // namespace

Study parse_study(std::string const& text, std::string const& name) {
  auto tables = read_tables(parse_toml(text, name), name);
  auto const& source = tables.source;
  Study study;
  with_location(source, "study", [&] { read_settings(study.options, tables.study); });
  study.experiments = read_all<ExperimentOptions>(source, "experiment", tables.experiments);
  study.methods = read_all<MethodOptions>(source, "method", tables.methods);
  check_names(source, "experiment", study.experiments);
  check_names(source, "method", study.methods);
  check_overrides(source, "experiment", study.experiments);
  check_overrides(source, "method", study.methods);
  find_configurations(source, study.experiments);
  study.source = std::move(tables.source);
  check_study(study);
  return study;
}

std::vector<StudyCell> resolve_cells(Study const& study) {
  std::vector<StudyCell> cells;
  for (std::size_t e = 0; e < study.experiments.size(); ++e)
    for (std::size_t m = 0; m < study.methods.size(); ++m) cells.push_back(resolve_cell(study, e, m));
  return cells;
}

}  // namespace shoal
