#include "program/commands/study_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "program/config/study_config.hpp"
#include "program/config/toml_settings.hpp"
#include "program/reports/study_report.hpp"
#include "program/runs/console.hpp"
#include "program/runs/folder_lock.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/run_directory.hpp"
#include "program/runs/study_runner.hpp"
#include "program/runs/text_file.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

fs::path folder_of(StudyCommand const& command) {
  if (!command.out.empty()) return command.out;
  return fs::path("runs") / fs::path(command.file).stem();
}

/// Makes the folder, or finds that of the study begun before.
void make_folder(fs::path const& folder) {
  auto const at = fmt::format("--out {}: ", folder.string());
  if (fs::exists(folder) && !fs::is_directory(folder)) throw InputError(at + "expected a folder");
  if (fs::exists(folder) && !fs::is_empty(folder) && !fs::exists(folder / "study.toml"))
    throw InputError(at + "no study.toml there; expected the folder of a study, or one that does not exist yet");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw InputError(fmt::format("{}cannot make the folder: {}", at, error.message()));
}

bool on_cuda(StudyCell const& cell) {
  auto const choice = cell.run ? cell.run->trainer.train.device : DeviceChoice::cpu;
  return choice != DeviceChoice::cpu && choose_device(DeviceChoice::automatic).is_cuda();
}

/// On the CPU a process a run and as many as there are cores; on CUDA one process, in which a cell's seeds share the
/// device.
StudyRunner::Options choose_options(StudyCommand const& command, Study const& study,
                                    std::vector<StudyCell> const& cells) {
  bool const cuda = std::any_of(cells.begin(), cells.end(), on_cuda);
  auto const& o = study.options;
  auto const or_default = [](int asked, int by_default) { return asked > 0 ? asked : by_default; };
  int const cores = choose_threads(0) / command.collective.here();
  return {.jobs = or_default(command.jobs, cuda ? 1 : std::max(1, cores / o.threads)),
          .batch = or_default(command.batch, cuda ? int(o.seeds.count) : 1),
          .threads = o.threads,
          .process = command.collective.rank(),
          .processes = command.collective.size()};
}

/// What became of the runs, once all processes have ended theirs.
std::vector<StudyRun> results_of_all(Study const& study, std::vector<StudyCell> const& cells, fs::path const& folder,
                                     std::vector<StudyRun> const& own) {
  auto runs = find_runs(study, cells, folder);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    auto& run = runs[i];
    if (own[i].state == RunState::failed) run = own[i];
    if (run.state != RunState::waiting) continue;
    run.state = RunState::failed;
    run.failure = "failed, see " + run.log.string();
  }
  return runs;
}

/// The finished runs' summaries; one whose rows are missing or broken fails here.
std::vector<StudyResult> summaries(std::vector<StudyRun>& runs) {
  std::vector<StudyResult> results;
  for (auto& run : runs) {
    if (run.state != RunState::done) continue;
    auto const directory = RunDirectory::open(run.folder);
    try {
      results.push_back({run.cell->experiment, run.cell->method, run.seed,
                         summarize(directory.read_metrics(), *run.cell->spec, run.stages())});
    } catch (std::exception const& error) {
      run.state = RunState::failed;
      run.failure = fmt::format("{}: {}", directory.metrics(), description(error));
    }
  }
  return results;
}

template <class Options>
std::vector<std::string> names_of(std::vector<Options> const& all) {
  std::vector<std::string> names;
  for (auto const& one : all) names.push_back(one.name);
  return names;
}

int conclude(Study const& study, std::vector<StudyRun>& runs, fs::path const& folder) {
  StudyNames const names{names_of(study.experiments), names_of(study.methods), study.options.reference};
  auto const results = summaries(runs);
  std::vector<std::pair<std::string, std::string>> left_out;
  for (auto const& run : runs)
    if (run.state != RunState::done) left_out.emplace_back(run.name, run.failure);
  auto const tables = table_markdown(names, results, left_out);
  fmt::print("{}\n{}: {} of {} runs in table.csv, table.md and pairs.csv\n", tables, printable(folder.string()),
             results.size(), runs.size());  // before the files, so that it is seen where they cannot be written
  write_text(folder / "table.csv", table_csv(names, results));
  write_text(folder / "pairs.csv", pairs_csv(names, results));
  write_text(folder / "table.md", tables);
  for (auto const& [run, why] : left_out) tell_error(fmt::format("{}: {}", run, why));
  return left_out.empty() ? 0 : 1;
}

}  // namespace

int study(StudyCommand const& command) {
  auto const text = read_toml_text(command.file);
  auto const study = parse_study(text, command.file);
  auto const cells = resolve_cells(study);
  auto const folder = folder_of(command);
  auto const& collective = command.collective;
  bool const first = collective.rank() == 0;
  if (first) make_folder(folder);
  // Held until the last child that outlives a killed study has ended.
  std::optional<FolderLock> lock;
  if (first)
    lock.emplace(folder, /*inherited=*/true,
                 fmt::format("--out {}: in use by another `shoal study`, or by runs of one that are about to end",
                             folder.string()));
  collective.wait_for_all();  // the folder is there
  auto runs = find_runs(study, cells, folder);
  collective.wait_for_all();  // all have seen it as it was
  if (first) write_text(folder / "study.toml", text);
  auto const finished = [&] {
    return std::count_if(runs.begin(), runs.end(), [](auto const& run) { return run.state == RunState::done; });
  };
  auto const options = choose_options(command, study, cells);
  warn_about_threads("study.threads", options.threads);
  auto const seeds = options.batch > 1 ? fmt::format(", up to {} seeds in each", options.batch) : "";
  tell(fmt::format("{}: experiments x methods x seeds = {} x {} x {}, {} of {} runs finished before, {} at once{}\n",
                   printable(folder.string()), study.experiments.size(), study.methods.size(),
                   study.options.seeds.count, finished(), runs.size(), options.jobs, seeds));
  StudyRunner{command.program, options}(runs);
  bool const waits =
      std::any_of(runs.begin(), runs.end(), [](auto const& run) { return run.state == RunState::waiting; });
  bool const stopped = collective.any(collective.is_alone() ? waits : interrupted());
  if (!first) return stopped ? 130 : 0;
  if (!collective.is_alone() && !stopped) runs = results_of_all(study, cells, folder, runs);
  if (!stopped) return conclude(study, runs, folder);
  fmt::print("{}: interrupted, {} of {} runs finished; go on with: shoal study {} --out {}\n",
             printable(folder.string()), finished(), runs.size(), shell_word(command.file),
             shell_word(folder.string()));
  return 130;
}

}  // namespace shoal
