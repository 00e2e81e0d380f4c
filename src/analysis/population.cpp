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

/// One step of every group, without final observations.
std::vector<Rollout> slots_of(Simulator const& simulator, at::Device device) {
  std::vector<Rollout> slots;
  for (int g = 0; g < int(simulator.spec().groups.size()); ++g)
    slots.push_back(make_rollout(with_steps(rollout_shape(simulator, 1, g), 1), device));
  return slots;
}

/// [instances, agents, ...] as rows.
at::Tensor rows_of(at::Tensor const& tensor, int t) { return tensor.select(0, t).flatten(0, 1); }

void write_supertypes(Simulator& simulator, at::Tensor const& supertypes, at::Device device) {
  auto const view = simulator.supertypes();
  if (view.size() == 0) return;
  auto const to = tensor_of(view, device);
  auto const first = std::int64_t(simulator.options().first_instance);
  auto const rows = at::arange(first, first + to.size(0), at::TensorOptions().dtype(at::kLong).device(device));
  to.copy_(supertypes.index_select(0, rows.remainder(supertypes.size(0))));
}

}  // namespace

Population::Population(FrozenGame const& game, int instances, std::uint32_t seed, Collective const& collective)
    : simulator_(game.make_simulator(instances, seed, collective)), slots_(slots_of(*simulator_, game.device)) {
  for (auto const* policy : game.policies) {
    int const group = policy->config().group;
    policies_.push_back(policy->copy(slot(group).shape, group_seed(seed, group)));
    policies_.back()->set_collective(collective);
  }
  write_supertypes(*simulator_, game.supertypes, game.device);
  simulator_->reset(first_outputs(slots_));
}

void Population::act(std::int64_t tick) {
  for (auto& policy : policies_) {
    policy->begin(tick);
    policy->act(slot(policy->config().group), 0);
  }
}

void Population::step() {
  auto out = outputs(slots_, 0);
  auto const first = first_outputs(slots_);
  for (std::size_t g = 0; g < out.size(); ++g) {
    out[g].observations = first[g].observations;
    out[g].masks = first[g].masks;
    out[g].alive = first[g].alive;
  }
  simulator_->step(inputs(slots_, 0), out);
}

at::Tensor Population::episode_metrics() const { return mean_metrics(*simulator_, slot().rewards.device()); }

at::Tensor Population::rewards() const { return all_agents(slots_, &Rollout::rewards, 0); }

at::Tensor Population::ended() const { return all_agents(slots_, &Rollout::ended, 0).ne(0).all(1); }

Deviant::Deviant(Population const& population, int group, PpoOptions const& options, std::uint32_t seed,
                 NetworkShape const& network, int steps)
    : rollout_(make_rollout(of_one_agent(with_steps(population.slot(group).shape, steps)),
                            population.slot(group).rewards.device())),
      learner_(std::make_unique<PpoLearner>(options, ActorConfig{.agents = {0}, .seed = group_seed(seed, group)},
                                            network, rollout_.shape, rollout_.rewards.device())),
      group_(group),
      count_(population.slot(group).shape.agents) {
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
  rows_of(rollout_.observations, t).copy_(pick(population.slot(group_).observations));
  if (rollout_.masks.defined()) rows_of(rollout_.masks, t).copy_(pick(population.slot(group_).masks));
  if (rollout_.alive.defined()) rows_of(rollout_.alive, t).copy_(pick(population.slot(group_).alive));
}

void Deviant::act(Population const& population, int t) {
  at::NoGradGuard const no_grad;
  see(population, t);
  learner_->actor().act(rollout_, t);
  auto const put = [&](at::Tensor const& own, at::Tensor const& slot) {
    if (own.numel() > 0) rows_of(slot, 0).index_copy_(0, rows_, rows_of(own, t));
  };
  put(rollout_.continuous, population.slot(group_).continuous);
  put(rollout_.discrete, population.slot(group_).discrete);
}

void Deviant::record(Population const& population, int t) {
  rows_of(rollout_.rewards, t).copy_(pick(population.slot(group_).rewards));
  rows_of(rollout_.ended, t).copy_(pick(population.slot(group_).ended).ne(0));
}

void Deviant::learn(Population const& population) {
  see(population, rollout_.shape.steps);
  learner_->actor().evaluate_end(rollout_);
  learner_->update(rollout_);
}

}  // namespace shoal
