#include "program/runs/training_run.hpp"

#include <fmt/format.h>

#include "program/config/profile_file.hpp"
#include "program/reports/report.hpp"
#include "program/reports/summary.hpp"
#include "program/version.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/checkpoint.hpp"

namespace shoal {

TrainingRun::TrainingRun(StoredRun run, std::optional<RunDirectory> directory)
    : config_(std::move(run.config)),
      trainer_(std::move(run.trainer)),
      saved_(run.checkpoint.empty() ? -1 : trainer_.next_stage()) {
  if (directory) {
    TensorBoardWriter events(directory->path().string(), trainer_.next_stage());
    files_.emplace(Files{std::move(*directory), std::move(events)});
  }
  save();
}

StageReport TrainingRun::finish_stage() {
  auto report = trainer_.finish_stage();
  if (files_) {
    files_->directory.append_metrics(to_json(report));
    write_scalars(files_->events, report);
  }
  bool const chosen = report.calibrated || report.settled;
  if (chosen || trainer_.next_stage() % config_.trainer.train.checkpoint_every == 0 || done()) save();
  if (!files_) return report;
  if (report.calibrated) write_profile(*report.calibrated, "At the end of the calibration");
  if (report.settled) write_profile(*report.settled, "After settling");
  return report;
}

void TrainingRun::save() {
  if (saved_ == trainer_.next_stage()) return;
  if (files_) files_->events.flush();  // what a checkpoint has behind it is on disk before the checkpoint is
  trainer_.save(files_ ? files_->directory.checkpoint(trainer_.next_stage()) : "", identity(config_));
  saved_ = trainer_.next_stage();
  if (files_) files_->directory.prune_checkpoints();
}

void TrainingRun::write_profile(Fit const& fit, char const* when) const {
  auto const values = trainer_.answer().cpu().to(at::kDouble);
  std::vector<double> const profile(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
  files_->directory.write(
      "profile.toml",
      profile_toml(config_.trainer.environment, trainer_.simulator().spec(), profile,
                   {fmt::format("The profile that a run of shoal {} chose, seed {}; calibrator.profile_file loads it.",
                                SHOAL_VERSION, config_.trainer.train.seed),
                    fmt::format("{}, before stage {}: r_cal {:.4f}, 95 % interval [{:.4f}, {:.4f}], {} episodes.", when,
                                trainer_.next_stage(), fit.r_cal.mean, fit.r_cal.low, fit.r_cal.high, fit.episodes),
                    fmt::format("The digest of that stage's checkpoint: {}.", digest())}));
}

/// Of the present stage's checkpoint.
std::string TrainingRun::digest() const {
  return checkpoint_digest(files_->directory.checkpoint(trainer_.next_stage()));
}

void TrainingRun::write_summary(std::vector<std::string> const& rows) const {
  auto const stages = trainer_.next_stage();
  try {
    auto const summary = summarize(rows, trainer_.simulator().spec(), stages);
    files_->directory.write_summary(
        summary_text(summary, {config_.trainer.train.seed, stages, digest()}, fits_of(rows)));
  } catch (InputError const& error) {
    throw InputError(fmt::format("{}: {}", files_->directory.metrics(), error.what()));
  }
}

std::string TrainingRun::conclusion(std::vector<std::string> const& rows) const {
  auto const path = folder().string();
  auto const table = final_table(rows);
  if (done()) return fmt::format("{}{}: done, {} stages\n", table, printable(path), trainer_.next_stage());
  return fmt::format("{}{}: interrupted after {} of {} stages; go on with: shoal train --resume {}\n", table,
                     printable(path), trainer_.next_stage(), trainer_.stages(), shell_word(path));
}

}  // namespace shoal
