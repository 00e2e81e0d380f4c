#include "program/stored_run.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#include <array>
#include <fstream>

#include "program/console.hpp"
#include "program/version.hpp"
#include "shoal/core/hash.hpp"
#include "shoal/core/text.hpp"
#include "shoal/learn/checkpoint.hpp"

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

/// The comments that begin config.toml, but for its first line.
std::vector<std::string> notes_of(RunDirectory const& directory) {
  std::ifstream file(directory.config());
  std::vector<std::string> notes;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line) && line.starts_with("# ")) notes.push_back(line.substr(2));
  return notes;
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
  check_version(directory);
  auto const file = read_config(directory.config(), overrides);
  auto config = resolve(file);
  auto trainer = make_trainer(file, config);
  StoredRun run{.config = std::move(config), .trainer = std::move(trainer)};
  run.config.notes = notes_of(directory);
  auto checkpoints = directory.checkpoints();
  if (checkpoints.empty())
    throw InputError(
        fmt::format("{}: no checkpoint there; expected a run that has trained", directory.path().string()));
  for (;; checkpoints.pop_back()) try {
      run.trainer.load(checkpoints.back(), identity(run.config));
      run.checkpoint = checkpoints.back();
      return run;
    } catch (BrokenCheckpoint const&) {
      if (checkpoints.size() == 1) throw;
      run.broken.push_back(checkpoints.back());
    }
}

StoredRun load_trained(RunDirectory const& directory, std::vector<std::string> const& overrides) {
  auto run = load_run(directory, overrides);
  tell_broken(run);
  if (run.trainer.device().is_cuda()) torch::cuda::synchronize();  // the trainer has a stream of its own
  return run;
}

void tell_broken(StoredRun const& run) {
  for (auto const& path : run.broken)
    tell(fmt::format("{}: not a whole checkpoint; going back to {}\n", printable(path), printable(run.checkpoint)));
}

std::string digest_of(std::string const& checkpoint) {
  std::ifstream file(checkpoint, std::ios::binary);
  TrajectoryHash hash;
  for (std::array<std::uint32_t, 4096> words = {}; file; words = {}) {
    file.read(reinterpret_cast<char*>(words.data()), sizeof words);
    auto const count = (std::size_t(file.gcount()) + 3) / 4;
    for (std::size_t i = 0; i < count; ++i) hash.add(words[i]);
  }
  return fmt::format("{:016x}", hash.value());
}

}  // namespace shoal
