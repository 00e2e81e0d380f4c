// Games with policies that no longer learn, whose choices the tests set.
#pragma once

#include "shoal/analysis/equilibrium.hpp"
#include "shoal/learn/policy_actor.hpp"
#include "support/helpers.hpp"

namespace shoal::test {

inline std::vector<double> const dilemma = {3, 3, 0, 5, 5, 0, 1, 1};

/// A game with frozen policies, one for each of `groups`.
struct Fixture {
  std::string environment;
  Settings env;
  PpoOptions ppo = {.learning_rate = {1e-2, 0, 1}, .discount = 1, .minibatches = 4};
  ObservationOptions observation = {};
  std::vector<std::unique_ptr<PolicyActor>> policies = {};
  at::Tensor supertypes = {};
  std::int64_t stage = 0;

  Fixture(std::string name, Settings settings, std::vector<std::vector<int>> const& groups)
      : environment(std::move(name)), env(std::move(settings)) {
    make_policies(groups);
  }

  std::unique_ptr<Simulator> simulator(int instances, std::uint32_t seed) const {
    return make_simulator(environment, env, {.instances = instances, .seed = seed, .observation = observation});
  }
  void make_policies(std::vector<std::vector<int>> const& groups) {
    policies.clear();
    auto const one = simulator(1, 0);
    auto const shape = rollout_shape(*one, 1);
    for (auto const& group : groups)
      policies.push_back(std::make_unique<PolicyActor>(
          ActorConfig{.agents = group, .stream = std::uint32_t(policies.size())},
          NetworkShape{.inputs = shape.width, .hidden = {8}, .actions = shape.actions}, shape, at::kCPU));
    supertypes = tensor_of(one->supertypes(), at::kCPU).clone();
  }
  FrozenGame game() const {
    std::vector<Actor const*> actors;
    for (auto const& policy : policies) actors.push_back(policy.get());
    return {.make_simulator = [this](int instances, std::uint32_t seed,
                                     Collective const&) { return simulator(instances, seed); },
            .policies = std::move(actors),
            .supertypes = supertypes,
            .device = at::kCPU,
            .deviations = {policies.size(), ppo},
            .stage = stage};
  }
  EquilibriumReport check(EquilibriumOptions const& options) const {
    return *check_equilibrium(game(), options, [](double, std::string const&) { return true; });
  }
};

/// A matrix game of two players with a network for each group, whose choices the tests set.
inline Fixture matrix_game(std::vector<double> const& payoffs, Settings more = {},
                           std::vector<std::vector<int>> const& groups = {{0, 1}}) {
  int const actions = payoffs.size() == 18 ? 3 : 2;
  more.insert({{"actions", std::vector<double>(2, actions)}, {"payoffs", payoffs}});
  more.try_emplace("rounds", std::int64_t(1));
  return {"matrix_game", more, groups};
}

/// Makes the policy choose `action`, all but certainly: the biases of the actor's last layer.
inline void always(PolicyActor const& policy, int action) {
  auto const& parameters = policy.network().parameters();
  auto const& shape = policy.network().shape();
  PlainNetwork const network(shape, parameters);  // views of the parameters
  network.actor.back().weight.zero_();
  network.actor.back().bias.fill_(-20)[action] = 20;
}

}  // namespace shoal::test
