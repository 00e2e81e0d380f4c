#include "shoal/analysis/equilibrium.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/analysis/population.hpp"

namespace shoal {

namespace {

constexpr double least_scale = 1e-3;
constexpr char const* deviation_starts[] = {"pi*", "scratch 1", "scratch 2"};

/// Uses of EquilibriumOptions::seed, so that no two share random numbers.
enum class Use : std::uint32_t { episodes, evaluated_agents, training, trained_agents, network };

std::uint32_t seed_of(EquilibriumOptions const& options, Use use, std::uint32_t which) {
  return std::uint32_t(derived_seed(options.seed, Purpose::deviation, std::uint32_t(use), which));
}

/// Each of them with the same probability. @return i64, of the given sizes
at::Tensor draw_agents(std::vector<int> const& agents, at::IntArrayRef sizes, at::Generator generator,
                       at::Device device) {
  std::vector<std::int64_t> const all(agents.begin(), agents.end());
  auto const which = at::randint(std::int64_t(all.size()), sizes, generator, at::TensorOptions().dtype(at::kLong));
  return at::tensor(all, at::kLong).index_select(0, which.flatten()).view(sizes).to(device);
}

/// PPO for the return alone: nothing holds a deviation near pi* or keeps it random.
PpoOptions deviation_options(PpoOptions options, std::int64_t samples) {
  options.kl_coefficient = options.entropy_weight = 0;
  options.minibatches = int(std::min<std::int64_t>(options.minibatches, samples));
  return options;
}

/// The agents of each supertype among `agents`, which act with one policy. One that shares its supertype with agents of
/// other policies is called by its number. @param first  the number of their group's agent 0
std::vector<Deviators> supertypes_of(std::vector<int> const& agents, std::size_t policy, int first, Spec const& spec) {
  std::vector<Deviators> parts;
  for (std::size_t s = 0; s < spec.supertypes.size(); ++s) {
    auto const is_member = [&](int agent) { return spec.supertype_of[std::size_t(first + agent)] == int(s); };
    Deviators part{spec.supertypes[s].name, policy, {}};
    std::copy_if(agents.begin(), agents.end(), std::back_inserter(part.agents), is_member);
    auto const members = std::count(spec.supertype_of.begin(), spec.supertype_of.end(), int(s));
    if (part.agents.size() == 1 && members > 1) part.name = fmt::format("agent_{}", first + part.agents[0]);
    if (!part.agents.empty()) parts.push_back(std::move(part));
  }
  return parts;
}

bool is_finite(at::Tensor const& tensor) { return at::isfinite(tensor).all().item<bool>(); }

class Check {
 public:
  Check(FrozenGame const& game, EquilibriumOptions const& options, EquilibriumProgress const& progress)
      : game_(game), options_(options), progress_(progress) {
    for (std::size_t p = 0; p < game.policies.size(); ++p)
      if (may_deviate(p) && game.policies[p]->network_shape().memory)
        throw InputError("policy.memory: deviations from policies with memory are not trained; expected \"none\"");
  }

  std::optional<EquilibriumReport> run() {
    set_lengths();
    auto deviators = all_deviators(game_.policies, spec_);
    std::erase_if(deviators, [&](Deviators const& who) { return !may_deviate(who.policy); });
    if (deviators.empty())
      throw InputError("policy.algorithm: no policy learns, so that none is checked; expected one that does");
    auto const trainings = double(deviators.size() * std::size(deviation_starts));
    work_ = training_work() * trainings + evaluation_work() * (trainings + 1);

    auto const everyone = evaluate("pi*", {});
    if (!everyone) return {};
    EquilibriumReport report{.shared = game_.policies.size() == 1, .deviators = {}};
    for (auto const& who : deviators) {
      auto checked = check(who, *everyone, spec_.may_abstain);
      if (!checked) return {};
      report.deviators.push_back(std::move(*checked));
    }
    return report;
  }

  Challenge challenge(Deviators const& who, int challengers) {
    set_lengths();
    work_ = challengers * training_work() + (challengers + 1) * evaluation_work();
    auto const [agents, base] = baseline(who, *evaluate("pi*", {}));
    auto const& network = game_.policies[who.policy]->network_shape();
    Challenge best;
    for (int c = 0; c < challengers; ++c) {
      auto const what = fmt::format("challenger {}", c + 1);
      auto const parameters = *train(who, false, what);
      auto const returns = *evaluate(what, Deviating{group_of(who), network, parameters, agents});
      auto const regret = estimate(of_agents(returns, who, agents) - base);
      if (c == 0 || regret.mean > best.regret.mean) best = {regret, parameters};
    }
    return best;
  }

 private:
  /// A network that the agents `who` [episodes] act with.
  struct Deviating {
    int group;
    NetworkShape const& network;
    at::Tensor parameters, who;
  };

  bool may_deviate(std::size_t policy) const { return game_.deviations[policy].has_value(); }

  /// Of each agent's policy, [1, agents] f64; 1 where nobody deviates.
  at::Tensor discounts() const {
    auto const all = at::ones({1, spec_.agents()}, at::kDouble);
    for (std::size_t p = 0; p < game_.policies.size(); ++p)
      for (int const agent : game_.policies[p]->agents())
        if (may_deviate(p))
          all[0][spec_.first_agent(game_.policies[p]->config().group) + agent] = game_.deviations[p]->discount;
    return all.to(game_.device);
  }

  void set_lengths() {
    spec_ = game_.make_simulator(1, options_.seed, {})->spec();
    longest_ = spec_.max_episode_steps;
    steps_ = options_.steps > 0 ? options_.steps : longest_;
  }

  int group_of(Deviators const& who) const { return game_.policies[who.policy]->config().group; }

  /// Of each episode the return of one agent. @param agents  [episodes], of the deviators' group
  at::Tensor of_agents(at::Tensor const& returns, Deviators const& who, at::Tensor const& agents) const {
    return returns.gather(1, (agents + spec_.first_agent(group_of(who))).unsqueeze(1)).squeeze(1);
  }

  struct Baseline {
    at::Tensor agents, returns;  // [episodes]: who may deviate, and what they earn with pi*
  };

  Baseline baseline(Deviators const& who, at::Tensor const& everyone) const {
    auto const generator = at::detail::createCPUGenerator(seed_of(options_, Use::evaluated_agents, number_));
    auto const agents = draw_agents(who.agents, {options_.evaluations}, generator, game_.device);
    return {agents, of_agents(everyone, who, agents)};
  }

  // In agent steps of one agent.
  double training_work() const { return double(options_.updates) * options_.instances * steps_; }
  double evaluation_work() const { return double(options_.evaluations) * longest_; }

  bool advance(double work, std::string const& what) {
    done_ += work;
    return progress_(std::min(done_ / work_, 1.0), what);
  }

  std::optional<DeviatorsReport> check(Deviators const& who, at::Tensor const& everyone, bool may_abstain) {
    auto const [agents, base] = baseline(who, everyone);
    DeviatorsReport report{.who = who, .value = estimate(base), .scale = 0, .deviations = {}};
    report.scale = std::max(std::abs(report.value.mean), least_scale);
    auto const add = [&](std::string const& start, at::Tensor const& values) {
      auto const regret = estimate(values - base);
      report.deviations.push_back({start, estimate(values), regret, regret.mean / report.scale});
    };
    auto const& policy = *game_.policies[who.policy];
    auto const& network = policy.network_shape();
    for (char const* const start : deviation_starts) {
      if (start == deviation_starts[0] && !policy.policy_parameters().defined()) continue;
      auto const what = fmt::format("{} from {}", who.name, start);
      auto const parameters = train(who, start == deviation_starts[0], what);
      if (!parameters) return {};
      auto const returns = evaluate(what, Deviating{group_of(who), network, *parameters, agents});
      if (!returns) return {};
      add(start, of_agents(*returns, who, agents));
    }
    if (may_abstain) add("do nothing", at::zeros_like(base));
    return report;
  }

  /// @return the trained parameters
  std::optional<at::Tensor> train(Deviators const& who, bool from_policy, std::string const& what) try {
    auto const& policy = *game_.policies[who.policy];
    auto const number = number_++;
    Population population(game_, options_.instances, seed_of(options_, Use::training, number));
    auto const samples = std::int64_t(steps_) * options_.instances;
    Deviant deviant(population, group_of(who), deviation_options(*game_.deviations[who.policy], samples),
                    seed_of(options_, Use::network, number), policy.network_shape(), steps_);
    if (from_policy) deviant.take(policy.policy_parameters());
    auto const generator = at::detail::createCPUGenerator(seed_of(options_, Use::trained_agents, number));
    deviant.choose(draw_agents(who.agents, {options_.instances}, generator, game_.device));
    for (int update = 0; update < options_.updates; ++update) {
      auto const next = draw_agents(who.agents, {steps_, options_.instances}, generator, game_.device);
      deviant.begin((from_policy ? game_.stage : 0) + update);
      for (int t = 0; t < steps_; ++t) {
        population.act(std::int64_t(update) * steps_ + t);
        deviant.act(population, t);
        population.step();
        deviant.record(population, t);
        deviant.choose(at::where(population.ended(), next[t], deviant.agents()));
      }
      deviant.learn(population);
      if (!advance(double(options_.instances) * steps_,
                   fmt::format("{}: update {}/{}", what, update + 1, options_.updates)))
        return {};
    }
    if (!is_finite(deviant.parameters())) throw Error(fmt::format("{}: the parameters are not finite", what));
    return deviant.parameters().clone();
  } catch (InputError const& error) {
    throw Error(fmt::format("{}: {}", what, error.what()));
  }

  /// One episode of every instance, on the same random numbers in every call. @return [episodes, agents] f64,
  /// discounted returns
  std::optional<at::Tensor> evaluate(std::string const& what, std::optional<Deviating> const& deviating) {
    Population population(game_, options_.evaluations, seed_of(options_, Use::episodes, 0));
    std::optional<Deviant> deviant;
    if (deviating) {
      deviant.emplace(population, deviating->group, deviation_options({}, options_.evaluations),  // it does not learn
                      seed_of(options_, Use::episodes, 0), deviating->network, 1);
      deviant->choose(deviating->who);
      deviant->take(deviating->parameters);
    }
    auto const discount = discounts();
    auto const real = at::TensorOptions().dtype(at::kDouble).device(game_.device);
    auto const returns = at::zeros({options_.evaluations, spec_.agents()}, real);
    auto const weight = at::ones_like(returns);  // discount^t; 0 after the episode's end
    for (int t = 0; t < longest_; ++t) {
      population.act(t);
      if (deviant) {
        deviant->begin(t);
        deviant->act(population, 0);
      }
      population.step();
      returns.addcmul_(population.rewards().to(at::kDouble), weight);
      weight.mul_(discount).masked_fill_(population.ended().unsqueeze(1), 0);
      bool const over = !weight.any().item<bool>();
      if (!advance(double(options_.evaluations) * (over ? longest_ - t : 1), fmt::format("{}: evaluation", what)))
        return {};
      if (over) break;
    }
    return returns;
  }

  FrozenGame const& game_;
  EquilibriumOptions const& options_;
  EquilibriumProgress const& progress_;
  Spec spec_ = {};
  int longest_ = 0, steps_ = 0;  // of an episode, of an update
  double work_ = 0, done_ = 0;
  std::uint32_t number_ = 0;  // of deviations trained
};

}  // namespace

Deviation const& DeviatorsReport::best() const {
  return *std::max_element(deviations.begin(), deviations.end(),
                           [](Deviation const& a, Deviation const& b) { return a.regret.mean < b.regret.mean; });
}

double DeviatorsReport::epsilon() const { return std::max(best().regret.high, 0.0); }

double DeviatorsReport::proven() const {
  double most = 0;
  for (auto const& deviation : deviations) most = std::max(most, deviation.regret.low);
  return most;
}

std::vector<Deviators> all_deviators(std::vector<Actor const*> const& policies, Spec const& spec) {
  std::vector<Deviators> all;
  for (std::size_t p = 0; p < policies.size(); ++p) {
    auto const& agents = policies[p]->agents();
    int const group = policies[p]->config().group;
    auto const parts = supertypes_of(agents, p, spec.first_agent(group), spec);
    auto const& whole = spec.groups[std::size_t(group)];
    if (int(agents.size()) == whole.agents)
      all.push_back({spec.groups.size() == 1 ? "all agents" : whole.name, p, agents});
    else if (parts.size() == 1)
      all.push_back(parts[0]);
    if (parts.size() > 1) all.insert(all.end(), parts.begin(), parts.end());
  }
  return all;
}

Challenge challenge(FrozenGame const& game, std::size_t policy, int challengers, EquilibriumOptions const& options) {
  EquilibriumProgress const goes_on = [](double, std::string const&) { return true; };
  return Check(game, options, goes_on).challenge({"all agents", policy, game.policies[policy]->agents()}, challengers);
}

std::optional<EquilibriumReport> check_equilibrium(FrozenGame const& game, EquilibriumOptions const& options,
                                                   EquilibriumProgress const& progress) {
  for (auto const* policy : game.policies)
    if (!is_finite(policy->parameters())) throw InputError("the policy's parameters are not finite");
  return Check(game, options, progress).run();
}

}  // namespace shoal
