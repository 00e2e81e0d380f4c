#include "src/analysis/population.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace shoal {

namespace {

RolloutShape with_steps(RolloutShape shape, int steps) {
  shape.steps = steps;
  shape.truncates = false;
  return shape;
}

RolloutShape of_one_agent(RolloutShape shape) {
  shape.agents = 1;
  return shape;
}

/// [instances, agents, ...] as rows.
at::Tensor rows_of(at::Tensor const& tensor, int t) { return tensor.select(0, t).flatten(0, 1); }

void write_supertypes(Simulator& simulator, at::Tensor const& supertypes, at::Device device) {
  auto const view = simulator.supertypes();
  if (view.size() == 0) return;
  auto const to = tensor_of(view, device);
  auto const rows = at::arange(to.size(0), at::TensorOptions().dtype(at::kLong).device(device));
  to.copy_(supertypes.index_select(0, rows.remainder(supertypes.size(0))));
}

}  // namespace

Population::Population(FrozenGame const& game, int instances, std::uint32_t seed)
    : simulator_(game.make_simulator(instances, seed)),
      slot_(make_rollout(with_steps(rollout_shape(*simulator_, 1), 1), game.device)) {
  for (auto const* policy : game.policies) policies_.push_back(policy->copy(slot_.shape, seed));
  write_supertypes(*simulator_, game.supertypes, game.device);
  simulator_->reset(slot_.first());
}

void Population::act(std::int64_t tick) {
  for (auto& policy : policies_) {
    policy->begin(tick);
    policy->act(slot_, 0);
  }
}

void Population::step() {
  auto out = slot_.output(0);
  auto const first = slot_.first();
  out.observations = first.observations;
  out.masks = first.masks;
  out.alive = first.alive;
  simulator_->step(slot_.input(0), out);
}

at::Tensor Population::episode_metrics() const { return mean_metrics(*simulator_, slot_.rewards.device()); }

at::Tensor Population::ended() const { return slot_.ended.select(0, 0).ne(0).all(1); }

Deviant::Deviant(Population const& population, PpoOptions const& options, std::uint32_t seed,
                 NetworkShape const& network, int steps)
    : rollout_(
          make_rollout(of_one_agent(with_steps(population.slot().shape, steps)), population.slot().rewards.device())),
      learner_(std::make_unique<PpoLearner>(options, ActorConfig{.agents = {0}, .seed = seed}, network, rollout_.shape,
                                            population.slot().rewards.device())),
      count_(population.spec().agents) {
  rollout_.drawn_as = at::zeros({rollout_.shape.instances, 1}, rollout_.rewards.options().dtype(at::kInt));
}

void Deviant::take(at::Tensor const& parameters) {
  at::NoGradGuard const no_grad;
  learner_->actor().parameters().copy_(parameters);
}

void Deviant::choose(at::Tensor const& agents) {
  agents_ = agents;
  rows_ = at::arange(agents.size(0), agents.options()) * count_ + agents;
  rollout_.drawn_as.copy_(agents.unsqueeze(1));
}

/// The deviating agents' rows of a one-slot tensor of the population.
at::Tensor Deviant::pick(at::Tensor const& slot) const { return rows_of(slot, 0).index_select(0, rows_); }

void Deviant::see(Population const& population, int t) {
  rows_of(rollout_.observations, t).copy_(pick(population.slot().observations));
  if (rollout_.masks.defined()) rows_of(rollout_.masks, t).copy_(pick(population.slot().masks));
  if (rollout_.alive.defined()) rows_of(rollout_.alive, t).copy_(pick(population.slot().alive));
}

void Deviant::act(Population const& population, int t) {
  at::NoGradGuard const no_grad;
  see(population, t);
  learner_->actor().act(rollout_, t);
  auto const put = [&](at::Tensor const& own, at::Tensor const& slot) {
    if (own.numel() > 0) rows_of(slot, 0).index_copy_(0, rows_, rows_of(own, t));
  };
  put(rollout_.continuous, population.slot().continuous);
  put(rollout_.discrete, population.slot().discrete);
}

void Deviant::record(Population const& population, int t) {
  rows_of(rollout_.rewards, t).copy_(pick(population.slot().rewards));
  rows_of(rollout_.ended, t).copy_(pick(population.slot().ended).ne(0));
}

void Deviant::learn(Population const& population) {
  see(population, rollout_.shape.steps);
  learner_->actor().evaluate_end(rollout_);
  learner_->update(rollout_);
}

}  // namespace shoal
