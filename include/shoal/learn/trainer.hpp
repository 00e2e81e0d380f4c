// A run: one simulator, its policies, and if wanted a calibrator, trained together stage by stage.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shoal/learn/answer_choice.hpp"
#include "shoal/learn/calibrator.hpp"
#include "shoal/learn/estimate.hpp"
#include "shoal/learn/fit.hpp"
#include "shoal/learn/options.hpp"
#include "shoal/learn/ppo.hpp"

namespace shoal {

class StageGraph;

struct TrainerConfig {
  std::string environment;
  Settings env = {};
  PolicyOptions policy = {};
  std::optional<CalibratorOptions> calibrator = {};
  std::vector<TargetOptions> targets = {};
  /// With a calibrator: how its answer is validated, and how the policies settle at it. Empty: neither.
  std::optional<ValidationOptions> validation = {};
  SettlingOptions settling = {};
  TrainOptions train = {};
  /// For measurements: phases end with waiting for the device, so that their seconds are its own; graphs are not used then.
  bool wait_for_phases = false;
};

/// What a stage showed, as metrics.jsonl holds it.
struct StageReport {
  struct Metric {
    std::string name;
    double target, value;  // mean over the instances
  };
  struct Return {
    std::string supertype;
    double mean, sd;  // undiscounted, of the episodes that ended in the stage; sd: of the instances' means
  };
  struct Mean {
    std::string name;
    double mean;
  };
  std::int64_t stage = 0;             // counted from 0
  std::int64_t agent_steps = 0;       // since the beginning of the run
  double seconds = 0;                 // since the beginning of the run, training only
  double agent_steps_per_second = 0;  // of this stage
  std::optional<double> r_cal_mean = {}, r_cal_sd = {};
  std::vector<Metric> targets = {};
  std::vector<Return> returns = {};
  std::vector<Mean> profile = {};
  double kl = 0, kl_coefficient = 0, entropy = 0, value_loss = 0;  // means over the policies
  /// Of the best profile so far under the present policies, on the validation's episodes; in stages that end with a validation.
  std::optional<Fit> validation = {};
  /// On episodes that nothing was chosen with: at the end of the calibration, and of the settling.
  std::optional<Fit> calibrated = {}, settled = {};
  /// Of a stage that ends with a challenge: what each policy's agents would gain with one trained from scratch. Where that
  /// is above 0 for sure, it has replaced the policy.
  std::vector<Estimate> challenges = {};
  /// Host time of the stage's phases: on the CPU where time goes; on CUDA what it takes to launch, 0 once a graph is replayed.
  double environment_seconds = 0, inference_seconds = 0, update_seconds = 0;
  double validation_seconds = 0;
};

/// What a configuration's choices stand for on this machine.
/// @throws SettingError about train.device if it lacks that one
at::Device choose_device(DeviceChoice choice);
int choose_threads(int threads);

/// The simulator of a run: on the learners' threads (parallel.hpp), or on a cudaStream_t; null is LibTorch's default.
/// @param common  SimulatorOptions::common
std::unique_ptr<Simulator> make_simulator(TrainerConfig const& config, at::Device device, void* stream, int common = 1);

class Trainer {
 public:
  /// @throws InputError for a configuration that cannot run
  explicit Trainer(TrainerConfig config);
  Trainer(Trainer&&) noexcept;
  ~Trainer();

  /// Rollout, updates, report.
  /// @throws Error naming stage and tensor when something is no longer finite
  StageReport run_stage();

  /// run_stage() in two halves, so that several trainers share a device: on CUDA the first only queues the stage on the trainer's own
  /// stream, where it runs beside the others' stages, and the second waits for it. On the CPU the first does the work.
  void launch_stage();
  StageReport finish_stage();

  /// A stage's rollout alone, after the first stage, for measurements. The report holds the phases; work may still run on the device.
  StageReport run_rollout();

  /// One episode of every instance under the given profiles, without learning: the policies act as they are.
  /// @param profiles  [B, D], a row an instance  @param stream  tells the random actions of several calls apart
  /// @return [B, metrics], means over the instance's episodes. Needs a calibrator in the configuration.
  at::Tensor measure(at::Tensor const& profiles, std::int64_t stream);

  std::vector<Target> const& targets() const { return targets_; }
  Goal const& goal() const { return goal_; }
  std::int64_t next_stage() const { return stage_; }
  /// Where the run ends: after train.stages, or earlier once its calibration has.
  std::int64_t stages() const;
  bool calibrating() const { return calibrator_ && calibrated_at_ < 0; }
  at::Device device() const { return device_; }
  Simulator const& simulator() const { return *simulator_; }
  Calibrator const* calibrator() const { return calibrator_.get(); }  // null: none
  std::vector<PpoLearner> const& policies() const { return policies_; }

  /// The profile that the run stands for, [D] in the coordinates' own units: the best validated one, or the calibrator's answer
  /// where none was validated yet. Needs a calibrator.
  at::Tensor answer() const;

  /// The present policies, to be played with on the default stream; they must outlive the game.
  /// @param profiles  [P, D] in the coordinates' own units; without a calibrator undefined, for the initial profile
  FrozenGame frozen_game(at::Tensor const& profiles) const { return frozen_game(profiles, nullptr); }

  /// Everything that run_stage() depends on, between two stages. `configuration` is kept with it.
  /// @throws Error if the file cannot be written whole; a file of that name stays as it was
  void save(std::string const& path, std::string const& configuration);
  /// Into a trainer whose calibration has not ended.
  /// @param configuration  must equal that of save()  @return the file's digest (checkpoint.hpp)
  /// @throws BrokenCheckpoint for a file that is cut short, before anything has changed; InputError for one of another version or
  ///         another configuration
  std::string load(std::string const& path, std::string const& configuration);

 private:
  void begin_episodes();
  void begin_stage();
  void end_phase(double& seconds);
  StageReport phases() const;
  void roll_out();
  void device_rollout();
  void device_stage();
  std::vector<UpdateStats> update();
  at::Tensor figures(std::vector<UpdateStats> const& stats);
  void fill(StageReport& report) const;
  void check_finite() const;
  std::vector<at::Tensor> learner_state() const;
  FrozenGame frozen_game(at::Tensor const& profiles, void* stream) const;
  Fit fit(at::Tensor const& profile, int episodes, std::uint32_t use) const;
  std::int64_t settling_stages() const;
  std::int64_t calibration_stages() const;
  void validate(StageReport& report);
  void settle();
  bool is_challenged() const;
  void challenge_policies(StageReport& report);

  TrainerConfig config_;
  at::Device device_;
  std::unique_ptr<StageGraph> graph_, rollout_graph_;
  std::unique_ptr<Simulator> simulator_;
  std::vector<Target> targets_;
  Goal goal_;
  Rollout rollout_;
  std::vector<PpoLearner> policies_;
  std::unique_ptr<Calibrator> calibrator_;
  at::Tensor metrics_;  // [B, metrics] of the stage, means over its episodes
  at::Tensor rewards_;  // [B] r_cal
  at::Tensor figures_;  // what the host reads of a stage, f64
  double environment_seconds_ = 0, inference_seconds_ = 0,
         update_seconds_ = 0;  // of the last stage, by the host's clock
  std::chrono::steady_clock::time_point stage_start_ = {}, phase_start_ = {};
  AnswerChoice answer_;
  std::int64_t calibrated_at_ = -1;  // the stage that calibration ended before; -1: it goes on
  std::int64_t planned_ = -1;        // where it was to end, when it ended
  std::int64_t rate_from_ = 0;       // the stage that the policies' learning rate began in
  std::int64_t stage_ = 0, agent_steps_ = 0;
  double seconds_ = 0;
};

}  // namespace shoal
