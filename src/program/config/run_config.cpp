#include "program/config/run_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "program/config/frozen_policies.hpp"
#include "program/config/kind_keys.hpp"
#include "program/config/market_data.hpp"
#include "program/config/profile_file.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/plugin.hpp"

namespace shoal {

namespace {

Settings section(Config const& config, std::string const& name) {
  auto const it = config.sections.find(name);
  return it == config.sections.end() ? Settings{} : it->second;
}

template <class Options>
Options read_section(Config const& config, char const* name) {
  Options options;
  with_location(config, name, [&] { read_settings(options, section(config, name)); });
  return options;
}

std::string dropped_text(MarketData const& data) {
  return fmt::format("{} rows, {:.3g} %, left out: a quantity or merchant is missing", data.dropped,
                     100 * double(data.dropped) / double(data.dropped + data.transactions));
}

std::vector<std::string> notes_about(DataOptions const& options, MarketData const& data,
                                     std::vector<int> const& supertype_of) {
  auto const who = data.merchants.empty()
                       ? printable(options.member, 100)
                       : fmt::format("the {} largest of {} members", data.merchants.size(), data.members);
  std::vector<std::string> notes{
      fmt::format("quantities and targets: {} of {} in {}, {} transactions", printable(options.quantity, 100), who,
                  printable(std::filesystem::path(options.file).filename().string(), 100), data.transactions)};
  if (data.dropped > 0) notes.push_back(dropped_text(data));
  for (std::size_t m = 0; m < data.merchants.size(); ++m)
    notes.push_back(
        fmt::format("merchant_{}, supertype_{}: {}", m + 1, supertype_of[m] + 1, to_text(data.merchants[m])));
  return notes;
}

bool is_known(std::string const& environment) {
  auto const all = environments();
  return std::any_of(all.begin(), all.end(), [&](auto const& info) { return info.name == environment; });
}

/// env.plugin, unless the environment is known: who gives --plugin says where the plugin is now.
void take_plugin(Config const& config, RunConfig& run) {
  auto const& name = run.trainer.environment;
  auto const given = run.trainer.env.extract("plugin");
  if (!given.empty()) {
    auto const path = detail::as_string("plugin", given.mapped());
    auto const fail = [&](std::string const& problem) {
      throw SettingError("plugin", fmt::format(" = \"{}\": {}", printable(path, 200), problem));
    };
    if (!is_known(name)) try {
        load_plugin(std::filesystem::path(config.file).parent_path() / path);
      } catch (InputError const& error) {
        fail(fmt::format("{}; --plugin FILE takes another file", error.what()));
      }
    if (is_known(name) && plugin_of(name).empty())
      fail(fmt::format("\"{}\" is one of shoal's own environments; expected no plugin", name));
  }
  run.plugin = plugin_of(name);
}

// [data] gives the market's quantities and the targets; it may not contradict what the file gives itself.
void derive_from_data(Config const& config, RunConfig& run) {
  auto const options = read_section<DataOptions>(config, "data");
  if (run.trainer.environment != "market")
    throw InputError(fmt::format("{}: [data] describes transactions and needs env.name = \"market\", not \"{}\"",
                                 config.file, run.trainer.environment));
  if (run.trainer.env.count("quantities") || run.trainer.env.count("quantity_unit") || !config.targets.empty())
    throw InputError(fmt::format(
        "{}: env.quantities, env.quantity_unit and calibrator.target come from [data]; remove them or [data]",
        config.file));
  auto const folder = std::filesystem::path(config.file).parent_path().string();
  auto const supertype_of =
      with_location(config, "env", [&] { return make_simulator("market", run.trainer.env, {})->spec().supertype_of; });
  auto const data = with_location(config, "data", [&] { return read_market_data(options, supertype_of, folder); });
  run.trainer.env.merge(env_settings(data));
  run.trainer.targets = targets(data);
  run.notes = notes_about(options, data, supertype_of);
  if (data.dropped > 0) run.warnings.push_back(fmt::format("{}: {}", printable(options.file), dropped_text(data)));
}

// The run's own config.toml then holds the values.
void take_profile_file(Config const& config, RunConfig& run) {
  auto& calibrator = *run.trainer.calibrator;
  if (calibrator.profile_file.empty()) return;
  if (!calibrator.profile.empty())
    throw InputError(fmt::format("{}: calibrator.profile and calibrator.profile_file; remove one", config.file));
  auto const folder = std::filesystem::path(config.file).parent_path();
  auto const spec = make_simulator(run.trainer.environment, run.trainer.env, {})->spec();
  calibrator.profile = read_profile(folder / calibrator.profile_file, run.trainer.environment, spec);
  calibrator.profile_file = "";
}

/// The run's own folder then holds the policies. @param name  of the section
void take_frozen_run(Config const& config, std::string const& name, PolicyOptions& policy, RunConfig& run) {
  if (policy.algorithm != Algorithm::frozen) return;
  if (policy.run.empty()) throw SettingError("run", " is missing; expected the folder of a run");
  auto const fail = [&](std::string const& problem) {
    throw SettingError("run", fmt::format(" = \"{}\": {}", printable(policy.run, 200), problem));
  };
  auto frozen = std::make_shared<FrozenRun>();
  try {
    *frozen = read_frozen_run(std::filesystem::path(config.file).parent_path() / policy.run);
  } catch (InputError const& error) {
    fail(error.what());
  }
  if (frozen->environment != run.trainer.environment)
    fail(fmt::format("a run in {}; expected one in {}", frozen->environment, run.trainer.environment));
  frozen->name = policy.run;
  run.notes.push_back(fmt::format("{}: frozen policies of {}", name, printable(policy.run, 200)));
  policy.frozen_run = std::move(frozen);
  policy.run = frozen_file(name);
}

/// [policy] and [policy.NAME], which need to know the environment.
void read_policies(Config const& config, RunConfig& run) {
  auto& trainer = run.trainer;
  for (auto const& name : policy_names(config))
    with_location(config, "policy." + name, [&] {
      trainer.sections.push_back(
          {name, read_policy_section(name, section(config, "policy." + name), section(config, "policy"))});
    });
  with_location(config, "policy", [&] { take_frozen_run(config, "policy", trainer.policy, run); });
  for (auto& [name, options] : trainer.sections)
    with_location(config, "policy." + name, [&] { take_frozen_run(config, "policy." + name, options, run); });
  if (trainer.sections.empty()) return;
  auto const spec =
      with_location(config, "env", [&] { return make_simulator(trainer.environment, trainer.env, {})->spec(); });
  with_section_location(config, [&] { policies_of(trainer, spec); });
}

/// A metric that is a target twice would count twice and be shown once.
void check_targets(Config const& config, std::vector<TargetOptions> const& targets) {
  std::map<std::string, std::size_t> entry_of;
  for (std::size_t i = 0; i < targets.size(); ++i)
    for (auto const& name : targets[i].metrics) {
      auto const [first, is_new] = entry_of.emplace(name, i);
      if (is_new) continue;
      auto const place = [&](std::size_t entry) {
        auto const it = config.origins.find(target_section(entry) + ".metrics");
        return it == config.origins.end() ? std::string() : it->second;
      };
      throw InputError(fmt::format("{}{}.metrics: \"{}\" is a target twice; it is one at {}{} too", place(i),
                                   target_section(i), printable(name, 80), place(first->second),
                                   target_section(first->second)));
    }
}

Settings without_resumable(std::string const& name, Settings settings) {
  std::erase_if(settings, [&](auto const& entry) { return is_resumable_key(name + "." + entry.first); });
  return settings;
}

Config to_config(RunConfig const& run) {
  auto const& t = run.trainer;
  Config config;
  config.sections["env"] = t.env;
  config.sections["env"]["name"] = t.environment;
  if (!run.plugin.empty()) config.sections["env"]["plugin"] = run.plugin;
  config.sections["policy"] = to_settings(t.policy);
  for (auto const& [name, options] : t.sections) config.sections["policy." + name] = policy_section_settings(options);
  config.sections["train"] = to_settings(t.train);
  if (t.calibrator) config.sections["calibrator"] = to_settings(*t.calibrator);
  if (t.calibrator) config.sections["validation"] = to_settings(t.validation.value_or(ValidationOptions{}));
  if (t.calibrator) config.sections["settling"] = to_settings(t.settling);
  for (auto const& target : t.targets) config.targets.push_back(to_settings(target));
  return config;
}

}  // namespace

bool is_resumable_key(std::string const& key) {
  return key == "train.stages" || key == "train.checkpoint_every" || key == "train.threads" || key == "train.device";
}

RunConfig resolve(Config const& config) {
  RunConfig run;
  run.trainer.env = section(config, "env");
  auto const name = run.trainer.env.extract("name");
  if (name.empty())
    throw InputError(fmt::format("{}: env.name is missing; `shoal list` names the environments", config.file));
  with_location(config, "env", [&] {
    run.trainer.environment = detail::as_string("name", name.mapped());
    take_plugin(config, run);
  });
  with_location(config, "policy", [&] { run.trainer.policy = read_policy(section(config, "policy")); });
  run.trainer.train = read_section<TrainOptions>(config, "train");
  for (std::size_t i = 0; i < config.targets.size(); ++i) {
    auto& target = run.trainer.targets.emplace_back();
    with_location(config, target_section(i), [&] { read_settings(target, config.targets[i]); });
  }
  check_targets(config, run.trainer.targets);
  if (config.sections.count("data")) derive_from_data(config, run);
  with_location(config, "env", [&] { run.trainer.env = resolve_params(run.trainer.environment, run.trainer.env); });
  read_policies(config, run);
  if (config.sections.count("calibrator")) {
    with_location(config, "calibrator",
                  [&] { run.trainer.calibrator = read_calibrator(section(config, "calibrator")); });
    if (run.trainer.targets.empty())
      throw InputError(
          fmt::format("{}: [calibrator] needs targets: [[calibrator.target]] entries, or [data]", config.file));
    take_profile_file(config, run);
    run.trainer.validation = read_section<ValidationOptions>(config, "validation");
    run.trainer.settling = read_section<SettlingOptions>(config, "settling");
  } else {
    for (char const* const part : {"validation", "settling"})
      if (config.sections.count(part))
        throw InputError(fmt::format("{}: [{}] needs a [calibrator]; remove it or add one", config.file, part));
  }
  return run;
}

std::string to_toml(RunConfig const& run) {
  std::vector<std::string> header{
      fmt::format("Resolved configuration of a run of shoal {}: every key, defaults included.", SHOAL_VERSION)};
  header.insert(header.end(), run.notes.begin(), run.notes.end());
  return to_toml(to_config(run), header);
}

std::string identity(RunConfig const& run) {
  auto config = to_config(run);
  config.sections["env"].erase("plugin");
  for (auto& [name, settings] : config.sections) settings = without_resumable(name, settings);
  return to_toml(config, {});
}

}  // namespace shoal
