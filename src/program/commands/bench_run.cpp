#include "program/commands/bench_run.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/cuda.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "program/runs/interrupt.hpp"
#include "shoal/data/uniform_actions.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

using Clock = std::chrono::steady_clock;

double cpu_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void wait_for(at::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

/// Something that runs whole stages.
class Workload {
 public:
  virtual ~Workload() = default;
  virtual void stage() = 0;     // returns when the device is done too
  virtual Phases phases() = 0;  // of one more stage, with TrainerConfig::wait_for_phases
};

/// The environment alone, under uniform random actions that are drawn afresh in each step.
class Stepping final : public Workload {
 public:
  explicit Stepping(TrainerConfig const& config)
      : device_(choose_device(config.train.device)),
        simulator_(make_simulator(config, device_, nullptr)),
        horizon_(config.train.steps),
        slots_(make_rollouts(*simulator_, 1, device_)),
        inputs_(inputs(slots_, 0)),
        outputs_(outputs(slots_, 0)) {
    for (int g = 0; g < int(slots_.size()); ++g)
      actions_.push_back(uniform_actions(slots_[std::size_t(g)], group_seed(simulator_->options().seed, g), 0, 1));
    at::set_num_threads(choose_threads(config.train.threads));
    simulator_->reset(outputs_);  // where the masks lie that actions are drawn from
  }

  void stage() override {
    for (int t = 0; t < horizon_; ++t) {
      draw();
      simulator_->step(inputs_, outputs_);
    }
    simulator_->synchronize();
  }

  Phases phases() override {
    Phases phases;
    for (int t = 0; t < horizon_; ++t) {
      auto const start = Clock::now();
      draw();
      simulator_->synchronize();
      double const drawn = seconds_since(start);
      simulator_->step(inputs_, outputs_);
      simulator_->synchronize();
      phases.actions += drawn;
      phases.environment += seconds_since(start) - drawn;
    }
    return phases;
  }

 private:
  void draw() {
    for (auto& actions : actions_) {
      ++actions.random.step;
      ops::uniform(actions, device_);
    }
  }

  at::Device device_;
  std::unique_ptr<Simulator> simulator_;
  int horizon_;
  std::vector<Rollout> slots_;  // of one step: written again and again
  std::vector<StepInput> inputs_;
  std::vector<StepOutput> outputs_;
  std::vector<UniformArgs> actions_;
};

/// The stages of a run, or their rollouts alone.
class Training final : public Workload {
 public:
  Training(TrainerConfig const& config, bool updates) : trainer_(config), updates_(updates) {
    trainer_.run_stage();                                   // the first one begins with a reset, later ones go on
    int const calls = trainer_.device().is_cuda() ? 3 : 0;  // the third captures the graph
    for (int i = 0; i < calls; ++i) stage();
  }

  void stage() override {
    run();
    wait_for(trainer_.device());
  }

  Phases phases() override {
    auto const report = run();
    return {.environment = report.environment_seconds,
            .actions = 0,
            .inference = report.inference_seconds,
            .update = report.update_seconds};
  }

 private:
  StageReport run() { return updates_ ? trainer_.run_stage() : trainer_.run_rollout(); }

  Trainer trainer_;
  bool updates_;
};

std::unique_ptr<Workload> make_workload(TrainerConfig const& config, BenchMode mode) {
  if (mode == BenchMode::step) return std::make_unique<Stepping>(config);
  return std::make_unique<Training>(config, mode == BenchMode::train);
}

/// Runs stages for `seconds`, at least one, and returns how many a second; 0 if an interrupt came.
double stages_per_second(Workload& workload, double seconds) {
  auto const start = Clock::now();
  for (int stages = 1; !interrupted(); ++stages) {
    workload.stage();
    if (double const passed = seconds_since(start); passed >= seconds) return stages / passed;
  }
  return 0;
}

/// Means over the stages of `seconds`, at least one.
Phases mean_phases(Workload& workload, double seconds) {
  Phases mean;
  int stages = 0;
  auto const start = Clock::now();
  do {
    auto const p = workload.phases();
    mean.environment += p.environment;
    mean.actions += p.actions;
    mean.inference += p.inference;
    mean.update += p.update;
    ++stages;
  } while (seconds_since(start) < seconds && !interrupted());
  for (double* x : {&mean.environment, &mean.actions, &mean.inference, &mean.update}) *x /= stages;
  return mean;
}

/// What an update does with a rollout.
std::string update_text(PolicyOptions const& policy) {
  if (policy.algorithm != Algorithm::ppo) return std::get<std::string>(to_settings(policy).at("algorithm"));
  auto const& ppo = policy.ppo;
  return fmt::format("{} epoch{} of {} minibatch{}", ppo.epochs, ppo.epochs == 1 ? "" : "s", ppo.minibatches,
                     ppo.minibatches == 1 ? "" : "es");
}

/// "64-64 tanh", "64 tanh, lstm 64".
std::string network_text(PolicyOptions const& policy) {
  auto const& hidden = policy.network.hidden;
  auto const text = hidden.count == 0
                        ? std::string("linear")
                        : fmt::format("{} tanh", fmt::join(hidden.items, hidden.items + hidden.count, "-"));
  if (policy.memory == MemoryKind::none) return text;
  return fmt::format("{}, {} {}", text, std::get<std::string>(to_settings(policy).at("memory")), policy.memory_size);
}

/// All of the result but what is measured.
BenchResult describe(TrainerConfig config, BenchMode mode) {
  BenchResult result{.environment = config.environment,
                     .mode = mode,
                     .instances = config.train.instances,
                     .agents = 0,
                     .threads = choose_threads(config.train.threads),
                     .horizon = config.train.steps,
                     .network = network_text(config.policy),
                     .update = update_text(config.policy),
                     .observation_bytes = 0,
                     .state_bytes = 0,
                     .bytes_per_instance = 0,
                     .rollout_bytes_per_agent_step = 0,
                     .rates = {},
                     .phases = {},
                     .cpus = 0,
                     .own_share = 0,
                     .memory_share = {}};
  config.train.instances = 1;  // one shows the sizes
  auto const simulator = make_simulator(config, at::kCPU, nullptr);
  result.agents = simulator->spec().agents();
  std::int64_t bytes = 0, steps = 0;
  for (int g = 0; g < int(simulator->spec().groups.size()); ++g) {
    auto const shape = rollout_shape(*simulator, config.train.steps, g);
    bytes += rollout_bytes(shape);
    steps += std::int64_t(shape.steps) * shape.instances * shape.agents;
    result.observation_bytes = std::max(result.observation_bytes, shape.width * int(sizeof(float)));
  }
  result.state_bytes = simulator->state_size();
  auto const episode_sums = simulator->metric_names().size() * sizeof(float) + sizeof(std::int32_t);
  result.bytes_per_instance = result.state_bytes + episode_sums;
  result.rollout_bytes_per_agent_step = double(bytes) / double(steps);
  return result;
}

}  // namespace

char const* name_of(BenchMode mode) {
  return mode == BenchMode::step ? "step" : mode == BenchMode::rollout ? "rollout" : "train";
}

double BenchResult::median() const {
  auto const n = rates.size();
  return n == 0 ? 0 : (rates[(n - 1) / 2] + rates[n / 2]) / 2;
}

BenchResult measure(TrainerConfig const& config, BenchMode mode, BenchTiming const& timing) {
  auto result = describe(config, mode);
  auto workload = make_workload(config, mode);
  double const agent_steps = double(result.horizon) * result.instances * result.agents;  // of a stage
  stages_per_second(*workload, timing.seconds / 4);
  auto const start = Clock::now();
  double const process = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID), own = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  for (int r = 0; r < timing.repetitions; ++r)
    if (double const rate = stages_per_second(*workload, timing.seconds); rate > 0)
      result.rates.push_back(rate * agent_steps);
  double const seconds = seconds_since(start);
  result.cpus = (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - process) / seconds;
  result.own_share = (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - own) / seconds;
  std::sort(result.rates.begin(), result.rates.end());
  if (result.rates.empty()) return result;
  if (mode != BenchMode::step && choose_device(config.train.device).is_cuda()) {  // the CPU's phases always are true
    workload.reset();
    auto waiting = config;
    waiting.wait_for_phases = true;
    workload = make_workload(waiting, mode);
  }
  result.phases = mean_phases(*workload, timing.seconds / 2);
  return result;
}

double copy_bandwidth(at::Device device) {
  constexpr std::int64_t bytes = 256 << 20;  // more than caches hold
  constexpr int copies = 10, repetitions = 5;
  auto const from = at::zeros({bytes}, at::TensorOptions().dtype(at::kByte).device(device));
  auto const to = at::zeros_like(from);
  std::vector<double> rates;
  for (int r = 0; r <= repetitions; ++r) {  // the first one warms up
    wait_for(device);
    auto const start = Clock::now();
    for (int i = 0; i < copies; ++i) to.copy_(from);
    wait_for(device);
    if (r > 0) rates.push_back(2.0 * bytes * copies / seconds_since(start));
  }
  std::nth_element(rates.begin(), rates.begin() + repetitions / 2, rates.end());
  return rates[repetitions / 2];
}

}  // namespace shoal
