#include "program/train_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "program/interrupt.hpp"
#include "program/progress.hpp"
#include "program/training_run.hpp"

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

fs::path new_folder(TrainCommand const& command, RunConfig const& config) {
  auto const out = command.out.empty() ? RunDirectory::unused(fs::path(command.config).stem()) : fs::path(command.out);
  return command.seeds.size() < 2 ? out : out / fmt::format("seed-{}", config.trainer.train.seed);
}

/// A configuration that cannot run leaves no folder behind.
std::vector<TrainingRun> begin(TrainCommand const& command) {
  std::vector<StoredRun> ready;
  std::vector<fs::path> folders;
  for (auto const& file : read_configs(command)) {
    auto config = resolve(file);
    auto const path = new_folder(command, config);
    if (fs::exists(path))
      throw InputError(fmt::format("--out {}: exists; expected a folder that does not exist yet", path.string()));
    if (std::find(folders.begin(), folders.end(), path) != folders.end())
      throw InputError(fmt::format("--seed {}: given twice", config.trainer.train.seed));
    auto trainer = make_trainer(file, config);
    ready.push_back({std::move(config), std::move(trainer)});
    folders.push_back(path);
  }
  std::vector<TrainingRun> runs;
  for (std::size_t i = 0; i < ready.size(); ++i) {
    auto directory = RunDirectory::create(folders[i], to_toml(ready[i].config));
    runs.emplace_back(std::move(ready[i]), std::move(directory));
  }
  return runs;
}

TrainingRun open(std::string const& folder, std::vector<std::string> const& overrides) {
  auto directory = RunDirectory::open(folder);
  auto stored = load_run(directory, overrides);
  auto const& trainer = stored.trainer;
  directory.rewind_metrics(trainer.next_stage());
  if (trainer.next_stage() < trainer.stages()) directory.remove_summary();
  return {std::move(stored), std::move(directory)};
}

void check_resumption(TrainCommand const& command) {
  for (auto const& text : command.overrides)
    if (auto const key = text.substr(0, text.find('=')); !is_resumable_key(key))
      throw InputError(
          fmt::format("--set {}: a resumed run may change train.stages, train.checkpoint_every, train.threads and "
                      "train.device only",
                      key));
  std::set<fs::path> seen;
  for (auto const& folder : command.resume)
    if (!seen.insert(fs::weakly_canonical(folder)).second)
      throw InputError(fmt::format("--resume {}: given twice", folder));
}

std::int64_t stages_left(TrainingRun const& run) { return run.trainer().stages() - run.trainer().next_stage(); }

void tell_failure(std::string const& folder, std::exception const& error) {
  fmt::print(stderr, "shoal: {}: {}\n", folder, error.what());
}

/// One that cannot go on is named, the others do; alone, it throws.
std::vector<TrainingRun> open_all(TrainCommand const& command) {
  check_resumption(command);
  std::vector<TrainingRun> runs;
  for (auto const& folder : command.resume) try {
      runs.push_back(open(folder, command.overrides));
    } catch (std::exception const& error) {
      if (command.resume.size() == 1) throw;
      tell_failure(folder, error);
    }
  return runs;
}

/// Trains the runs, a stage of each in turn.
class SideBySide {
 public:
  explicit SideBySide(std::vector<TrainingRun>& runs) {
    for (auto& run : runs) runs_.push_back(&run);
    alone_ = runs.size() == 1;
  }

  /// @return whether the runs are done; false after an interrupt, when they have saved
  bool operator()() {
    while (!interrupted() && run_stages()) {}
    if (interrupted()) each(runs_, [](TrainingRun& run) { run.save(); });
    progress_.finish();
    bool const all_done = unfinished().empty();
    each(runs_, [](TrainingRun const& run) { fmt::print("{}", run.conclude()); });
    return all_done;
  }
  bool failed() const { return failed_; }

 private:
  using Runs = std::vector<TrainingRun*>;

  /// One that fails is named and trains no more; alone, it throws.
  template <class Work>
  void each(Runs const runs, Work const& work) {
    for (auto* const run : runs) try {
        work(*run);
      } catch (std::exception const& error) {
        if (alone_) throw;
        progress_.finish();
        tell_failure(run->folder(), error);
        std::erase(runs_, run);
        failed_ = true;
      }
  }

  Runs unfinished() const {
    Runs runs;
    std::copy_if(runs_.begin(), runs_.end(), std::back_inserter(runs), [](auto* run) { return !run->done(); });
    return runs;
  }

  /// One of each run that is not done. @return whether there was any
  bool run_stages() {
    std::vector<StageReport> reports;
    each(unfinished(), [](TrainingRun& run) { run.launch_stage(); });
    each(unfinished(), [&](TrainingRun& run) { reports.push_back(run.finish_stage()); });
    if (reports.empty()) return false;
    auto const less = [](auto const* a, auto const* b) { return stages_left(*a) < stages_left(*b); };
    auto const& last = **std::max_element(runs_.begin(), runs_.end(), less);
    progress_.show(reports, last.trainer().stages(), stages_left(last));
    return true;
  }

  Runs runs_;  // that have not failed
  bool alone_, failed_ = false;
  Progress progress_;
};

}  // namespace

int train(TrainCommand const& command) {
  bool const resume = !command.resume.empty();
  auto runs = resume ? open_all(command) : begin(command);
  bool const all_open = !resume || runs.size() == command.resume.size();
  for (auto const& run : runs) {
    auto const& config = run.config().trainer;
    fmt::print(stderr, "{}: {}, {} instances, {}, {}\n", run.folder().string(), config.environment,
               config.train.instances, run.trainer().device().str(),
               resume ? fmt::format("resumed at stage {}", run.trainer().next_stage()) : "new run");
  }
  catch_interrupts();
  SideBySide loop(runs);
  if (!loop()) return 130;
  return all_open && !loop.failed() ? 0 : 1;
}

}  // namespace shoal
