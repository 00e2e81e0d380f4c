#include "program/stored_run.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <fstream>

#include "program/version.hpp"

namespace shoal {

namespace {

/// Another version may play by other rules. The first line of config.toml tells which wrote it.
void check_version(RunDirectory const& directory) {
  std::ifstream file(directory.config());
  std::string line;
  std::getline(file, line);
  constexpr std::string_view mark = " of a run of shoal ";
  auto const at = line.find(mark);
  if (at == std::string::npos) return;
  auto const begin = at + mark.size();
  auto const version = line.substr(begin, line.find(':', begin) - begin);
  if (version != SHOAL_VERSION)
    throw InputError(
        fmt::format("{}: a run of shoal {}, expected one of {}", directory.config(), version, SHOAL_VERSION));
}

}  // namespace

// A Trainer's SettingErrors carry their section: "train.steps".
Trainer make_trainer(Config const& file, RunConfig const& config) {
  try {
    return Trainer(config.trainer);
  } catch (SettingError const& error) {
    auto const dot = error.key.find('.');
    if (dot == std::string::npos) throw;
    throw located(file, error.key.substr(0, dot), SettingError(error.key.substr(dot + 1), error.message));
  }
}

StoredRun load_run(RunDirectory const& directory, std::vector<std::string> const& overrides) {
  auto const file = read_config(directory.config(), overrides);
  auto config = resolve(file);
  auto trainer = make_trainer(file, config);
  if (auto const checkpoint = directory.latest_checkpoint()) trainer.load(*checkpoint, identity(config));
  return {std::move(config), std::move(trainer)};
}

StoredRun load_trained(RunDirectory const& directory, std::vector<std::string> const& overrides) {
  check_version(directory);
  if (!directory.latest_checkpoint())
    throw InputError(
        fmt::format("{}: no checkpoint there; expected a run that has trained", directory.path().string()));
  auto run = load_run(directory, overrides);
  if (run.trainer.device().is_cuda()) torch::cuda::synchronize();  // the trainer has a stream of its own
  return run;
}

}  // namespace shoal
