#include "shoal/learn/algorithms.hpp"

#include "shoal/core/error.hpp"
#include "shoal/learn/a2c.hpp"
#include "shoal/learn/dqn.hpp"
#include "shoal/learn/ppo.hpp"
#include "shoal/learn/reinforce.hpp"

namespace shoal {

bool is_capturable(PolicyOptions const& options) {
  return options.algorithm != Algorithm::dqn && options.memory == MemoryKind::none;
}

NetworkShape network_shape(PolicyOptions const& options, RolloutShape const& rollout) {
  auto const& hidden = options.network.hidden;
  return {.inputs = rollout.width,
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
  actor.sequence = options.sequence;
  switch (options.algorithm) {
    case Algorithm::ppo: return make(std::type_identity<PpoLearner>(), options.ppo);
    case Algorithm::a2c: return make(std::type_identity<A2cLearner>(), options.a2c);
    case Algorithm::reinforce: return make(std::type_identity<ReinforceLearner>(), options.reinforce);
    case Algorithm::dqn: return make(std::type_identity<DqnLearner>(), options.dqn);
  }
  throw Error("an algorithm that make_learner does not know");
}

}  // namespace shoal
