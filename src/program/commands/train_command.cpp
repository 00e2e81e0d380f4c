#include "program/commands/train_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "program/config/frozen_policies.hpp"
#include "program/reports/report.hpp"
#include "program/reports/summary.hpp"
#include "program/runs/console.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/side_by_side.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

std::vector<Config> read_configs(TrainCommand const& command) {
  if (command.seeds.empty()) return {read_config(command.config, command.overrides)};
  std::vector<Config> files;
  for (auto const& seed : command.seeds) {
    auto overrides = command.overrides;
    overrides.push_back("train.seed=" + seed);
    files.push_back(read_config(command.config, overrides));
  }
  return files;
}

std::string seed_folder(RunConfig const& config) { return fmt::format("seed-{}", config.trainer.train.seed); }

/// The folder of each run, which does not exist yet.
void check_folders(TrainCommand const& command, std::vector<StoredRun> const& runs) {
  bool const several = command.seeds.size() > 1;
  std::set<std::string> seen;
  for (auto const& run : runs) {
    if (!seen.insert(seed_folder(run.config)).second)
      throw InputError(fmt::format("--seed {}: given twice", run.config.trainer.train.seed));
    auto const path = several ? fs::path(command.out) / seed_folder(run.config) : fs::path(command.out);
    if (!command.out.empty() && fs::exists(path))
      throw InputError(fmt::format("--out {}: exists; expected a folder that does not exist yet", path.string()));
  }
}

std::vector<RunDirectory> make_folders(TrainCommand const& command, std::vector<StoredRun> const& runs) {
  auto const stem = fs::path(command.config).stem().string();
  std::vector<RunDirectory> folders;
  if (command.seeds.size() < 2) {
    auto const text = to_toml(runs[0].config);
    folders.push_back(command.out.empty() ? RunDirectory::create_unused(stem, text)
                                          : RunDirectory::create(command.out, text));
    return folders;
  }
  auto const base = command.out.empty() ? RunDirectory::make_unused(stem) : fs::path(command.out);
  for (auto const& run : runs)
    folders.push_back(RunDirectory::create(base / seed_folder(run.config), to_toml(run.config)));
  return folders;
}

bool records(TrainCommand const& command) { return command.collective.rank() == 0; }

/// A configuration that cannot run leaves no folder behind.
std::vector<TrainingRun> begin(TrainCommand const& command) {
  std::vector<StoredRun> ready;
  auto const files = read_configs(command);
  for (auto const& file : files) {
    auto config = resolve(file);
    config.trainer.collective = command.collective;
    auto trainer = make_trainer(file, config, files.size());
    ready.push_back({std::move(config), std::move(trainer)});
  }
  check_folders(command, ready);  // before one of the processes makes them
  command.collective.wait_for_all();
  std::vector<TrainingRun> runs;
  if (!records(command)) {
    runs.emplace_back(std::move(ready[0]), std::nullopt);
    return runs;
  }
  auto folders = make_folders(command, ready);
  for (std::size_t i = 0; i < ready.size(); ++i) write_frozen_runs(ready[i].config.trainer, folders[i].path());
  for (std::size_t i = 0; i < ready.size(); ++i) runs.emplace_back(std::move(ready[i]), std::move(folders[i]));
  return runs;
}

/// Nothing is written before all that the run goes on from was read, by every process.
TrainingRun open(std::string const& folder, TrainCommand const& command) {
  auto const& overrides = command.overrides;
  auto directory = RunDirectory::open(folder);
  if (records(command)) directory.lock();
  auto stored = load_run(directory, overrides, command.resume.size(), command.collective);
  auto const& trainer = stored.trainer;
  auto const done = trainer.next_stage(), asked = stored.config.trainer.train.stages;
  bool const asks = std::any_of(overrides.begin(), overrides.end(),
                                [](auto const& text) { return assigned_key(text) == "train.stages"; });
  if (asks && asked < done)
    throw InputError(
        fmt::format("--set train.stages = {}: {} has {} stages; expected at least as many", asked, folder, done));
  auto const rows = directory.read_history(done);
  try {
    check_rows(rows, trainer.simulator().spec());
    final_table(rows);
  } catch (InputError const& error) {
    throw InputError(fmt::format("{}: {}", directory.metrics(), error.what()));
  }
  command.collective.wait_for_all();
  if (!records(command)) return {std::move(stored), std::nullopt};
  tell_broken(stored);
  for (auto const& path : stored.broken) fs::remove(path);
  directory.remove_partial_files();
  directory.write_metrics(rows);
  if (done < trainer.stages()) directory.remove_summary();
  // A plugin may lie elsewhere now.
  if (!overrides.empty() || !stored.config.plugin.empty()) directory.write("config.toml", to_toml(stored.config));
  return {std::move(stored), std::move(directory)};
}

void check_resumption(TrainCommand const& command) {
  for (auto const& text : command.overrides)
    if (auto const key = assigned_key(text); !is_resumable_key(key))
      throw InputError(
          fmt::format("--set {}: a resumed run may change train.stages, train.checkpoint_every, train.threads and "
                      "train.device only",
                      key));
  std::set<fs::path> seen;
  for (auto const& folder : command.resume)
    if (!seen.insert(fs::weakly_canonical(folder)).second)
      throw InputError(fmt::format("--resume {}: given twice", folder));
}

/// One that cannot go on is named, the others do; alone, it throws.
std::vector<TrainingRun> open_all(TrainCommand const& command) {
  check_resumption(command);
  std::vector<TrainingRun> runs;
  for (auto const& folder : command.resume) try {
      runs.push_back(open(folder, command));
    } catch (std::exception const& error) {
      if (command.resume.size() == 1) throw;
      tell_failure(folder, error);
    }
  return runs;
}

void tell_beginning(TrainingRun const& run, TrainCommand const& command) {
  auto const& config = run.config().trainer;
  auto const processes =
      command.collective.is_alone() ? "" : fmt::format(" in {} processes", command.collective.size());
  tell(
      fmt::format("{}: {}, {} instances{}, {}, {}\n", printable(run.folder().string()), config.environment,
                  config.train.instances, processes, run.trainer().device().str(),
                  command.resume.empty() ? "new run" : fmt::format("resumed at stage {}", run.trainer().next_stage())));
  for (auto const& warning : run.config().warnings) tell(fmt::format("warning: {}\n", warning));
  warn_about_threads("train.threads", choose_threads(config.train.threads));
}

}  // namespace

int train(TrainCommand const& command) {
  if (!command.collective.is_alone() && std::max(command.seeds.size(), command.resume.size()) > 1)
    throw InputError(
        "several processes train one run; expected one --seed or --resume at most. `shoal study` spreads runs over "
        "processes");
  bool const resume = !command.resume.empty();
  auto runs = resume ? open_all(command) : begin(command);
  bool const all_open = !resume || runs.size() == command.resume.size();
  for (auto const& run : runs)
    if (run.records()) tell_beginning(run, command);
  catch_interrupts();
  SideBySide loop(runs, command.collective);
  if (!loop()) return 130;
  return all_open && !loop.failed() ? 0 : 1;
}

}  // namespace shoal
