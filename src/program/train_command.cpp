#include "program/train_command.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "program/interrupt.hpp"
#include "program/progress.hpp"
#include "program/report.hpp"
#include "program/stored_run.hpp"
#include "program/summary.hpp"

namespace shoal {

namespace {

struct Run {
  RunConfig config;
  Trainer trainer;
  RunDirectory directory;
};

Run begin(TrainCommand const& command) {
  auto const file = read_config(command.config, command.overrides);
  auto config = resolve(file);
  auto const name = std::filesystem::path(command.config).stem().string();
  auto const path = command.out.empty() ? RunDirectory::unused(name) : std::filesystem::path(command.out);
  if (std::filesystem::exists(path))
    throw InputError(fmt::format("--out {}: exists; expected a folder that does not exist yet", path.string()));
  auto trainer = make_trainer(file, config);  // a configuration that cannot run leaves no folder behind
  return {config, std::move(trainer), RunDirectory::create(path, to_toml(config))};
}

Run open(TrainCommand const& command) {
  auto directory = RunDirectory::open(command.resume);
  for (auto const& text : command.overrides)
    if (auto const key = text.substr(0, text.find('=')); !is_resumable_key(key))
      throw InputError(
          fmt::format("--set {}: a resumed run may change train.stages, train.checkpoint_every, train.threads and "
                      "train.device only",
                      key));
  auto [config, trainer] = load_run(directory, command.overrides);
  directory.rewind_metrics(trainer.next_stage());
  if (trainer.next_stage() < trainer.stages()) directory.remove_summary();
  return {std::move(config), std::move(trainer), std::move(directory)};
}

class Loop {
 public:
  explicit Loop(Run run) : run_(std::move(run)), events_(run_.directory.path().string(), run_.trainer.next_stage()) {}

  int operator()() {
    auto& trainer = run_.trainer;
    Progress progress(trainer.next_stage(), trainer.stages());
    while (trainer.next_stage() < trainer.stages() && !interrupted()) {
      auto const report = trainer.run_stage();
      record(report);
      progress.show(report);
      bool const due = trainer.next_stage() % run_.config.trainer.train.checkpoint_every == 0;
      if (due || interrupted() || trainer.next_stage() == trainer.stages()) save();
    }
    progress.finish();
    return conclude();
  }

 private:
  void record(StageReport const& report) {
    run_.directory.append_metrics(to_json(report));
    write_scalars(events_, report);
  }

  void save() {
    run_.trainer.save(run_.directory.checkpoint(run_.trainer.next_stage()), identity(run_.config));
    run_.directory.prune_checkpoints();
    events_.flush();
  }

  void summarize_run(std::vector<std::string> const& rows) const {
    auto const stages = run_.trainer.stages();
    try {
      auto const summary = summarize(rows, run_.trainer.simulator().spec(), stages);
      run_.directory.write_summary(summary_text(summary, run_.config.trainer.train.seed, stages));
    } catch (InputError const& error) {
      throw InputError(fmt::format("{}: {}", run_.directory.metrics(), error.what()));
    }
  }

  int conclude() const {
    auto const folder = run_.directory.path().string();
    auto const rows = run_.directory.read_metrics();
    bool const done = run_.trainer.next_stage() == run_.trainer.stages();
    if (done) summarize_run(rows);
    fmt::print("{}", final_table(rows));
    if (done) {
      fmt::print("{}: done, {} stages\n", folder, run_.trainer.stages());
      return 0;
    }
    fmt::print("{}: interrupted after {} of {} stages; go on with: shoal train --resume {}\n", folder,
               run_.trainer.next_stage(), run_.trainer.stages(), folder);
    return 130;
  }

  Run run_;
  TensorBoardWriter events_;
};

}  // namespace

int train(TrainCommand const& command) {
  bool const resume = !command.resume.empty();
  Run run = resume ? open(command) : begin(command);
  fmt::print(stderr, "{}: {}, {} instances, {}, {}\n", run.directory.path().string(), run.config.trainer.environment,
             run.config.trainer.train.instances, run.trainer.device().str(),
             resume ? fmt::format("resumed at stage {}", run.trainer.next_stage()) : "new run");
  Loop loop(std::move(run));
  catch_interrupts();
  return loop();
}

}  // namespace shoal
