// What a calibrator is: somebody who chooses, stage by stage, the supertype profile that every instance runs its
// episode under, and sees how well the episode's metrics met their targets.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "shoal/calibrate/options.hpp"
#include "shoal/calibrate/profile_space.hpp"
#include "shoal/data/collective.hpp"
#include "shoal/data/named_tensors.hpp"
#include "shoal/env/spec.hpp"

namespace shoal {

/// One metric that should take a value. The weights of a run's targets sum to 1.
struct Target {
  std::string name;
  int metric;  // index into Simulator::metric_names()
  double value, weight, scale;
};

/// Resolves the entries of a configuration: each entry's weight is shared by its metrics, then all are scaled to a sum
/// of 1.
/// @throws SettingError for an unknown metric, counts that differ, weights that sum to 0, or a percentile ("x_p20")
///         above a higher one
std::vector<Target> resolve_targets(std::vector<TargetOptions> const& entries,
                                    std::vector<std::string> const& metric_names);

/// Targets as vectors [K] on the device.
struct Goal {
  at::Tensor columns, values, weights, scales;  // columns: places in a row of metrics
};
Goal make_goal(std::vector<Target> const& targets, at::Device device);

/// r_cal = sum_k w_k / (1 + |f_k - target_k| / scale_k), 1 at a perfect fit.
/// @param metrics  [B, metric_names.size()]  @return [B]
at::Tensor calibration_reward(Goal const& goal, at::Tensor const& metrics);

/// A stage is begin, propose, one episode of every instance under profiles(), learn, end_stage. propose() and learn()
/// are device work that a CUDA graph may have captured; begin() and end_stage() are the host's, outside of it.
class Calibrator {
 public:
  virtual ~Calibrator() = default;

  /// Says which stage it is.
  virtual void begin(std::int64_t stage) = 0;

  /// After begin(), in a calibration that has a cooldown. @param heat  1 before it, falling to 0 at its end
  virtual void cool(double /*heat*/) {}

  virtual void propose() {}

  /// The profiles of this process's instances in the coordinates' own units, [B, D].
  virtual at::Tensor profiles() const = 0;
  /// Their mean over all processes, [D].
  at::Tensor mean_profile() const;

  /// The one profile that it would give as its answer now, [D], in the coordinates' own units.
  virtual at::Tensor answer() const { return mean_profile(); }

  /// @param rewards  [B], r_cal of the episodes
  virtual void learn(at::Tensor const& /*rewards*/) {}

  /// @param mean_reward  over the instances of all processes
  virtual void end_stage(double /*mean_reward*/) {}

  /// What it learns, to be checked for values that are not finite; undefined: nothing.
  virtual at::Tensor parameters() const { return {}; }

  /// Everything that its future depends on, for checkpoints, filled in place. state(): tensors of fixed shape.
  /// history(): one tensor whose first dimension grows, or undefined.
  virtual NamedTensors state() const { return {}; }
  virtual at::Tensor history() const { return {}; }

  ProfileSpace const& space() const { return space_; }

 protected:
  explicit Calibrator(ProfileSpace space, Collective collective = {})
      : space_(std::move(space)), collective_(std::move(collective)) {}

  Collective const& collective() const { return collective_; }

 private:
  ProfileSpace space_;
  Collective collective_;
};

/// The calibrator that `options.kind` names.
/// @param instances  B, of this process
/// @throws InputError for an environment without coordinates, SettingError about calibrator.profile
std::unique_ptr<Calibrator> make_calibrator(CalibratorOptions const& options, Spec const& spec, int instances,
                                            std::uint32_t seed, at::Device device, Collective const& collective = {});

}  // namespace shoal
