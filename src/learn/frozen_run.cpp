#include "shoal/learn/frozen_run.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "shoal/core/error.hpp"
#include "shoal/core/text.hpp"
#include "shoal/learn/algorithms.hpp"
#include "shoal/learn/q_actor.hpp"
#include "shoal/learn/stochastic_actor.hpp"

namespace shoal {

namespace {

[[noreturn]] void fail(FrozenRun const& run, std::string const& problem) {
  throw SettingError("policy.run", fmt::format(" = \"{}\": {}", printable(run.name, 200), problem));
}

/// "12 reals observed, 2 continuous actions, choices among 3, 2"
std::string spaces_text(int width, int critic_only, ActionLayout const& actions) {
  auto const of_critics =
      critic_only > 0 ? fmt::format(" ({} by critics alone, policy.central_critic)", critic_only) : "";
  auto text = fmt::format("{} reals observed{}, {} continuous actions", width, of_critics, actions.continuous);
  if (actions.discrete > 0)
    text += fmt::format(", choices among {}", fmt::join(actions.choices, actions.choices + actions.discrete, ", "));
  return text;
}

bool covers(FrozenPolicy const& policy, int group, std::vector<int> const& agents) {
  return policy.group == group && std::all_of(agents.begin(), agents.end(), [&](int agent) {
           return std::find(policy.agents.begin(), policy.agents.end(), agent) != policy.agents.end();
         });
}

}  // namespace

FrozenPolicy const& frozen_policy(FrozenRun const& run, int group, std::vector<int> const& agents,
                                  RolloutShape const& rollout) {
  auto const found = std::find_if(run.policies.begin(), run.policies.end(),
                                  [&](FrozenPolicy const& policy) { return covers(policy, group, agents); });
  if (found == run.policies.end()) {
    std::vector<std::string> groups;
    for (auto const& policy : run.policies) groups.push_back(fmt::format("{}", fmt::join(policy.agents, ", ")));
    fail(run,
         fmt::format("none of its policies was trained for all of the agents {}; they were trained for the agents {}",
                     fmt::join(agents, ", "), fmt::join(groups, "; ")));
  }
  auto const expected = spaces_text(rollout.width, rollout.critic_only, rollout.actions);
  auto const there = spaces_text(found->width, found->critic_only, found->actions);
  if (there != expected) fail(run, fmt::format("its policy has {}; expected {}", there, expected));
  return *found;
}

std::unique_ptr<Actor> make_frozen_actor(FrozenPolicy const& policy, ActorConfig actor, RolloutShape const& rollout,
                                         at::Device device) {
  auto const network = network_shape(policy.options, rollout);
  auto const& dqn = policy.options.dqn;
  std::unique_ptr<Actor> frozen;
  if (policy.options.algorithm == Algorithm::dqn)
    frozen = std::make_unique<QActor>(std::move(actor), network, dqn.dueling, dqn.epsilon_end, rollout, device);
  else
    frozen = make_stochastic_actor(std::move(actor), network, rollout, device);
  if (frozen->parameters().sizes() != policy.parameters.sizes())
    throw Error(fmt::format("a frozen policy of {} parameters where its network has {}", policy.parameters.numel(),
                            frozen->parameters().numel()));
  at::NoGradGuard const no_grad;
  frozen->parameters().copy_(policy.parameters);
  return frozen;
}

}  // namespace shoal
