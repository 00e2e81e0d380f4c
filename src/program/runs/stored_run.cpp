#include "program/runs/stored_run.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/cuda.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "program/runs/console.hpp"
#include "program/version.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/checkpoint.hpp"

namespace shoal {

namespace {

/// The comments that begin config.toml, but for its first line.
std::vector<std::string> notes_of(RunDirectory const& directory) {
  std::ifstream file(directory.config());
  std::vector<std::string> notes;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line) && line.starts_with("# ")) notes.push_back(line.substr(2));
  return notes;
}

/// The last whole checkpoint. A process that trains the run may remove one that was just found, but then there is a
/// later one.
void load_last(RunDirectory const& directory, StoredRun& run) {
  for (auto found = directory.checkpoints(); !found.empty(); found.pop_back()) try {
      run.digest = run.trainer.load(found.back(), identity(run.config));
      run.checkpoint = found.back();
      return;
    } catch (BrokenCheckpoint const&) {
      if (found.size() == 1) throw;
      run.broken.push_back(found.back());
    } catch (InputError const&) {
      if (std::filesystem::exists(found.back())) throw;
      found = directory.checkpoints();
      found.emplace_back();  // taken off again
    }
  throw InputError(fmt::format("{}: no checkpoint there; expected a run that has trained", directory.path().string()));
}

}  // namespace

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

Trainer make_trainer(Config const& file, RunConfig const& config, std::size_t beside) {
  auto shared = config.trainer;
  bool const asked = shared.train.threads > 0;
  auto const threads = choose_threads(shared.train.threads) / (asked ? 1 : shared.collective.here());
  shared.train.threads = std::max(1, threads / int(beside));
  at::set_num_threads(shared.train.threads);
  return with_section_location(file, [&] { return Trainer(shared); });
}

StoredRun load_run(RunDirectory const& directory, std::vector<std::string> const& overrides, std::size_t beside,
                   Collective const& collective) {
  check_version(directory);
  auto const file = read_config(directory.config(), overrides);
  auto config = resolve(file);
  config.trainer.collective = collective;
  auto trainer = make_trainer(file, config, beside);
  StoredRun run{.config = std::move(config), .trainer = std::move(trainer)};
  run.config.notes = notes_of(directory);
  load_last(directory, run);
  return run;
}

StoredRun load_trained(RunDirectory const& directory, std::vector<std::string> const& overrides) {
  auto run = load_run(directory, overrides);
  tell_broken(run);
  warn_about_threads("train.threads", choose_threads(run.config.trainer.train.threads));
  if (run.trainer.device().is_cuda()) torch::cuda::synchronize();  // the trainer has a stream of its own
  return run;
}

void tell_broken(StoredRun const& run) {
  for (auto const& path : run.broken)
    tell(fmt::format("{}: not a whole checkpoint; going back to {}\n", printable(path), printable(run.checkpoint)));
}

}  // namespace shoal
