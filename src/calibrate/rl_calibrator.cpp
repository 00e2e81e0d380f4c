#include "shoal/calibrate/rl_calibrator.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace shoal {

namespace {

// Weight of the newest reward in a particle's baseline: the mean of about three episodes, while a profile moves little.
constexpr double baseline_rate = 0.3;

// The calibrator's decision as a rollout: one step, one agent, the profile as observation, one real action a
// coordinate.
RolloutShape decision_shape(int coordinates, int particles) {
  return {.steps = 1,
          .instances = particles,
          .agents = 1,
          .width = coordinates,
          .actions = {.continuous = coordinates},
          .masked = false,
          .truncates = false};
}

// Adam moves every parameter by about its rate, however noisy the gradient. At the same rate in many more dimensions,
// the noise in the linear map from profiles to increments outgrows the map's pull, and particles drift to the bounds.
PpoOptions scaled_to(int coordinates, CalibratorOptions const& options) {
  auto ppo = options.ppo;
  ppo.learning_rate.base *= std::min(1.0, double(options.rate_coordinates) / coordinates);
  return ppo;
}

// Particle 2k + 1 draws the opposite of what particle 2k drew, which is as probable. The particles' mean profile then
// moves by what the policy has learned, without the noise of the draws.
void pair_up(Rollout const& rollout) {
  auto const pairs = rollout.shape.instances / 2;
  auto const of_pairs = [&](at::Tensor const& tensor, int which) {
    return tensor.select(0, 0).narrow(0, 0, 2 * pairs).unflatten(0, {pairs, 2}).select(1, which);
  };
  auto const actions = [&](int which) { return of_pairs(rollout.continuous, which); };
  auto const means = [&](int which) { return of_pairs(rollout.parameters, which); };
  actions(1).copy_(means(1) + means(0) - actions(0));
  of_pairs(rollout.log_probabilities, 1).copy_(of_pairs(rollout.log_probabilities, 0));
}

PpoLearner make_learner(CalibratorOptions const& options, RolloutShape const& shape, std::uint32_t seed,
                        Collective const& collective, at::Device device) {
  auto const& hidden = options.network.hidden;
  NetworkShape const network{.inputs = shape.width,
                             .hidden = {hidden.items, hidden.items + hidden.count},
                             .actions = shape.actions,
                             .log_sd = std::log(options.increment_sd),
                             .mean_limit = options.increment,
                             .restoring = options.restoring};
  return {scaled_to(shape.width, options),
          {.agents = {0}, .purpose = Purpose::increment, .seed = seed, .stream = 1u << 31, .collective = collective},
          network,
          shape,
          device};
}

}  // namespace

RlCalibrator::RlCalibrator(CalibratorOptions const& options, ProfileSpace space, int particles, std::uint32_t seed,
                           Collective const& collective)
    : Calibrator(std::move(space), collective),
      baseline_(at::zeros({particles}, this->space().low().options())),
      rollout_(make_rollout(decision_shape(this->space().size(), particles), baseline_.device())),
      learner_(make_learner(options, rollout_.shape, seed, collective, baseline_.device())) {}

at::Tensor RlCalibrator::offsets(int slot) const { return rollout_.observations.select(0, slot).flatten(0, 1); }

at::Tensor RlCalibrator::profiles() const { return space().scaled(space().initial() + offsets(1)); }

void RlCalibrator::begin(std::int64_t stage) {
  stage_ = stage;
  learner_.begin(stage);
}

void RlCalibrator::propose() {
  at::NoGradGuard const no_grad;
  offsets(0).copy_(offsets(1));
  learner_.actor().act(rollout_, 0);
  pair_up(rollout_);
  auto const& origin = space().initial();
  offsets(1).copy_((origin + offsets(0) + rollout_.continuous.flatten(0, 2)).clamp(0, 1) - origin);
}

void RlCalibrator::learn(at::Tensor const& rewards) {
  if (stage_ == 0) {
    auto const mean = rewards.mean();
    collective().average(mean);
    baseline_.copy_(mean.expand_as(rewards));
  }
  rollout_.rewards.copy_((rewards - baseline_).view_as(rollout_.rewards));
  baseline_.lerp_(rewards, baseline_rate);
  learner_.actor().evaluate_end(rollout_);
  learner_.update(rollout_);
}

NamedTensors RlCalibrator::state() const {
  auto tensors = learner_.state();
  tensors.push_back({"profiles", rollout_.observations, 1});
  tensors.push_back({"baseline", baseline_, 0});
  return tensors;
}

}  // namespace shoal
