#include "program/stored_run.hpp"

namespace shoal {

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

}  // namespace shoal
