#include "program/config/frozen_policies.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "program/config/kind_keys.hpp"
#include "program/config/run_config.hpp"
#include "program/runs/run_directory.hpp"
#include "program/runs/stored_run.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/checkpoint.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

Checkpoint last_checkpoint(RunDirectory const& directory) {
  auto const found = directory.checkpoints();
  for (auto path = found.rbegin(); path != found.rend(); ++path) try {
      return read_checkpoint(*path);
    } catch (BrokenCheckpoint const&) {}
  throw InputError(fmt::format("{}: no checkpoint there; expected a run that has trained", directory.path().string()));
}

/// What a run's configuration names are files in its own folder: a folder could name itself.
void check_files(Config const& config, fs::path const& folder) {
  for (auto const& [section, settings] : config.sections) {
    auto const run = settings.find("run");
    if (!section.starts_with("policy") || run == settings.end()) continue;
    auto const* const name = std::get_if<std::string>(&run->second);
    if (name && !fs::is_regular_file(folder / *name))
      throw InputError(fmt::format("{}: {}.run = \"{}\": expected a file of the run's folder", config.file, section,
                                   printable(*name, 200)));
  }
}

/// The policies that the run has trained, and those that it has taken from others. Scripted ones are none.
FrozenRun read_folder(fs::path const& path) {
  auto const directory = RunDirectory::open(path);
  check_version(directory);
  auto const file = read_config(directory.config(), {});
  check_files(file, path);
  auto const config = resolve(file).trainer;
  auto const one = make_simulator(config.environment, config.env,
                                  {.instances = 1, .threads = 1, .observation = config.policy.observation});
  auto const checkpoint = last_checkpoint(directory);
  FrozenRun run{.name = path.string(), .environment = config.environment, .policies = {}};
  for (auto const& members : policies_of(config, one->spec())) {
    auto const& options = *members.options;
    auto const shape = rollout_shape(*one, 1, members.group);
    if (is_scripted(options.algorithm)) continue;
    FrozenPolicy policy{
        .options = options, .width = shape.width, .critic_only = shape.critic_only, .actions = shape.actions};
    if (options.algorithm == Algorithm::frozen)
      policy = frozen_policy(*options.frozen_run, members.group, members.agents, shape);
    else if (auto const it = checkpoint.tensors.find(members.name + ".parameters"); it != checkpoint.tensors.end())
      policy.parameters = it->second;
    else
      throw InputError(fmt::format("{}: its last checkpoint lacks {}.parameters", path.string(), members.name));
    policy.group = members.group;
    policy.agents = members.agents;
    run.policies.push_back(std::move(policy));
  }
  return run;
}

std::string policy_name(std::size_t p) { return fmt::format("policy.{}", p); }

Checkpoint to_checkpoint(FrozenRun const& run) {
  Checkpoint file;
  file.texts["environment"] = run.environment;
  for (std::size_t p = 0; p < run.policies.size(); ++p) {
    auto const& policy = run.policies[p];
    auto const name = policy_name(p);
    Config options;
    options.sections["env"]["name"] = run.environment;
    options.sections["policy"] = to_settings(policy.options);
    file.texts[name] = to_toml(options, {});
    file.tensors[name + ".parameters"] = policy.parameters;
    file.tensors[name + ".agents"] = at::tensor(policy.agents, at::kLong);
    file.tensors[name + ".group"] = at::tensor({policy.group}, at::kLong);
    auto const& actions = policy.actions;
    std::vector<std::int64_t> spaces{policy.width, actions.continuous};
    spaces.insert(spaces.end(), actions.choices, actions.choices + actions.discrete);
    file.tensors[name + ".spaces"] = at::tensor(spaces, at::kLong);
    file.tensors[name + ".critic_only"] = at::tensor({policy.critic_only}, at::kLong);
  }
  return file;
}

std::vector<int> whole_numbers(at::Tensor const& tensor) {
  auto const* const first = tensor.data_ptr<std::int64_t>();
  return {first, first + tensor.numel()};
}

FrozenPolicy policy_of(Checkpoint const& file, std::string const& name, std::string const& path) {
  FrozenPolicy policy;
  auto const options = parse_config(file.texts.at(name), path, {});
  policy.options = read_policy(options.sections.at("policy"));
  policy.parameters = file.tensors.at(name + ".parameters");
  policy.agents = whole_numbers(file.tensors.at(name + ".agents"));
  policy.group = whole_numbers(file.tensors.at(name + ".group")).at(0);
  auto const spaces = whole_numbers(file.tensors.at(name + ".spaces"));
  policy.width = spaces.at(0);
  if (auto const it = file.tensors.find(name + ".critic_only"); it != file.tensors.end())
    policy.critic_only = whole_numbers(it->second).at(0);
  policy.actions.continuous = spaces.at(1);
  for (std::size_t h = 2; h < spaces.size(); ++h) {
    policy.actions.choices[policy.actions.discrete++] = spaces[h];
    policy.actions.total_choices += spaces[h];
  }
  return policy;
}

FrozenRun read_file(fs::path const& path) try {
  auto const file = read_checkpoint(path.string());
  FrozenRun run{.name = path.string(), .environment = file.texts.at("environment"), .policies = {}};
  for (std::size_t p = 0; file.texts.count(policy_name(p)); ++p)
    run.policies.push_back(policy_of(file, policy_name(p), path.string()));
  return run;
} catch (std::out_of_range const&) {
  throw InputError(fmt::format("{}: no frozen policies; expected the folder of a run", path.string()));
}

}  // namespace

FrozenRun read_frozen_run(fs::path const& path) {
  return fs::is_regular_file(path) ? read_file(path) : read_folder(path);
}

std::string frozen_file(std::string const& section) { return fmt::format("frozen/{}.pt", section); }

void write_frozen_runs(TrainerConfig const& config, fs::path const& folder) {
  auto const write = [&](PolicyOptions const& options) {
    if (options.algorithm != Algorithm::frozen) return;
    std::error_code ignored;  // the file cannot be written then
    fs::create_directory(folder / "frozen", ignored);
    write_checkpoint((folder / options.run).string(), to_checkpoint(*options.frozen_run));
  };
  write(config.policy);
  for (auto const& section : config.sections) write(section.options);
}

}  // namespace shoal
