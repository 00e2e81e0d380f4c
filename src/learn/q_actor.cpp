#include "shoal/learn/q_actor.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <limits>

#include "src/nn/network_path.hpp"

namespace shoal {

QActor::QActor(ActorConfig config, NetworkShape network, bool dueling, double epsilon, RolloutShape const& rollout,
               at::Device device)
    : Actor(std::move(config), rollout, device),
      dueling_(dueling),
      resting_epsilon_(epsilon),
      network_(std::move(network), derived_seed(this->config().seed, Purpose::initial, this->config().stream), device),
      path_(make_network_path(network_, this->config().fused, device)),
      epsilon_(at::full({}, epsilon, network_.parameters().options())) {}

QActor::~QActor() = default;

std::unique_ptr<Actor> QActor::copy(RolloutShape const& rollout, std::uint32_t seed) const {
  auto actor = std::make_unique<QActor>(ActorConfig{.agents = agents(), .group = config().group, .seed = seed},
                                        network_.shape(), dueling_, resting_epsilon_, rollout, parameters().device());
  at::NoGradGuard const no_grad;
  actor->parameters().copy_(parameters());
  return actor;
}

at::Tensor QActor::combined(at::Tensor const& advantages, at::Tensor const& values, at::Tensor const& legal) const {
  auto q = advantages;
  if (dueling_) {
    auto const mean = legal.defined() ? (advantages * legal).sum(1, true) / legal.sum(1, true).clamp_min(1)
                                      : advantages.mean(1, true);
    q = values.unsqueeze(1) + advantages - mean;
  }
  return legal.defined() ? q.masked_fill(legal.logical_not(), -std::numeric_limits<double>::infinity()) : q;
}

at::Tensor QActor::q_values(at::Tensor const& observations, at::Tensor const& legal) const {
  auto const advantages = network_.distribution(observations);
  return combined(advantages, dueling_ ? network_.value(observations) : at::Tensor(), legal);
}

void QActor::act(Rollout const& rollout, int t) {
  at::NoGradGuard const no_grad;
  auto const observations = own_rows(rollout.observations.select(0, t));
  auto const rows = observations.size(0);
  int const choices = network_.shape().actions.total_choices;
  auto const advantages = at::empty({rows, choices}, observations.options());
  auto const values = at::empty({rows}, observations.options());
  path_->infer(observations.data_ptr<float>(), rows, advantages.data_ptr<float>(), values.data_ptr<float>());
  auto const legal = rollout.masks.defined() ? own_rows(rollout.masks.select(0, t)).to(at::kBool) : at::Tensor();
  auto const q = combined(advantages, values, legal);
  put_rows(rollout.values.select(0, t), q.amax(1));
  auto const count =
      legal.defined() ? legal.sum(1, true).to(at::kFloat).clamp_min(1) : at::full({1, 1}, double(choices), q.options());
  auto const share = (epsilon_ / count).expand_as(q);
  auto const probabilities = share.scatter_add(1, q.argmax(1, true), (1 - epsilon_).expand({rows, 1}));
  auto const logits = probabilities.clamp_min(1e-30).log().contiguous();
  sample(rollout, t, logits.data_ptr<float>(), network_.log_sd());
}

}  // namespace shoal
