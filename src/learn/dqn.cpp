#include "shoal/learn/dqn.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "shoal/core/error.hpp"
#include "shoal/ops/ops.hpp"

namespace shoal {

namespace {

enum Field { observation, action, n_step_return, factor, next, legal, next_legal };

DqnOptions const& checked(DqnOptions const& o, RolloutShape const& rollout, std::size_t members) {
  auto const& actions = rollout.actions;
  if (actions.continuous > 0 || actions.discrete != 1)
    throw SettingError(
        "policy.algorithm",
        fmt::format(" = \"dqn\": takes one discrete action, and the environment has {} continuous and {} "
                    "discrete; ppo, a2c and reinforce take any",
                    actions.continuous, actions.discrete));
  if (o.batch > o.replay)
    throw SettingError("policy.batch", fmt::format(" = {}: expected at most policy.replay = {}", o.batch, o.replay));
  if (o.learning_starts > o.replay)
    throw SettingError("policy.learning_starts",
                       fmt::format(" = {}: expected at most policy.replay = {}", o.learning_starts, o.replay));
  auto const stage = std::int64_t(rollout.steps) * rollout.instances * std::int64_t(members);
  if (stage > o.replay)
    throw SettingError(
        "policy.replay",
        fmt::format(" = {}: expected at least {}, the samples of a stage; or shorter stages, train.steps", o.replay,
                    stage));
  return o;
}

ReplayRing::Config ring_config(DqnOptions const& o, ActorConfig const& actor, RolloutShape const& rollout) {
  ReplayRing::Config config{.fields = {{"observation", at::kFloat, {rollout.width}},
                                       {"action", at::kInt},
                                       {"return", at::kFloat},
                                       {"factor", at::kFloat},
                                       {"next observation", at::kFloat, {rollout.width}}},
                            .capacity = o.replay,
                            .alpha = o.prioritized ? std::optional<float>(float(o.alpha)) : std::nullopt,
                            .seed = actor.seed,
                            .stream = actor.stream};
  if (rollout.masked)
    for (char const* const name : {"legal", "next legal"})
      config.fields.push_back({name, at::kByte, {rollout.actions.total_choices}});
  return config;
}

/// Rows of [T + 1, N, A, ...], then those of the final states, which NStepArgs::next names.
at::Tensor with_final(at::Tensor const& before, at::Tensor const& final) {
  auto const rows = before.flatten(0, 2);
  return final.defined() ? at::cat({rows, final.flatten(0, 2)}) : rows;
}

}  // namespace

double DqnOptions::epsilon(std::int64_t stage) const {
  double const done = exploration_stages > 0 ? std::min(1.0, double(stage) / exploration_stages) : 1;
  return epsilon_start + done * (epsilon_end - epsilon_start);
}

DqnLearner::DqnLearner(DqnOptions const& options, ActorConfig actor, NetworkShape network, RolloutShape const& rollout,
                       at::Device device)
    : options_(checked(options, rollout, actor.agents.size())),
      actor_(actor, network, options.dueling, options.epsilon_end, rollout, device),
      target_(actor, network, options.dueling, options.epsilon_end, rollout, device),
      optimizer_(actor_.parameters()),
      ring_(ring_config(options, actor, rollout), device),
      batch_(ring_.make_batch(options.batch)),
      samples_(sample_rows(rollout, actor_.agents(), device)),
      updates_(at::zeros({}, at::kLong)),
      figures_(at::zeros({4}, at::TensorOptions().dtype(at::kFloat).device(device))) {
  begin(0);
}

void DqnLearner::begin(std::int64_t stage, std::int64_t rate_stage) {
  actor_.begin(stage);
  actor_.set_epsilon(epsilon_ = options_.epsilon(rate_stage));
  optimizer_.set_rate(options_.learning_rate.rate(rate_stage));
}

void DqnLearner::insert(Rollout const& rollout) {
  auto const& shape = rollout.shape;
  auto const returns = at::empty_like(rollout.rewards), factors = at::empty_like(rollout.rewards);
  auto const next_rows = at::empty(rollout.rewards.sizes(), rollout.rewards.options().dtype(at::kLong));
  ops::nstep({.steps = shape.steps,
              .columns = std::int64_t(shape.instances) * shape.agents,
              .n = options_.n_step,
              .discount = float(options_.discount),
              .rewards = rollout.rewards.data_ptr<float>(),
              .ended = rollout.ended.data_ptr<std::uint8_t>(),
              .returns = returns.data_ptr<float>(),
              .factors = factors.data_ptr<float>(),
              .next = next_rows.data_ptr<std::int64_t>()},
             rollout.rewards.device());
  auto const own =
      rollout.alive.defined()
          ? samples_.index_select(0, rollout.alive.flatten().index_select(0, samples_).nonzero().squeeze(1))
          : samples_;
  auto const from = next_rows.flatten().index_select(0, own);
  std::vector<ReplayRing::Source> sources{{rollout.observations, own},
                                          {rollout.discrete, own},
                                          {returns, own},
                                          {factors, own},
                                          {with_final(rollout.observations, rollout.final_observations), from}};
  if (shape.masked) {  // of a final state it is not known what was legal: taken is what was legal before it
    auto const before = shape.truncates ? rollout.masks.narrow(0, 0, shape.steps) : at::Tensor();
    sources.push_back({rollout.masks, own});
    sources.push_back({with_final(rollout.masks, before), from});
  }
  ring_.insert(sources);
}

/// Which choices were legal, bool [batch, choices]; undefined: all.
at::Tensor DqnLearner::mask(int field) const {
  return batch_.fields.size() > std::size_t(field) ? batch_.fields[std::size_t(field)].to(at::kBool) : at::Tensor();
}

/// R + factor * Q of the best next action, [batch].
at::Tensor DqnLearner::targets() const {
  at::NoGradGuard const no_grad;
  auto const& f = batch_.fields;
  auto const q = target_.q_values(f[next], mask(next_legal));
  auto const best = (options_.double_q ? actor_.q_values(f[next], mask(next_legal)) : q).argmax(1, true);
  return f[n_step_return] + f[factor] * q.gather(1, best).squeeze(1);
}

void DqnLearner::step() {
  ring_.sample(batch_, float(options_.beta));
  auto const& f = batch_.fields;
  auto const y = targets();
  auto const& gradients = actor_.network().gradients();
  gradients.zero_();
  auto const q =
      actor_.q_values(f[observation], mask(legal)).gather(1, f[action].view({-1, 1}).to(at::kLong)).squeeze(1);
  auto const loss = (batch_.weights * at::huber_loss(q, y, at::Reduction::None)).mean();
  loss.backward();
  at::NoGradGuard const no_grad;
  optimizer_.descend(actor_.parameters(), gradients, options_.max_grad_norm);
  ring_.update(batch_, (q - y).detach());
  figures_[0].add_(loss.detach(), 1.0 / options_.updates);
  figures_[1].add_(q.detach().mean(), 1.0 / options_.updates);
  auto& steps = *updates_.data_ptr<std::int64_t>();
  if (++steps % options_.target_every == 0) target_.parameters().copy_(actor_.parameters());
}

void DqnLearner::update(Rollout const& rollout) {
  {
    at::NoGradGuard const no_grad;
    insert(rollout);
    figures_.zero_();
    figures_[2].fill_(epsilon_);
    figures_[3].fill_(double(ring_.rows()));
  }
  if (ring_.rows() < std::max(options_.learning_starts, std::int64_t(1))) return;
  for (int k = 0; k < options_.updates; ++k) step();
}

NamedTensors DqnLearner::state() const {
  NamedTensors all{{"parameters", actor_.parameters()}, {"target", target_.parameters()}, {"updates", updates_}};
  for (auto const& [name, tensor, axis] : optimizer_.state()) all.push_back({"adam." + name, tensor});
  for (auto const& [name, tensor, axis] : ring_.state()) all.push_back({"replay." + name, tensor});
  return all;
}

}  // namespace shoal
