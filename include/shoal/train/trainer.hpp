// A run: one simulator, its learners, and if wanted a calibrator, trained together stage by stage.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "shoal/analysis/frozen_game.hpp"
#include "shoal/calibrate/answer_choice.hpp"
#include "shoal/calibrate/calibrator.hpp"
#include "shoal/train/setup.hpp"
#include "shoal/train/stage_report.hpp"

namespace shoal {

class Figures;
class StageGraph;

class Trainer {
 public:
  /// @throws InputError for a configuration that cannot run
  explicit Trainer(TrainerConfig config);
  Trainer(Trainer&&) noexcept;
  ~Trainer();

  /// The next stage: a rollout, the updates, the report.
  /// @throws Error naming stage and tensor when something is no longer finite
  StageReport run_stage();

  /// run_stage() in two halves, so that several trainers share a device: on CUDA the first only queues the stage on the
  /// trainer's own stream, where it runs beside the others' stages, and the second waits for it. On the CPU the first
  /// does the work.
  void launch_stage();
  StageReport finish_stage();

  /// A stage's rollout alone, after the first stage, for measurements. The report holds the phases; work may still run
  /// on the device.
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
  std::vector<std::unique_ptr<Learner>> const& learners() const { return learners_; }

  /// The profile that the run stands for, [D] in the coordinates' own units: the best validated one, or the
  /// calibrator's answer where none was validated yet. Needs a calibrator.
  at::Tensor answer() const;

  /// The present policies, to be played with on the default stream; they must outlive the game.
  /// @param profiles  [P, D] in the coordinates' own units; without a calibrator undefined, for the initial profile
  FrozenGame frozen_game(at::Tensor const& profiles) const { return frozen_game(profiles, nullptr); }

  /// Everything that run_stage() depends on, between two stages. `configuration` is kept with it. All processes call it,
  /// and the first writes the file, which any number of processes can load.
  /// @throws Error if the file cannot be written whole; a file of that name stays as it was
  void save(std::string const& path, std::string const& configuration);
  /// Into a trainer whose calibration has not ended.
  /// @param configuration  must equal that of save()  @return the file's digest (checkpoint.hpp)
  /// @throws BrokenCheckpoint for a file that is cut short, before anything has changed; InputError for one of another
  ///         version or another configuration
  std::string load(std::string const& path, std::string const& configuration);

 private:
  void begin_episodes();
  void reset();
  void begin_stage();
  void end_phase(double& seconds);
  StageReport phases() const;
  void roll_out();
  void device_rollout();
  void device_stage();
  void update();
  void gather_figures();
  void fill(StageReport& report) const;
  void fill_figures(StageReport& report) const;
  Rollout const& rollout_of(Learner const& learner) const;
  at::Tensor reward_statistics() const;
  at::Tensor live_rows() const;
  std::int64_t live_steps() const;
  NamedTensors watched() const;
  void check_finite() const;
  NamedTensors learner_state() const;
  FrozenGame frozen_game(at::Tensor const& profiles, void* stream) const;
  Fit fit(at::Tensor const& profile, int episodes, std::uint32_t use) const;
  std::int64_t calibration_stages() const;
  std::int64_t cooldown_stages() const;
  std::int64_t cooldown_from() const;
  std::int64_t calibration_end() const;
  double heat() const;
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
  std::vector<Rollout> rollouts_;  // one for each group of agents
  std::vector<std::unique_ptr<Learner>> learners_;
  std::vector<std::string> learner_names_;  // PolicyMembers::name
  std::unique_ptr<Calibrator> calibrator_;
  at::Tensor metrics_;                // [B, metrics] of the stage, means over its episodes
  at::Tensor rewards_;                // [B] r_cal
  std::unique_ptr<Figures> figures_;  // what the host reads of a stage
  double environment_seconds_ = 0, inference_seconds_ = 0, update_seconds_ = 0;  // of the last stage, by the host
  std::chrono::steady_clock::time_point stage_start_ = {}, phase_start_ = {};
  AnswerChoice answer_;
  std::int64_t calibrated_at_ = -1;    // the stage that calibration ended before; -1: it goes on
  std::int64_t planned_ = -1;          // where it was to end, when it ended
  std::int64_t out_of_patience_ = -1;  // the stage whose validation ended the search, and began the cooldown
  std::int64_t rate_from_ = 0;         // the stage that the policies' learning rate began in
  std::int64_t stage_ = 0, agent_steps_ = 0;
  double seconds_ = 0;
};

}  // namespace shoal
