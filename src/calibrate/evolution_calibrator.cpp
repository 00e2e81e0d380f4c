#include "shoal/calibrate/evolution_calibrator.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

// Adam's rates. The momentum averages about 20 stages, each of which has a few pairs for every coordinate at most.
constexpr double momentum_rate = 0.05, square_rate = 0.01, least_root = 1e-12;
// Of the running average of the mean: about 20 stages.
constexpr double average_rate = 0.05;
// Of the cooldown: particles that are closer tell nothing about the profile but noise.
constexpr double least_heat_of_spread = 0.1;

}  // namespace

EvolutionCalibrator::EvolutionCalibrator(EvolutionOptions const& options, ProfileSpace space, int particles,
                                         std::uint32_t seed, Collective const& collective)
    : Calibrator(std::move(space), collective), options_(options), seed_(seed), pairs_(particles / 2) {
  auto const& initial = this->space().initial();
  auto const real = initial.options();
  mean_ = initial.clone();
  average_ = initial.clone();
  points_ = initial.expand({particles, -1}).contiguous();
  momentum_ = at::zeros_like(mean_);
  square_ = at::zeros_like(mean_);
  step_ = at::zeros({}, real);
  rate_ = at::zeros({}, real);
  stage_ = at::zeros({}, real.dtype(at::kInt));
  log_spread_ = at::full_like(mean_, std::log(options.spread));
  agent_ = at::zeros({1}, real.dtype(at::kInt));
  scratch_ = at::empty({2, particles}, real);
}

at::Tensor EvolutionCalibrator::side(at::Tensor const& rows, int which) const {
  return rows.narrow(0, 0, 2 * pairs_).unflatten(0, {pairs_, 2}).select(1, which);
}

void EvolutionCalibrator::begin(std::int64_t stage) {
  stage_.fill_(stage);
  rate_.fill_(options_.learning_rate.rate(stage));
}

void EvolutionCalibrator::cool(double heat) {
  rate_.mul_(heat);
  log_spread_.fill_(std::log(options_.spread * std::max(heat, least_heat_of_spread)));
}

/// Fills the rows of points with draws around the mean; both of a pair are the same.
void EvolutionCalibrator::draw() {
  auto const means = mean_.expand_as(points_).contiguous();
  ops::sample({.layout = {.continuous = int(mean_.numel())},
               .random = {.seed = seed_, .instance = std::uint32_t(collective().rank() * points_.size(0))},
               .stage = static_cast<std::uint32_t const*>(stage_.data_ptr()),
               .purpose = Purpose::increment,
               .members = 1,
               .all_agents = 1,
               .rows = points_.size(0),
               .agents = agent_.data_ptr<std::int32_t>(),
               .parameters = means.data_ptr<float>(),
               .log_sd = log_spread_.data_ptr<float>(),
               .masks = nullptr,
               .continuous = points_.data_ptr<float>(),
               .discrete = nullptr,
               .log_probabilities = scratch_[0].data_ptr<float>(),
               .entropies = scratch_[1].data_ptr<float>(),
               .kept_parameters = nullptr,
               .common = 2},
              points_.device());
}

void EvolutionCalibrator::propose() {
  at::NoGradGuard const no_grad;
  draw();
  side(points_, 1).copy_(2 * mean_ - side(points_, 0));
  if (points_.size(0) > 2 * pairs_) points_.select(0, -1).copy_(mean_);
  points_.clamp_(0, 1);
}

void EvolutionCalibrator::learn(at::Tensor const& rewards) {
  at::NoGradGuard const no_grad;
  if (pairs_ == 0) return;
  auto const gain = side(rewards, 0) - side(rewards, 1);
  auto const gradient = at::mv((side(points_, 0) - side(points_, 1)).t(), gain);
  collective().sum(gradient);
  step_ += 1;
  momentum_.lerp_(gradient, momentum_rate);
  square_.lerp_(gradient.square(), square_rate);
  auto const unbiased = [&](at::Tensor const& x, double rate) {
    return x / (1 - at::pow(at::full_like(step_, 1 - rate), step_));
  };
  auto const root = unbiased(square_, square_rate).sqrt() + least_root;
  mean_.addcmul_(unbiased(momentum_, momentum_rate) / root, rate_.expand_as(mean_)).clamp_(0, 1);
  average_.lerp_(mean_, average_rate);
}

NamedTensors EvolutionCalibrator::state() const {
  return {{"mean", mean_},         {"average", average_}, {"points", points_, 0},
          {"momentum", momentum_}, {"square", square_},   {"step", step_}};
}

}  // namespace shoal
