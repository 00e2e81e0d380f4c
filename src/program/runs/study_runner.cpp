#include "program/runs/study_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "program/runs/console.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/run_directory.hpp"
#include "shoal/core/text.hpp"

namespace shoal {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t longest_failure = 500;
constexpr auto poll_interval = std::chrono::milliseconds(50);

bool can_resume(StudyRun const& run) {
  return fs::exists(run.folder / "config.toml") && !RunDirectory::open(run.folder).checkpoints().empty();
}

/// Whether the folder is missing, or all that it holds is what a run writes before its first checkpoint: it is trained
/// anew then.
bool is_half_made(StudyRun const& run) {
  if (!fs::exists(run.folder)) return true;
  if (!fs::is_directory(run.folder)) return false;
  for (auto const& entry : fs::recursive_directory_iterator(run.folder)) {
    auto const name = entry.path().filename().string();
    bool const ours = name == "config.toml" || name == "checkpoints" || name.ends_with(".partial") ||
                      name.starts_with("events.out.tfevents");
    if (!ours) return false;
  }
  return true;
}

/// The last whole row of metrics.jsonl; rows are shorter than what is read of the file's end.
nlohmann::json last_row(StudyRun const& run) {
  auto const path = run.folder / "metrics.jsonl";
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || !fs::is_regular_file(path)) return {};
  constexpr std::streamoff most = 1 << 18;
  auto const size = std::streamoff(in.tellg());
  in.seekg(std::max<std::streamoff>(0, size - most));
  std::string text(std::istreambuf_iterator<char>(in), {});
  text.resize(text.find_last_of('\n') == std::string::npos ? 0 : text.find_last_of('\n'));
  auto const begin = text.find_last_of('\n');
  return nlohmann::json::parse(text.substr(begin == std::string::npos ? 0 : begin + 1), nullptr, false);
}

void read_progress(StudyRun& run) {
  auto const row = last_row(run);
  if (!row.is_object()) return;
  auto const number = [&](char const* key) { return row.contains(key) && row[key].is_number(); };
  if (number("stage")) run.stage = row["stage"].get<std::int64_t>() + 1;
  if (number("r_cal_mean")) run.r_cal = row["r_cal_mean"].get<double>();
}

/// What two runs of one configuration agree in; threads, device and checkpoints may differ.
std::string essence(RunConfig const& run) {
  return fmt::format("{}train.stages = {}\n", identity(run), run.trainer.train.stages);
}

void refuse_another_configuration(StudyRun const& run, std::string const& kept) {
  auto asked = *run.cell->run;
  asked.trainer.train.seed = run.seed;
  auto const now = essence(asked);
  if (now == kept) return;
  std::istringstream now_lines(now), kept_lines(kept);
  std::string a, b;
  while (std::getline(now_lines, a) && std::getline(kept_lines, b) && a == b) {}
  throw InputError(
      fmt::format("{}: a run of another configuration: it has \"{}\", the study \"{}\"; give the study "
                  "another folder, --out, or remove this run's",
                  run.folder.string(), b, a));
}

void find_state(StudyRun& run) {
  auto const fail = [&](std::string const& why) {
    run.state = RunState::failed;
    run.failure = printable(why, longest_failure);
  };
  if (!run.cell->run) return fail(run.cell->problem);
  bool const finished = fs::exists(run.folder / "summary.json");
  if (!finished && !can_resume(run)) {
    if (!is_half_made(run))
      fail(fmt::format("{}: no checkpoint there; remove the folder to train the run anew", run.folder.string()));
    return;
  }
  std::string kept;
  try {
    kept = essence(resolve(read_config(run.folder / "config.toml", {})));
  } catch (InputError const& error) {
    return fail(error.what());
  }
  refuse_another_configuration(run, kept);
  read_progress(run);
  run.first_stage = run.stage;
  if (finished) run.state = RunState::done;
}

/// What the program said last of what was wrong, with this run if it named any.
std::string last_complaint(StudyRun const& run) {
  std::ifstream in(run.log);
  std::string const any = "shoal: ", own = any + run.folder.string() + ": ";
  std::string complaint = "see " + run.log.string(), own_complaint;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(any)) complaint = line.substr(any.size());
    if (line.starts_with(own)) own_complaint = line.substr(own.size());
  }
  return own_complaint.empty() ? complaint : own_complaint;
}

std::string failure(StudyRun const& run, int code) {
  if (code == 0) return "ended without summary.json, see " + run.log.string();
  if (code == 130) return "interrupted";
  if (code > 128) return fmt::format("killed by signal {}", code - 128);
  return last_complaint(run);
}

/// The first of this program's waiting runs, and others of its cell that begin as it does, from nothing or from a
/// checkpoint.
std::vector<StudyRun*> next_batch(std::vector<StudyRun>& runs, StudyRunner::Options const& options) {
  std::vector<StudyRun*> batch;
  bool resumes = false;
  for (auto i = std::size_t(options.process); i < runs.size(); i += std::size_t(options.processes)) {
    auto& run = runs[i];
    if (run.state != RunState::waiting || int(batch.size()) == options.batch) continue;
    if (batch.empty()) resumes = can_resume(run);
    if (batch.empty() || (run.cell == batch[0]->cell && can_resume(run) == resumes)) batch.push_back(&run);
  }
  return batch;
}

/// "seed-1.log", or "seeds-1-2-3.log" of several.
std::string log_name(std::vector<StudyRun*> const& batch) {
  std::string name = batch.size() == 1 ? "seed" : "seeds";
  for (auto const* const run : batch) name += fmt::format("-{}", run->seed);
  return name + ".log";
}

std::int64_t count(std::vector<StudyRun> const& runs, RunState state) {
  return std::count_if(runs.begin(), runs.end(), [&](StudyRun const& run) { return run.state == state; });
}

}  // namespace

std::vector<StudyRun> find_runs(Study const& study, std::vector<StudyCell> const& cells, fs::path const& folder) {
  std::vector<StudyRun> runs;
  for (int i = 0; i < study.options.seeds.count; ++i)
    for (auto const& cell : cells) {
      auto const seed = study.options.seeds.items[i];
      auto const name = fmt::format("{}/{}/seed-{}", cell.experiment, cell.method, seed);
      find_state(runs.emplace_back(StudyRun{.cell = &cell,
                                            .seed = seed,
                                            .name = name,
                                            .folder = folder / "runs" / name,
                                            .log = folder / "logs" / (name + ".log")}));
    }
  return runs;
}

std::string study_line(std::vector<StudyRun> const& runs, std::optional<double> seconds_left) {
  auto text = fmt::format("runs {}/{} done", count(runs, RunState::done), runs.size());
  if (auto const n = count(runs, RunState::running)) text += fmt::format("  {} running", n);
  if (auto const n = count(runs, RunState::failed)) text += fmt::format("  {} failed", n);
  if (seconds_left) text += fmt::format("  {} left", clock_text(*seconds_left));
  std::string r_cal;
  for (auto const& run : runs)
    if (run.state == RunState::running && run.r_cal)
      r_cal += fmt::format("  {}/{}/{} {:.3f}", run.cell->experiment, run.cell->method, run.seed, *run.r_cal);
  return r_cal.empty() ? text : text + "  r_cal" + r_cal.substr(1);
}

void StudyRunner::start(std::vector<StudyRun*> const& batch) {
  auto const& first = *batch.front();
  auto const log = first.log.parent_path() / log_name(batch);
  std::vector<std::string> command{"shoal", "train"};
  auto const add = [&](std::initializer_list<std::string> words) { command.insert(command.end(), words); };
  fs::create_directories(log.parent_path());
  if (can_resume(first)) {
    for (auto const* const run : batch) add({"--resume", run->folder.string()});
  } else {
    for (auto const* const run : batch) fs::remove_all(run->folder);  // half made, nothing saved yet
    fs::remove(log);
    add({first.cell->config, "--out", (batch.size() == 1 ? first.folder : first.folder.parent_path()).string()});
    for (auto const* const run : batch) add({"--seed", std::to_string(run->seed)});
    for (auto const& text : first.cell->overrides) add({"--set", text});
  }
  add({"--threads", std::to_string(options_.threads)});
  if (first.cell->run && !first.cell->run->plugin.empty()) add({"--plugin", first.cell->run->plugin});
  running_.push_back({batch, ChildProcess(program_, command, log.string())});
  for (auto* const run : batch) {
    run->log = log;
    run->state = RunState::running;
  }
}

void StudyRunner::tell_failure(StudyRun const& run) {
  line_.note(fmt::format("{}: failed: {}", run.name, run.failure));
}

void StudyRunner::take_result(StudyRun& run, int code) {
  read_progress(run);
  if (fs::exists(run.folder / "summary.json")) {
    run.state = RunState::done;
    line_.note(run.name + ": done" + (run.r_cal ? fmt::format(", r_cal {:.3f}", *run.r_cal) : ""));
  } else if (interrupted() && code == 130) {
    run.state = RunState::waiting;
  } else {
    run.state = RunState::failed;
    run.failure = printable(failure(run, code), longest_failure);
    tell_failure(run);
  }
}

bool StudyRunner::has_ended(Batch& batch) {
  auto const code = batch.process.poll();
  if (!code) return false;
  for (auto* const run : batch.runs) take_result(*run, *code);
  return true;
}

std::optional<double> StudyRunner::seconds_left(std::vector<StudyRun> const& runs) const {
  std::int64_t finished = 0, left = 0;
  for (auto const& run : runs) {
    finished += run.stage - run.first_stage;
    if (run.state == RunState::waiting || run.state == RunState::running) left += run.stages() - run.stage;
  }
  double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (finished <= 0) return {};
  return seconds * double(left) / double(finished);
}

void StudyRunner::show(std::vector<StudyRun>& runs) {
  for (auto& run : runs)
    if (run.state == RunState::running) read_progress(run);
  line_.show(study_line(runs, seconds_left(runs)));
}

void StudyRunner::operator()(std::vector<StudyRun>& runs) {
  catch_interrupts();
  std::signal(SIGCHLD, SIG_DFL);  // ignored, as some shells leave it, children's exit codes would be lost
  for (auto const& run : runs)
    if (run.state == RunState::failed) tell_failure(run);
  bool told = false;
  for (;;) {
    std::erase_if(running_, [&](Batch& batch) { return has_ended(batch); });
    while (!interrupted() && int(running_.size()) < options_.jobs) {
      auto const batch = next_batch(runs, options_);
      if (batch.empty()) break;
      try {
        start(batch);
      } catch (std::exception const& error) {  // of its folder or its log: the others go on
        for (auto* const run : batch) {
          run->state = RunState::failed;
          run->failure = printable(description(error), longest_failure);
          tell_failure(*run);
        }
      }
    }
    auto const running = count(runs, RunState::running);
    if (running == 0) break;
    if (interrupted() && !std::exchange(told, true)) {
      line_.note(
          fmt::format("interrupted: waiting for {} to save", running == 1 ? "a run" : fmt::format("{} runs", running)));
      for (auto const& batch : running_) batch.process.interrupt();
    }
    if (line_.due()) show(runs);
    std::this_thread::sleep_for(poll_interval);
  }
  line_.show(study_line(runs, {}));
  line_.finish();
}

}  // namespace shoal
