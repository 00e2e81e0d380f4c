#include "shoal/learn/ppo.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace shoal {

namespace {

// Without bounds the coefficient would sink to 0 while KL stays small, and could never rise again.
constexpr double least_kl_coefficient = 1e-4, most_kl_coefficient = 1e4;

}  // namespace

PpoLearner::PpoLearner(PpoOptions const& options, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
                       at::Device device)
    : PolicyGradientLearner(options.learning_rate, std::move(actor), std::move(network), rollout, device),
      options_(options),
      kl_coefficient_(at::full({}, options.kl_coefficient, at::TensorOptions().dtype(at::kFloat).device(device))) {}

void PpoLearner::update(Rollout const& rollout) {
  estimate_advantages(rollout, actor(), options_.discount, options_.gae_lambda);
  learn(rollout);
}

void PpoLearner::learn(Rollout const& rollout) {
  auto const& o = options_;
  begin_update(rollout, Loss::mean);
  standardize_advantages(rollout);
  auto const count = all_starts() / o.minibatches * actor().sequence();
  for (int epoch = 0; epoch < o.epochs; ++epoch)
    for (int m = 0; m < o.minibatches; ++m) {
      auto const index = samples_of(minibatch(epoch, m, o.minibatches));
      auto args = loss_args(rollout, index, count);
      args.clip = float(o.clip);
      args.value_weight = float(o.value_weight);
      args.entropy_weight = float(o.entropy_weight);
      args.kl_coefficient = kl_coefficient_.data_ptr<float>();
      differentiate(args, rollout, epoch == o.epochs - 1);
      descend(o.max_grad_norm);
    }
  end_update(o.minibatches);
  adapt_kl_coefficient();
}

void PpoLearner::adapt_kl_coefficient() {
  if (options_.kl_coefficient == 0) return;  // no penalty, for ever
  auto const& kl = mean_kl();
  kl_coefficient_
      .mul_(at::where(kl > 2 * options_.kl_target, at::full_like(kl, 1.5),
                      at::where(kl < 0.5 * options_.kl_target, at::full_like(kl, 0.5), at::ones_like(kl))))
      .clamp_(least_kl_coefficient, most_kl_coefficient);
}

std::vector<std::string> PpoLearner::figure_names() const {
  auto names = PolicyGradientLearner::figure_names();
  names.push_back("kl_coefficient");
  return names;
}

at::Tensor PpoLearner::figures() const {
  return at::cat({PolicyGradientLearner::figures(), kl_coefficient_.unsqueeze(0)});
}

void PpoLearner::explore_again() {
  PolicyGradientLearner::explore_again();
  at::NoGradGuard const no_grad;
  kl_coefficient_.fill_(options_.kl_coefficient);
}

NamedTensors PpoLearner::state() const {
  auto all = PolicyGradientLearner::state();
  all.push_back({"kl_coefficient", kl_coefficient_});
  return all;
}

}  // namespace shoal
