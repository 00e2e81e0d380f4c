#include "shoal/calibrate/search_calibrator.hpp"

#include <ATen/ATen.h>

#include <algorithm>

#include "shoal/ops/parallel.hpp"
#include "src/calibrate/bayesian_optimization.hpp"
#include "src/calibrate/cma_es.hpp"
#include "src/calibrate/random_search.hpp"

namespace shoal {

std::unique_ptr<ProfileSearch> make_profile_search(CalibratorOptions const& options, at::Tensor const& initial,
                                                   std::uint32_t seed) {
  auto const start = initial.to(at::kCPU, at::kDouble);
  if (options.kind == CalibratorKind::bo) return std::make_unique<BayesianOptimization>(options.bayesian, start, seed);
  if (options.kind == CalibratorKind::cmaes) return std::make_unique<CmaEs>(options.cma_es, start, seed);
  return std::make_unique<RandomSearch>(start, seed);
}

SearchCalibrator::SearchCalibrator(ProfileSpace space, std::unique_ptr<ProfileSearch> search, int period, int instances)
    : Calibrator(std::move(space)),
      search_(std::move(search)),
      period_(period),
      profiles_(at::empty({instances, this->space().size()}, this->space().low().options())),
      history_(at::empty({0, this->space().size() + 1}, at::kDouble)) {
  profiles_.copy_(this->space().scaled(this->space().initial()).expand_as(profiles_));
}

void SearchCalibrator::begin(std::int64_t stage) {
  stage_ = stage;
  auto const width = std::int64_t(space().size());
  auto const tried = history_.size(0);
  if (tried == stage / period_) {
    ThreadScope const one_thread(1);  // LibTorch may round sums differently on another number of threads
    auto const point = search_->next({history_.narrow(1, 0, width), history_.select(1, width)});
    history_.resize_({tried + 1, width + 1});  // keeps the rows that are there
    history_[tried].narrow(0, 0, width).copy_(point);
    history_[tried][width] = 0;
  }
  auto const unit = history_.select(0, -1).narrow(0, 0, width).to(profiles_.options());
  profiles_.copy_(space().scaled(unit).expand_as(profiles_));
}

at::Tensor SearchCalibrator::answer() const {
  auto const width = std::int64_t(space().size()), ended = history_.size(0) - 1;
  if (ended < 0) return profiles_.select(0, 0);
  auto const best = ended > 0 ? history_.narrow(0, 0, ended).select(1, width).argmax().item<std::int64_t>() : 0;
  return space().scaled(history_[best].narrow(0, 0, width).to(profiles_.options()));
}

void SearchCalibrator::end_stage(double mean_reward) {
  int const counted = std::max(1, period_ / 5);
  if (stage_ % period_ < period_ - counted) return;
  history_.select(0, -1).select(0, -1).add_(mean_reward / counted);
}

}  // namespace shoal
