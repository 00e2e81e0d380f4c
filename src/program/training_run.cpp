#include "program/training_run.hpp"

#include <fmt/format.h>

#include "program/report.hpp"
#include "program/summary.hpp"

namespace shoal {

TrainingRun::TrainingRun(StoredRun run, RunDirectory directory)
    : config_(std::move(run.config)),
      trainer_(std::move(run.trainer)),
      directory_(std::move(directory)),
      events_(directory_.path().string(), trainer_.next_stage()),
      saved_(trainer_.next_stage()) {}

StageReport TrainingRun::finish_stage() {
  auto report = trainer_.finish_stage();
  directory_.append_metrics(to_json(report));
  write_scalars(events_, report);
  if (trainer_.next_stage() % config_.trainer.train.checkpoint_every == 0 || done()) save();
  return report;
}

void TrainingRun::save() {
  if (saved_ == trainer_.next_stage()) return;
  trainer_.save(directory_.checkpoint(trainer_.next_stage()), identity(config_));
  saved_ = trainer_.next_stage();
  directory_.prune_checkpoints();
  events_.flush();
}

void TrainingRun::write_summary(std::vector<std::string> const& rows) const {
  auto const stages = trainer_.stages();
  try {
    auto const summary = summarize(rows, trainer_.simulator().spec(), stages);
    directory_.write_summary(summary_text(summary, config_.trainer.train.seed, stages));
  } catch (InputError const& error) {
    throw InputError(fmt::format("{}: {}", directory_.metrics(), error.what()));
  }
}

std::string TrainingRun::conclude() const {
  auto const path = folder().string();
  auto const rows = directory_.read_metrics();
  if (done()) {
    write_summary(rows);
    return fmt::format("{}{}: done, {} stages\n", final_table(rows), path, trainer_.stages());
  }
  return fmt::format("{}{}: interrupted after {} of {} stages; go on with: shoal train --resume {}\n",
                     final_table(rows), path, trainer_.next_stage(), trainer_.stages(), path);
}

}  // namespace shoal
