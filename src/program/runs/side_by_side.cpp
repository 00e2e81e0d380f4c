#include "program/runs/side_by_side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>

#include "program/runs/console.hpp"
#include "program/runs/interrupt.hpp"
#include "shoal/train/setup.hpp"

namespace shoal {

namespace {

/// On a GPU one host thread queues the work of all.
int threads_for(std::vector<TrainingRun> const& runs) {
  int threads = 1;
  for (auto const& run : runs) {
    if (run.trainer().device().is_cuda()) return 1;
    threads = std::max(threads, choose_threads(run.config().trainer.train.threads));
  }
  return std::min(threads, std::max(1, int(runs.size())));
}

std::int64_t stages_left(TrainingRun const& run) { return run.trainer().stages() - run.trainer().next_stage(); }

}  // namespace

SideBySide::SideBySide(std::vector<TrainingRun>& runs, Collective collective)
    : alone_(runs.size() == 1), collective_(std::move(collective)), threads_(threads_for(runs), /*works_alone=*/false) {
  for (auto& run : runs) runs_.push_back(&run);
}

bool SideBySide::operator()() {
  bool stops = false;
  while (!(stops = is_interrupted()) && run_stages()) {}
  if (stops) each(Runs(runs_), threads_, [](TrainingRun& run, std::size_t) { run.save(); });
  progress_.finish();
  bool const all_done = unfinished().empty();
  each(Runs(runs_), one_thread_, [](TrainingRun const& run, std::size_t) {
    if (!run.records()) return;
    auto const rows = run.rows();
    fmt::print("{}", run.conclusion(rows));  // before the file, so that it is seen where that cannot be written
    if (run.done()) run.write_summary(rows);
  });
  return all_done;
}

/// Calls work(run, its place in `runs`).
template <class Work>
void SideBySide::each(Runs const& runs, ThreadPool& threads, Work const& work) {
  std::vector<std::exception_ptr> failures(runs.size());
  std::atomic<std::size_t> next{0};
  threads.run(threads.threads(), [&](int, int, int) {
    for (auto i = next++; i < runs.size(); i = next++) try {
        work(*runs[i], i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
  });
  for (std::size_t i = 0; i < runs.size(); ++i) try {
      if (failures[i]) std::rethrow_exception(failures[i]);
    } catch (std::exception const& error) {
      if (alone_) throw;
      progress_.finish();
      tell_failure(runs[i]->folder(), error);
      std::erase(runs_, runs[i]);
      failed_ = true;
    }
}

/// In any of the processes: all end after the same stage.
bool SideBySide::is_interrupted() const { return collective_.any(interrupted()); }

SideBySide::Runs SideBySide::unfinished() const {
  Runs runs;
  std::copy_if(runs_.begin(), runs_.end(), std::back_inserter(runs), [](auto* run) { return !run->done(); });
  return runs;
}

/// One of each run that is not done. @return whether there was any
bool SideBySide::run_stages() {
  auto const launched = unfinished();
  if (launched.empty()) return false;
  answer_interrupts(fmt::format("finishing stage {}; again: stop now", launched.front()->trainer().next_stage() + 1));
  each(launched, threads_, [](TrainingRun& run, std::size_t) { run.launch_stage(); });
  auto const running = unfinished();
  std::vector<std::optional<StageReport>> finished(running.size());
  each(running, threads_, [&](TrainingRun& run, std::size_t i) { finished[i] = run.finish_stage(); });
  if (runs_.empty()) return false;
  std::vector<StageReport> reports;
  for (auto& report : finished)
    if (report) reports.push_back(std::move(*report));
  auto const less = [](auto const* a, auto const* b) { return stages_left(*a) < stages_left(*b); };
  auto const& last = **std::max_element(runs_.begin(), runs_.end(), less);
  progress_.show(reports, last.trainer().stages(), stages_left(last));
  return true;
}

}  // namespace shoal
