#include "program/commands/command_line.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "program/commands/bench_command.hpp"
#include "program/commands/check_command.hpp"
#include "program/commands/evaluate_command.hpp"
#include "program/commands/hash_command.hpp"
#include "program/commands/list_command.hpp"
#include "program/commands/new_command.hpp"
#include "program/commands/reach_command.hpp"
#include "program/commands/study_command.hpp"
#include "program/commands/train_command.hpp"
#include "program/commands/verify_command.hpp"
#include "program/commands/watch_command.hpp"
#include "program/runs/console.hpp"
#include "shoal/core/error.hpp"
#include "shoal/core/text.hpp"
#include "shoal/env/plugin.hpp"

namespace {

// Tensors of a few hundred KiB come and go thousands of times a second; given back to the system each time, page faults
// would take a third of an update.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

struct TrainFlags {
  std::string threads, device;
};

void add_train(CLI::App& app, shoal::TrainCommand& command, TrainFlags& flags, int& code) {
  auto* const train = app.add_subcommand("train", "train and calibrate what a configuration describes");
  auto const list = [](CLI::Option* option) { return option->take_all()->allow_extra_args(false); };
  auto* const config = train->add_option("config", command.config, "CONFIG.toml");
  auto* const resume = list(train->add_option("--resume", command.resume, "go on with the run in this folder"));
  resume->excludes(config);
  list(train->add_option("--set", command.overrides, "section.key=value, may be given several times"));
  train->add_option("--out", command.out, "folder of the run; default runs/NAME")->excludes(resume);
  list(train->add_option("--seed", command.seeds,
                         "sets train.seed; given several times, as many runs train side by side, in OUT/seed-N"))
      ->excludes(resume);
  train->add_option("--threads", flags.threads, "sets train.threads");
  train->add_option("--device", flags.device, "sets train.device: auto, cpu or cuda");
  train->callback([&] {
    if (command.config.empty() && command.resume.empty())
      throw shoal::InputError("train: expected CONFIG.toml or --resume DIR");
    auto const set = [&](char const* key, std::string const& value) {
      if (!value.empty()) command.overrides.push_back(fmt::format("{}={}", key, value));
    };
    set("train.threads", flags.threads);
    set("train.device", flags.device);
    code = shoal::train(command);
  });
}

void add_hash(CLI::App& app, shoal::HashOptions& o, int& code) {
  auto* const hash = app.add_subcommand("hash", "print the hash of trajectories under a fixed random policy");
  hash->add_option("environment", o.environment, "name of the environment")->required();
  hash->add_option("--instances", o.instances, "instances that step together");
  hash->add_option("--threads", o.threads, "CPU threads");
  hash->add_option("--team", o.team, "serial, or scrambled:W");
  hash->add_option("--steps", o.steps, "steps");
  hash->add_option("--seed", o.seed, "seed");
  hash->add_option("--show", o.show, "hash the first SHOW instances");
  hash->add_option("--device", o.device, "cpu or cuda");
  hash->add_option("--set", o.params, "key=value, a parameter of the environment")->take_all()->allow_extra_args(false);
  hash->callback([&] { code = shoal::hash_command(o); });
}

void add_verify(CLI::App& app, shoal::VerifyCommand& command, int& code) {
  auto* const verify = app.add_subcommand("verify", "tell whether an environment keeps what is asked of every one");
  verify->add_option("environment", command.environment, "name of the environment")->required();
  verify->add_option("--set", command.params, "key=value, a parameter of the environment")
      ->take_all()
      ->allow_extra_args(false);
  verify->callback([&] { code = shoal::verify(command); });
}

CLI::Range const any_seed(std::int64_t(0), std::int64_t(4294967295));

/// Where a stored run is played with, in place of its own settings.
struct MachineFlags {
  std::string threads, device;

  void add_to(CLI::App& command) {
    command.add_option("--threads", threads, "CPU threads; default: the run's");
    command.add_option("--device", device, "auto, cpu or cuda; default: the run's");
  }

  std::vector<std::string> overrides() const {
    std::vector<std::string> all;
    if (!threads.empty()) all.push_back("train.threads=" + threads);
    if (!device.empty()) all.push_back("train.device=" + device);
    return all;
  }
};

void add_check(CLI::App& app, shoal::CheckCommand& command, MachineFlags& flags, int& code) {
  auto* const check =
      app.add_subcommand("check", "tell whether a run's policy is an equilibrium: train deviations from it");
  auto& o = command.options;
  check->add_option("folder", command.directory, "DIR of the run")->required();
  check->add_option("--instances", o.instances, "of a deviation's training; default 256")
      ->check(CLI::Range(1, 1 << 24));
  check->add_option("--updates", o.updates, "of a deviation's training; default 100")->check(CLI::Range(0, 1 << 24));
  check->add_option("--evaluations", o.evaluations, "episodes behind each value; default 4096")
      ->check(CLI::Range(2, 1 << 24));
  check->add_option("--seed", o.seed, "default 0")->check(any_seed);
  check->add_flag("--particles", command.particles,
                  "at the calibrator's particles, not at the profile that the run chose");
  flags.add_to(*check);
  check->callback([&] {
    command.overrides = flags.overrides();
    code = shoal::check(command);
  });
}

void add_evaluate(CLI::App& app, shoal::EvaluateCommand& o, MachineFlags& flags, int& code) {
  auto* const evaluate = app.add_subcommand("evaluate", "measure the fit of a run's profile on episodes of its own");
  evaluate->add_option("folder", o.directory, "DIR of the run")->required();
  evaluate->add_option("--episodes", o.episodes, "default 4096")->check(CLI::Range(2, 1 << 24));
  evaluate->add_option("--seed", o.seed, "of the episodes; default 0")->check(any_seed);
  evaluate->add_option("--profile", o.profile, "profile.toml of a run; default: the profile that this run chose");
  evaluate->add_option("--targets", o.targets, "CONFIG.toml, for its [data] or targets; default: the run's targets");
  evaluate->add_flag("--coordinates", o.coordinates, "also what a move of each coordinate costs: is it pinned down");
  flags.add_to(*evaluate);
  evaluate->callback([&] {
    o.overrides = flags.overrides();
    code = shoal::evaluate(o);
  });
}

struct ReachFlags {
  std::string config;
  std::vector<std::string> overrides;
};

void add_reach(CLI::App& app, ReachFlags& flags, int& code) {
  auto* const reach =
      app.add_subcommand("reach", "find the best fit to a configuration's targets by direct simulation");
  reach->add_option("config", flags.config, "CONFIG.toml")->required();
  reach->add_option("--set", flags.overrides, "section.key=value, may be given several times")
      ->take_all()
      ->allow_extra_args(false);
  reach->callback([&] { code = shoal::reach(flags.config, flags.overrides); });
}

void add_bench(CLI::App& app, shoal::BenchOptions& o, int& code) {
  auto* const bench = app.add_subcommand(
      "bench",
      "measure agent steps per second of step (the environment under random actions, drawing them included), "
      "rollout (with inference) and train (with the update)");
  auto const list = [](CLI::Option* option) { option->take_all()->allow_extra_args(false); };
  list(bench->add_option("--env", o.environments, "an environment, may be given several times; default: all"));
  list(bench->add_option("--set", o.overrides, "section.key=value, as of train: env, policy and train"));
  bench->add_option("--instances", o.instances, "N, or A:B: A, 2 A, 4 A, ... up to B; default 64");
  list(bench->add_option("--agents", o.agents, "N[,N...] agents an instance")->delimiter(','));
  list(bench->add_option("--threads", o.threads, "K[,K...] CPU threads; default: one a core")->delimiter(','));
  list(bench->add_option("--horizon", o.horizons, "T[,T...] steps of a stage; default: an episode, at most 128")
           ->delimiter(','));
  bench->add_option("--mode", o.mode, "step, rollout, train or all");
  bench->add_option("--seconds", o.seconds, "of a repetition; default 1");
  bench->add_option("--repetitions", o.repetitions, "default 5; the table has their median");
  bench->add_option("--device", o.device, "cpu or cuda; default: cuda where there is one");
  bench->add_option("--json", o.json, "write all figures to this file; python/plot_bench.py draws them");
  bench->callback([&] { code = shoal::bench_command(o); });
}

void add_study(CLI::App& app, shoal::StudyCommand& command, int& code) {
  auto* const study = app.add_subcommand("study", "run and compare experiments x methods x seeds");
  study->add_option("file", command.file, "STUDY.toml")->required();
  study->add_option("--out", command.out, "folder of the study, new or to go on with; default runs/NAME");
  study->add_option("--jobs", command.jobs, "processes at once; default: one a core, on CUDA one")
      ->check(CLI::Range(1, 4096));
  study
      ->add_option("--batch", command.batch,
                   "seeds that a process trains side by side; default: one, on CUDA all of an experiment and method")
      ->check(CLI::Range(1, 4096));
  study->callback([&] { code = shoal::study(command); });
}

/// @throws InputError for a command that several processes cannot do together
void check_is_shared(CLI::App const& app) {
  for (auto const* const command : app.get_subcommands())
    if (auto const name = command->get_name(); name != "train" && name != "study")
      throw shoal::InputError(fmt::format("{}: one process does it; several can do train and study", name));
}

struct NewFlags {
  std::string name, root = ".";
};

void add_new(CLI::App& app, NewFlags& flags, int& code) {
  auto* const command = app.add_subcommand("new", "begin an environment of your own in shoal's source tree");
  command->add_option("name", flags.name, "such as river_game")->required();
  command->add_option("--root", flags.root, "the source tree; default: the folder where the program is started");
  command->callback([&] { code = shoal::new_command(flags.name, flags.root); });
}

void add_watch(CLI::App& app, shoal::WatchCommand& o, int& code) {
  auto* const watch = app.add_subcommand(
      "watch", "draw episodes of an environment under random play, or of a run under its policies; on the CPU");
  watch->add_option("what", o.what, "an environment, or DIR of a run")->required();
  watch->add_option("--set", o.overrides, "env.key=value, of an environment; may be given several times")
      ->take_all()
      ->allow_extra_args(false);
  watch->add_option("--episodes", o.episodes, "default 1");
  watch->add_option("--seed", o.seed, "default 0")->check(any_seed);
  watch->add_option("--fps", o.fps, "frames a second; default 5");
  auto* const gif = watch->add_option("--gif", o.gif, "write an animated GIF to this file, not to the terminal");
  watch->add_option("--page", o.page, "write an HTML page to this file that needs nothing else")->excludes(gif);
  watch->callback([&] { code = shoal::watch(o); });
}

int run(int argc, char** argv, shoal::Host const& host) {
  CLI::App app("shoal: a batch simulator for multi-agent systems, and the learners that consume it", "shoal");
  app.set_version_flag("--version", SHOAL_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // --plugin may stand behind the command too
  std::vector<std::string> plugins;
  app.add_option("--plugin", plugins, "a plugin with an environment of your own, may be given several times")
      ->take_all()
      ->allow_extra_args(false);
  app.parse_complete_callback([&] {
    if (!host.collective.is_alone()) check_is_shared(app);
    for (auto const& path : plugins) shoal::load_plugin(path);
  });
  int code = 0;
  shoal::TrainCommand train{.collective = host.collective};
  TrainFlags flags;
  add_train(app, train, flags, code);
  shoal::HashOptions hash;
  add_hash(app, hash, code);
  shoal::VerifyCommand verify;
  add_verify(app, verify, code);
  shoal::CheckCommand check;
  MachineFlags check_flags;
  add_check(app, check, check_flags, code);
  shoal::EvaluateCommand evaluate;
  MachineFlags evaluate_flags;
  add_evaluate(app, evaluate, evaluate_flags, code);
  ReachFlags reach;
  add_reach(app, reach, code);
  shoal::BenchOptions bench;
  add_bench(app, bench, code);
  shoal::StudyCommand study{.program = host.program, .collective = host.collective};
  add_study(app, study, code);
  shoal::WatchCommand watch;
  add_watch(app, watch, code);
  NewFlags begun;
  add_new(app, begun, code);
  std::string name;
  auto* const list = app.add_subcommand("list", "environments, options and metrics");
  list->add_option("name", name, "an environment or a section of a configuration");
  list->callback([&] { code = shoal::list_command(name); });
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      std::cout.flush();
      if (!std::cout) throw shoal::Error("standard output: cannot write");
      return 0;
    }
    shoal::tell_error(fmt::format("{}; see shoal --help", shoal::printable(error.what(), 300)));
    return 2;
  }
  return code;
}

}  // namespace

namespace shoal {

int run_command_line(int argc, char** argv, Host const& host) try {
  reserve_standard_descriptors();
  if (int const rank = host.collective.rank(); rank > 0)
    tell_errors_alone(fmt::format("shoal: process {} of {}", rank, host.collective.size()));
  keep_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is a failed write, as on a full disk
  int const code = run(argc, argv, host);
  finish_output();
  return code;
} catch (InputError const& error) {
  tell_error(error.what());
  return 2;
} catch (std::filesystem::filesystem_error const& error) {
  tell_error(description(error));
  bool const no_name =
      error.code() == std::errc::filename_too_long || error.code() == std::errc::too_many_symbolic_link_levels;
  return no_name ? 2 : 1;
} catch (std::exception const& error) {
  tell_error(description(error));
  return 1;
}

}  // namespace shoal
