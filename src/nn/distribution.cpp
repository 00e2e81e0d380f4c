#include "shoal/nn/distribution.hpp"

#include <ATen/ATen.h>

namespace shoal {

namespace {

// Calls f(log-probabilities of the choices [m, k], head) for each discrete head. Illegal choices have a probability of
// 0.
template <class F>
void each_discrete_head(ActionLayout const& layout, at::Tensor const& parameters, at::Tensor const& masks, F f) {
  std::int64_t at = 0;
  for (int h = 0; h < layout.discrete; ++h) {
    auto logits = parameters.narrow(1, layout.continuous + at, layout.choices[h]);
    if (masks.defined()) logits = logits.masked_fill(masks.narrow(1, at, layout.choices[h]) == 0, -1e9);
    f(at::log_softmax(logits, 1), h);
    at += layout.choices[h];
  }
}

at::Tensor zero_rows(at::Tensor const& parameters) { return at::zeros({parameters.size(0)}, parameters.options()); }

}  // namespace

at::Tensor log_probability(ActionLayout const& layout, at::Tensor const& parameters, at::Tensor const& log_sd,
                           ActionRows const& actions) {
  at::Tensor total;
  if (layout.continuous > 0) {
    auto const mean = parameters.narrow(1, 0, layout.continuous);
    auto const z = (actions.continuous - mean) * at::exp(-log_sd);
    total = z.square().sum(1).mul(-0.5) - (log_sd.sum() + layout.continuous * double(half_log_2pi));
  }
  each_discrete_head(layout, parameters, actions.masks, [&](at::Tensor const& log_p, int h) {
    auto const chosen = log_p.gather(1, actions.discrete.narrow(1, h, 1).to(at::kLong)).squeeze(1);
    total = total.defined() ? total + chosen : chosen;
  });
  return total;
}

at::Tensor entropy(ActionLayout const& layout, at::Tensor const& parameters, at::Tensor const& log_sd,
                   at::Tensor const& masks) {
  auto total = zero_rows(parameters);
  if (layout.continuous > 0) total = total + (log_sd.sum() + layout.continuous * (0.5 + double(half_log_2pi)));
  each_discrete_head(layout, parameters, masks,
                     [&](at::Tensor const& log_p, int) { total = total - (log_p.exp() * log_p).sum(1); });
  return total;
}

at::Tensor kl_divergence(ActionLayout const& layout, at::Tensor const& old_parameters, at::Tensor const& old_log_sd,
                         at::Tensor const& parameters, at::Tensor const& log_sd, at::Tensor const& masks) {
  at::Tensor total;
  if (layout.continuous > 0) {
    // log s - log s_old + (s_old^2 + (mu_old - mu)^2) / (2 s^2) - 1/2, summed over the heads
    auto const move = (old_parameters.narrow(1, 0, layout.continuous) - parameters.narrow(1, 0, layout.continuous)) *
                      at::exp(-log_sd);
    auto const change = log_sd - old_log_sd;
    total = move.square().sum(1).mul(0.5) + (change + 0.5 * (-2 * change).exp() - 0.5).sum();
  }
  std::vector<at::Tensor> old_heads;
  each_discrete_head(layout, old_parameters, masks, [&](at::Tensor const& log_p, int) { old_heads.push_back(log_p); });
  each_discrete_head(layout, parameters, masks, [&](at::Tensor const& log_p, int h) {
    auto const& old = old_heads[std::size_t(h)];
    auto const divergence = (old.exp() * (old - log_p)).sum(1);
    total = total.defined() ? total + divergence : divergence;
  });
  return total;
}

}  // namespace shoal
