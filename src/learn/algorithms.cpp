#include "shoal/learn/algorithms.hpp"

#include <algorithm>

#include "shoal/core/error.hpp"
#include "shoal/learn/a2c.hpp"
#include "shoal/learn/dqn.hpp"
#include "shoal/learn/fixed_learner.hpp"
#include "shoal/learn/frozen_run.hpp"
#include "shoal/learn/ppo.hpp"
#include "shoal/learn/reinforce.hpp"
#include "shoal/learn/uniform_actor.hpp"

namespace shoal {

namespace {

std::unique_ptr<Learner> make_frozen(PolicyOptions const& options, ActorConfig actor, RolloutShape const& rollout,
                                     at::Device device) {
  if (!options.frozen_run) throw SettingError("policy.run", " is missing; expected the folder of a run");
  auto const& policy = frozen_policy(*options.frozen_run, actor.group, actor.agents, rollout);
  return std::make_unique<FixedLearner>(make_frozen_actor(policy, std::move(actor), rollout, device));
}

}  // namespace

bool has_memory(PolicyOptions const& options) {
  if (options.algorithm == Algorithm::frozen && options.frozen_run) {
    auto const& policies = options.frozen_run->policies;
    return std::any_of(policies.begin(), policies.end(), [](auto const& policy) { return has_memory(policy.options); });
  }
  return learns(options.algorithm) && options.memory != MemoryKind::none;
}

bool is_capturable(PolicyOptions const& options) { return options.algorithm != Algorithm::dqn && !has_memory(options); }

NetworkShape network_shape(PolicyOptions const& options, RolloutShape const& rollout) {
  auto const& hidden = options.network.hidden;
  return {.inputs = rollout.width,
          .critic_only = rollout.critic_only,
          .hidden = {hidden.items, hidden.items + hidden.count},
          .actions = rollout.actions,
          .log_sd = options.log_sd,
          .mean_limit = 0,
          .memory = {options.memory, options.memory == MemoryKind::none ? 0 : options.memory_size}};
}

std::unique_ptr<Learner> make_learner(PolicyOptions const& options, ActorConfig actor, NetworkShape network,
                                      RolloutShape const& rollout, at::Device device) {
  auto const make = [&]<class T>(std::type_identity<T>, auto const& own) {
    return std::make_unique<T>(own, std::move(actor), std::move(network), rollout, device);
  };
  if (learns(options.algorithm)) actor.sequence = options.sequence;
  switch (options.algorithm) {
    case Algorithm::ppo: return make(std::type_identity<PpoLearner>(), options.ppo);
    case Algorithm::a2c: return make(std::type_identity<A2cLearner>(), options.a2c);
    case Algorithm::reinforce: return make(std::type_identity<ReinforceLearner>(), options.reinforce);
    case Algorithm::dqn: return make(std::type_identity<DqnLearner>(), options.dqn);
    case Algorithm::uniform:
      return std::make_unique<FixedLearner>(std::make_unique<UniformActor>(std::move(actor), rollout, device));
    case Algorithm::heuristic: throw Error("a heuristic is the environment's: make_learners makes it");
    case Algorithm::frozen: return make_frozen(options, std::move(actor), rollout, device);
  }
  throw Error("an algorithm that make_learner does not know");
}

}  // namespace shoal
