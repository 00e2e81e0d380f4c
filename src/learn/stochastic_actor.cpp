#include "shoal/learn/stochastic_actor.hpp"

#include "shoal/learn/policy_actor.hpp"
#include "shoal/learn/recurrent_actor.hpp"

namespace shoal {

std::unique_ptr<StochasticActor> make_stochastic_actor(ActorConfig config, NetworkShape network,
                                                       RolloutShape const& rollout, at::Device device) {
  if (network.memory) return std::make_unique<RecurrentActor>(std::move(config), std::move(network), rollout, device);
  return std::make_unique<PolicyActor>(std::move(config), std::move(network), rollout, device);
}

}  // namespace shoal
