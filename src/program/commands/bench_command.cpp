#include "program/commands/bench_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

#include "program/config/run_config.hpp"
#include "program/reports/bench_report.hpp"
#include "program/runs/console.hpp"
#include "program/runs/device_memory.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/progress.hpp"
#include "program/runs/text_file.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {

namespace {

constexpr int most_instances = 1 << 24, most_threads = 4096, most_steps = 1 << 20;
constexpr int short_episode = 128;  // longer ones are cut, or rollouts would not fit memory

// ---- Options -------------------------------------------------------------------------------------------------------

void check_range(char const* option, double value, double low, double high, char const* kind) {
  if (!(value >= low && value <= high))
    throw InputError(fmt::format("--{} = {}: expected {} in [{}, {}]", option, value, kind, low, high));
}

template <class T>
void check_unique(char const* option, std::vector<T> const& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::find(values.begin(), values.begin() + std::ptrdiff_t(i), values[i]) != values.begin() + std::ptrdiff_t(i))
      throw InputError(fmt::format("--{} = {}: given twice", option, values[i]));
}

void check(BenchOptions const& o) {
  check_unique("env", o.environments);
  check_unique("agents", o.agents);
  check_unique("threads", o.threads);
  check_unique("horizon", o.horizons);
  for (int const n : o.threads) check_range("threads", n, 1, most_threads, "integers");
  for (int const n : o.horizons) check_range("horizon", n, 1, most_steps, "integers");
  check_range("seconds", o.seconds, 1e-3, 3600, "a real");
  check_range("repetitions", o.repetitions, 1, 1000, "an integer");
  if (!o.device.empty() && o.device != "cpu" && o.device != "cuda")
    throw InputError(fmt::format("--device = \"{}\": expected \"cpu\" or \"cuda\"", o.device));
}

std::vector<BenchMode> modes_of(std::string const& text) {
  std::vector<BenchMode> const all{BenchMode::step, BenchMode::rollout, BenchMode::train};
  if (text == "all") return all;
  for (auto const mode : all)
    if (text == name_of(mode)) return {mode};
  throw InputError(fmt::format("--mode = \"{}\": expected \"step\", \"rollout\", \"train\" or \"all\"", text));
}

/// The environments that are asked for; all if none is.
std::vector<std::string> environments_of(std::vector<std::string> const& asked) {
  std::vector<std::string> known;
  for (auto const& info : environments()) known.push_back(info.name);
  for (auto const& name : asked)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError(fmt::format("--env = \"{}\": expected one of \"{}\"", name, fmt::join(known, "\", \"")));
  return asked.empty() ? known : asked;
}

/// "N" or "A:B". Empty for empty text.
std::vector<int> instances_of(std::string const& text) {
  if (text.empty()) return {};
  auto const number = [&](std::string const& part) {
    int value = 0;
    auto const [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    bool const whole = error == std::errc{} && end == part.data() + part.size();
    return whole && value >= 1 && value <= most_instances ? value : 0;
  };
  auto const colon = text.find(':');
  int const first = number(text.substr(0, colon));
  int const last = colon == std::string::npos ? first : number(text.substr(colon + 1));
  if (first == 0 || last < first)
    throw InputError(
        fmt::format("--instances = {}: expected N, or A:B with A <= B, integers in [1, {}]", text, most_instances));
  std::vector<int> sizes;
  for (int n = first; n <= last; n *= 2) sizes.push_back(n);
  return sizes;
}

// ---- Cases ---------------------------------------------------------------------------------------------------------

/// What is given, or else the one value that stands in for it.
template <class T>
std::vector<T> given_or(std::vector<T> const& given, T fallback) {
  return given.empty() ? std::vector<T>{fallback} : given;
}

/// The run that an environment would have with the overrides. @param agents  0: as many as it has by itself
TrainerConfig run_of(std::string const& environment, BenchOptions const& o, int agents) {
  auto config = parse_config(fmt::format("[env]\nname = \"{}\"\n", environment), "bench", o.overrides);
  auto& env = config.sections["env"];
  if (agents > 0) {
    Settings params;
    try {
      params = params_with_agents(environment, agents);
    } catch (SettingError const& error) {
      throw InputError(fmt::format("--agents: {}.{}", environment, error.what()));
    }
    for (auto& [key, value] : params) {
      if (env.count(key)) throw InputError(fmt::format("--set env.{}: excludes --agents, which sets it too", key));
      config.origins["env." + key] = "--agents: ";
      env.emplace(key, std::move(value));
    }
  }
  if (!o.device.empty()) config.sections["train"]["device"] = o.device;
  auto run = resolve(config).trainer;
  bool const map_given = config.sections["policy"].count("map") > 0;
  bool const has_groups = make_simulator(run.environment, run.env, {})->spec().groups.size() > 1;
  if (has_groups && !map_given && !run.policy.observation.pad_groups)
    run.policy.map = PolicyMapKind::group;  // those with different spaces cannot share a policy
  return run;
}

int default_horizon(TrainerConfig const& run) {
  if (run.train.steps > 0) return run.train.steps;
  auto const episode = make_simulator(run.environment, run.env, {})->spec().max_episode_steps;
  return run.calibrator ? episode : std::min(episode, short_episode);
}

struct Case {
  TrainerConfig config;
  BenchMode mode;
};

/// All cases in the table's order. Those that differ in `instances` alone are a sweep.
std::vector<Case> cases_of(BenchOptions const& o) {
  auto const modes = modes_of(o.mode);
  auto const sizes = instances_of(o.instances);
  std::vector<Case> cases;
  for (auto const& environment : environments_of(o.environments))
    for (int const agents : given_or(o.agents, 0)) {
      if (!o.agents.empty()) check_range("agents", agents, 1, most_threads, "integers");
      auto run = run_of(environment, o, agents);
      auto const threads_of_run = run.train.threads, instances_of_run = run.train.instances;
      for (int const horizon : given_or(o.horizons, default_horizon(run)))
        for (int const threads : given_or(o.threads, threads_of_run))
          for (auto const mode : modes)
            for (int const instances : given_or(sizes, instances_of_run)) {
              run.train.steps = horizon;
              run.train.threads = threads;
              run.train.instances = instances;
              cases.push_back({run, mode});
            }
    }
  return cases;
}

// ---- Measuring -----------------------------------------------------------------------------------------------------

bool same_sweep(BenchResult const& a, BenchResult const& b) {
  auto const key = [](BenchResult const& r) {
    return std::tuple(r.environment, r.mode, r.agents, r.threads, r.horizon);
  };
  return key(a) == key(b);
}

/// Marks the fastest of each sweep that has more than one size.
void mark_best(std::vector<BenchResult>& results) {
  for (auto first = results.begin(), last = first; first != results.end(); first = last) {
    last = std::find_if(first, results.end(), [&](auto const& r) { return !same_sweep(r, *first); });
    if (last - first > 1)
      std::max_element(first, last, [](auto const& a, auto const& b) { return a.median() < b.median(); })->best = true;
  }
}

class Bench {
 public:
  Bench(BenchOptions const& options, std::vector<Case> cases)
      : options_(options),
        cases_(std::move(cases)),
        device_(choose_device(cases_.front().config.train.device)),
        report_{.device = device_name(device_.is_cuda() ? Device::cuda : Device::cpu),
                .timing = {options.seconds, options.repetitions}} {}

  int operator()() {
    for (int const threads : options_.threads) warn_about_threads("--threads", threads);
    catch_interrupts();
    try {
      run();
    } catch (...) {
      if (!report_.results.empty()) conclude();
      throw;
    }
    conclude();
    return report_.interrupted ? 130 : 0;
  }

 private:
  void run() {
    if (device_.is_cuda()) report_.copy_bandwidth = copy_bandwidth(device_);
    for (std::size_t i = 0; i < cases_.size() && !interrupted(); ++i) {
      auto const& [config, mode] = cases_[i];
      show(fmt::format("{}/{}  {} {}, {} instances", i + 1, cases_.size(), config.environment, name_of(mode),
                       config.train.instances));
      if (mode == BenchMode::step)
        check_memory({fmt::format("--instances = {}", config.train.instances), config.train.instances,
                      instance_bytes(config.environment, config.env, config.policy.observation, 1), 0},
                     device_);
      auto result = measure(config, mode, report_.timing);
      if (report_.copy_bandwidth && mode == BenchMode::step) {
        double const bytes = result.observation_bytes + 2.0 * double(result.state_bytes) / result.agents;
        result.memory_share = bytes * result.median() / *report_.copy_bandwidth;
      }
      if (!result.rates.empty()) report_.results.push_back(std::move(result));
    }
  }

  void conclude() {
    show("");
    report_.interrupted = interrupted();
    mark_best(report_.results);
    fmt::print("{}", to_text(report_));
    if (report_.interrupted) fmt::print("interrupted: {} of {} measured\n", report_.results.size(), cases_.size());
    if (options_.json.empty()) return;
    std::ofstream file(options_.json, std::ios::binary);
    file << to_json(report_);
    file.close();
    if (!file) throw Error(fmt::format("--json {}: cannot be written", options_.json));
  }

  /// On a terminal: what is being measured, until the table comes.
  static void show(std::string const& text) {
    if (is_live_terminal()) tell(fmt::format("\r{}\x1b[K", text), 0);
  }

  BenchOptions const& options_;
  std::vector<Case> cases_;
  at::Device device_;
  BenchReport report_;
};

}  // namespace

int bench_command(BenchOptions const& options) {
  check(options);
  auto cases = cases_of(options);
  if (!options.json.empty()) check_writable("--json", options.json);
  return Bench(options, std::move(cases))();
}

}  // namespace shoal
