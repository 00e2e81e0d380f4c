#include "shoal/train/reachable.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

namespace shoal {

namespace {

constexpr int iterations = 200, evaluations = 8;
constexpr double first_sd = 0.25, last_sd = 0.01;  // in units of the bounds

// Mean metrics over `evaluations` episodes of every instance under one profile, [metrics].
at::Tensor evaluate(Trainer& trainer, at::Tensor const& profile, std::int64_t stream) {
  at::Tensor total;
  auto const rows = profile.expand({trainer.simulator().options().instances, -1});
  for (int i = 0; i < evaluations; ++i) {
    auto const metrics = trainer.measure(rows, stream + i);
    total = total.defined() ? total + metrics : metrics;
  }
  return total / evaluations;
}

// r_cal is a mean over episodes, not of the mean episode.
double mean_reward(Trainer& trainer, at::Tensor const& profile, std::int64_t stream) {
  double total = 0;
  auto const rows = profile.expand({trainer.simulator().options().instances, -1});
  for (int i = 0; i < evaluations; ++i)
    total += calibration_reward(trainer.goal(), trainer.measure(rows, stream + i)).mean().item<double>();
  return total / evaluations;
}

}  // namespace

ReachableFit find_reachable_fit(Trainer& trainer, std::function<void(int, int, double)> const& progress) {
  at::NoGradGuard const no_grad;
  auto const& space = trainer.calibrator()->space();
  auto const particles = trainer.simulator().options().instances;
  auto const elites = std::max(1, particles / 4);
  auto const generator = at::detail::createCPUGenerator(1);
  auto mean = space.initial();
  for (int i = 0; i < iterations; ++i) {
    double const sd = first_sd * std::pow(last_sd / first_sd, double(i) / (iterations - 1));
    auto const noise = at::randn({particles, mean.size(0)}, generator).to(mean.device());
    auto const unit = (mean + sd * noise).clamp(0, 1);
    auto const reward = calibration_reward(trainer.goal(), trainer.measure(space.scaled(unit), i));
    auto const [best, which] = reward.topk(elites);
    mean = unit.index_select(0, which).mean(0);
    progress(i + 1, iterations, best.mean().item<double>());
  }
  auto const profile = space.scaled(mean);
  ReachableFit fit;
  fit.r_cal = mean_reward(trainer, profile, iterations);
  fit.r_cal_initial = mean_reward(trainer, space.scaled(space.initial()), iterations);
  auto const metrics = evaluate(trainer, profile, iterations).mean(0).cpu();
  for (auto const& t : trainer.targets()) fit.targets.push_back({t.name, t.value, metrics[t.metric].item<double>()});
  auto const host = profile.cpu();
  for (int d = 0; d < space.size(); ++d) fit.profile.push_back({space.names()[std::size_t(d)], host[d].item<double>()});
  return fit;
}

}  // namespace shoal
