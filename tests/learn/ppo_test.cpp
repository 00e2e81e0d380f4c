#include "shoal/learn/ppo.hpp"
#include "shoal/learn/policy_actor.hpp"

#include "shoal/nn/distribution.hpp"
#include "support/helpers.hpp"
#include "support/tagged_simulator.hpp"

namespace shoal {
namespace {

using namespace test;

constexpr int steps = 5, instances = 4, agents = TaggedSimulator::agents;
constexpr double clip = 0.2;

PpoOptions plain_options() {
  return {.learning_rate = {1e-3, 0, 1}, .epochs = 1, .minibatches = 1, .clip = clip, .max_grad_norm = 0};
}

/// A rollout of the tagged simulator with one learner for each group of agents, its advantages and returns drawn at
/// random.
struct Stage {
  TaggedSimulator simulator{instances};
  Rollout rollout = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  std::vector<std::unique_ptr<PpoLearner>> learners = {};

  explicit Stage(PpoOptions const& options = plain_options(), std::vector<std::vector<int>> const& groups = {{0, 1, 2}},
                 bool fused = true, int critic_only = 0) {
    NetworkShape const shape{
        .inputs = TaggedSimulator::width, .critic_only = critic_only, .hidden = {8}, .actions = rollout.shape.actions};
    for (auto const& group : groups) {
      learners.push_back(std::make_unique<PpoLearner>(
          options, ActorConfig{.agents = group, .seed = 3, .stream = std::uint32_t(learners.size()), .fused = fused},
          shape, rollout.shape, at::kCPU));
      auto const& parameters = learners.back()->actor().parameters();
      parameters.add_(random_normal(parameters.sizes(), learners.size()) * 0.3);  // so that observations matter
    }
    run(0);
  }
  void run(std::int64_t stage) {
    simulator.reset(rollout.first());
    for (auto& learner : learners) learner->begin(stage);
    for (int t = 0; t < steps; ++t) {
      for (auto& learner : learners) learner->actor().act(rollout, t);
      simulator.step(rollout.input(t), rollout.output(t));
    }
    for (auto& learner : learners) learner->actor().evaluate_end(rollout);
    rollout.advantages.copy_(random_normal(rollout.advantages.sizes(), 20 + std::uint64_t(stage)));
    rollout.returns.copy_(random_normal(rollout.returns.sizes(), 40 + std::uint64_t(stage)));
  }
  at::Tensor const& parameters(std::size_t learner = 0) const { return learners[learner]->actor().parameters(); }
};

double figure(Learner const& learner, std::string const& name) {
  auto const names = learner.figure_names();
  return number(learner.figures()[std::find(names.begin(), names.end(), name) - names.begin()]);
}

/// All samples of one agent in [time, instance, agent, ...].
at::Tensor of_agent(at::Tensor const& x, int agent) { return x.narrow(0, 0, steps).select(2, agent).flatten(0, 1); }

ActionRows actions_of(Rollout const& r, int agent) {
  return {of_agent(r.continuous, agent), of_agent(r.discrete, agent), of_agent(r.masks, agent)};
}

std::vector<std::vector<std::vector<int>>> const some_groups = {
    {{0, 1, 2}}, {{0}, {1}, {2}}, {{2, 0}, {1}}, {{1}, {0, 2}}};

TEST(Ppo, RecomputedLogProbabilitiesAndValuesEqualTheStoredOnes) {
  for (auto const& groups : some_groups) {
    Stage const stage(plain_options(), groups);
    auto const& r = stage.rollout;
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (int const agent : groups[g]) {
        auto const& network = dynamic_cast<PolicyActor const&>(stage.learners[g]->actor()).network();
        auto const seen = of_agent(r.observations, agent);
        auto const parameters = network.distribution(seen);
        auto const& layout = r.shape.actions;
        auto const actions = actions_of(r, agent);
        EXPECT_LT(distance(parameters, of_agent(r.parameters, agent)), 1e-6);
        EXPECT_LT(distance(log_probability(layout, parameters, network.log_sd(), actions),
                           of_agent(r.log_probabilities, agent)),
                  1e-5);
        EXPECT_LT(distance(entropy(layout, parameters, network.log_sd(), actions.masks), of_agent(r.entropies, agent)),
                  1e-5);
        EXPECT_LT(distance(network.value(seen), of_agent(r.values, agent)), 1e-6);
        auto const after = [&](at::Tensor const& x) { return x.select(0, steps).select(1, agent); };
        EXPECT_LT(distance(network.value(after(r.observations)), after(r.values)), 1e-6);
        EXPECT_LT(distance(network.value(of_agent(r.final_observations, agent)), of_agent(r.final_values, agent)),
                  1e-6);
      }
  }
}

TEST(Ppo, TheFirstMinibatchSeesNoDivergenceAndRatioOne) {
  for (auto const& groups : some_groups) {
    Stage stage(plain_options(), groups);
    for (auto& learner : stage.learners) {
      learner->learn(stage.rollout);
      EXPECT_NEAR(figure(*learner, "kl"), 0, 1e-6);
      EXPECT_NEAR(figure(*learner, "policy_loss"), 0, 1e-5);  // minus the mean of standardised advantages
    }
  }
}

TEST(Ppo, ActionsDifferBetweenStagesAndAreAFunctionOfSeedAndStage) {
  Stage a, b;
  a.run(1);
  b.run(2);
  EXPECT_FALSE((a.rollout.continuous == b.rollout.continuous).any().item<bool>());
  b.run(1);
  EXPECT_TRUE(at::equal(a.rollout.continuous, b.rollout.continuous) &&
              at::equal(a.rollout.discrete, b.rollout.discrete));
}

/// The update written out with autograd, Adam from Kingma and Ba's algorithm 1, in double. One minibatch an epoch.
struct PlainPpo {
  PpoOptions options;
  NetworkShape shape;
  at::Tensor parameters, mean, variance;
  double kl_coefficient;
  int step = 0;

  explicit PlainPpo(PpoLearner const& learner)
      : options(learner.options()),
        shape(learner.actor().network_shape()),
        parameters(learner.actor().parameters().to(at::kDouble).clone()),
        mean(at::zeros_like(parameters)),
        variance(at::zeros_like(parameters)),
        kl_coefficient(options.kl_coefficient) {}

  void update(Rollout const& r, std::int64_t stage) {
    auto const samples = [&](at::Tensor const& x) { return x.narrow(0, 0, steps).flatten(0, 2); };
    auto const wide = [&](at::Tensor const& x) { return samples(x).to(at::kDouble); };
    auto const observations = wide(r.observations), old = wide(r.parameters), old_log_p = wide(r.log_probabilities);
    auto const returns = wide(r.returns);
    ActionRows const actions{wide(r.continuous), samples(r.discrete), samples(r.masks)};
    auto advantages = wide(r.advantages);
    advantages = (advantages - advantages.mean()) / advantages.std(0, false);
    auto const old_log_sd = PlainNetwork(shape, parameters).log_sd.clone();
    for (int epoch = 0; epoch < options.epochs; ++epoch) {
      auto const p = parameters.clone().set_requires_grad(true);
      PlainNetwork const network(shape, p);
      auto const now = network.distribution(observations);
      auto const ratio = (log_probability(shape.actions, now, network.log_sd, actions) - old_log_p).exp();
      auto const clipped =
          at::where(advantages > 0, ratio.clamp_max(1 + options.clip), ratio.clamp_min(1 - options.clip));
      auto const divergence = kl_divergence(shape.actions, old, old_log_sd, now, network.log_sd, actions.masks).mean();
      auto const loss = -(clipped * advantages).mean() +
                        options.value_weight * 0.5 * (network.value(observations) - returns).square().mean() +
                        kl_coefficient * divergence -
                        options.entropy_weight * entropy(shape.actions, now, network.log_sd, actions.masks).mean();
      loss.backward();
      outside += number((ratio < 1 - options.clip).logical_or(ratio > 1 + options.clip).sum());
      descend(p.grad(), options.learning_rate.base *
                            std::pow(1 + double(stage) / options.learning_rate.scale, -options.learning_rate.exponent));
      if (epoch + 1 < options.epochs) continue;
      if (number(divergence) > 2 * options.kl_target) kl_coefficient *= 1.5;
      if (number(divergence) < 0.5 * options.kl_target) kl_coefficient *= 0.5;
    }
  }
  void descend(at::Tensor g, double rate) {
    double const norm = number(g.norm());
    if (options.max_grad_norm > 0 && norm > options.max_grad_norm) g = g * (options.max_grad_norm / norm);
    ++step;
    mean = 0.9 * mean + 0.1 * g;
    variance = 0.999 * variance + 0.001 * g.square();
    auto const m = mean / (1 - std::pow(0.9, step)), v = variance / (1 - std::pow(0.999, step));
    parameters = parameters - rate * m / (v.sqrt() + 1e-5);
  }
  double outside = 0;  // how many ratios the clip concerned
};

TEST(Ppo, OneStepEqualsALoopWrittenOut) {
  for (auto const& [fused, critic_only] : {std::pair(true, 0), {false, 0}, {true, 3}, {false, 3}}) {
    Stage stage(plain_options(), {{0, 1, 2}}, fused, critic_only);
    PlainPpo plain(*stage.learners[0]);
    plain.update(stage.rollout, 0);
    stage.learners[0]->learn(stage.rollout);
    EXPECT_LT(distance(stage.parameters(), plain.parameters), 1e-5);
    Stage const before(plain_options(), {{0, 1, 2}}, fused, critic_only);
    EXPECT_GT(distance(stage.parameters(), before.parameters()), 5e-4);
  }
}

// Ratios, divergence and Adam's moments only matter after the first step; the schedule only after the first stage.
TEST(Ppo, ManyStepsOfManyStagesEqualALoopWrittenOut) {
  for (auto const& [max_grad_norm, fused] : {std::pair(0.0, true), {0.5, true}, {0.5, false}}) {
    auto options = plain_options();
    options.learning_rate = {1e-2, 0.6, 2};
    options.epochs = 6;
    options.entropy_weight = 0.01;
    options.max_grad_norm = max_grad_norm;
    Stage stage(options, {{0, 1, 2}}, fused);
    PlainPpo plain(*stage.learners[0]);
    for (int m = 0; m < 4; ++m) {
      stage.run(m);
      plain.update(stage.rollout, m);
      stage.learners[0]->learn(stage.rollout);
      EXPECT_LT(distance(stage.parameters(), plain.parameters), 2e-5) << "stage " << m;
      EXPECT_NEAR(figure(*stage.learners[0], "kl_coefficient"), plain.kl_coefficient, 1e-6);
    }
    EXPECT_GT(plain.outside, 10);
  }
}

TEST(Ppo, APolicyDoesNotSeeWhatItsCriticAloneObserves) {
  for (bool const fused : {true, false}) {
    Stage stage(plain_options(), {{0, 1, 2}}, fused, 3);
    auto const before = stage.rollout.parameters.clone(), values = stage.rollout.values.clone();
    stage.rollout.observations.narrow(3, 1, 3).add_(1);
    for (int t = 0; t < steps; ++t) stage.learners[0]->actor().act(stage.rollout, t);
    EXPECT_TRUE(at::equal(stage.rollout.parameters, before));
    auto const moved = (stage.rollout.values - values).narrow(0, 0, steps).abs();
    EXPECT_GT(number(moved.min()), 1e-4);
    stage.rollout.observations.select(3, 0).add_(1);
    stage.learners[0]->actor().act(stage.rollout, 0);
    EXPECT_FALSE(at::equal(stage.rollout.parameters[0], before[0]));
  }
}

// Parts of a minibatch are added in one order, whoever summed them.
TEST(Ppo, AnyNumberOfThreadsGivesTheSameBits) {
  auto options = plain_options();
  options.epochs = 2;
  struct Many {
    TaggedSimulator simulator{400};
    Rollout rollout = make_rollout(rollout_shape(simulator, steps), at::kCPU);
  };
  int const threads = at::get_num_threads();
  at::Tensor parameters[2];
  for (int k : {0, 1}) {
    at::set_num_threads(k == 0 ? 1 : 3);
    Many many;
    NetworkShape const shape{.inputs = TaggedSimulator::width, .hidden = {8}, .actions = many.rollout.shape.actions};
    PpoLearner learner(options, {.agents = {0, 1, 2}, .seed = 3}, shape, many.rollout.shape, at::kCPU);
    many.simulator.reset(many.rollout.first());
    for (int t = 0; t < steps; ++t) {
      learner.actor().act(many.rollout, t);
      many.simulator.step(many.rollout.input(t), many.rollout.output(t));
    }
    learner.actor().evaluate_end(many.rollout);
    estimate_advantages(many.rollout, learner.actor(), 0.9, 0.9);
    learner.learn(many.rollout);
    parameters[k] = learner.actor().parameters();
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(parameters[0], parameters[1]));
}

TEST(Ppo, EachLearnerTrainsOnTheSamplesOfItsAgentsOnly) {
  auto options = plain_options();
  options.minibatches = 3;
  for (auto const& groups : {some_groups[1], some_groups[2], some_groups[3]})
    for (std::size_t g = 0; g < groups.size(); ++g) {
      Stage clean(options, groups), poisoned(options, groups);
      auto const& r = poisoned.rollout;
      for (int a = 0; a < agents; ++a)
        if (std::find(groups[g].begin(), groups[g].end(), a) == groups[g].end())
          for (auto const& x :
               {r.observations, r.parameters, r.log_probabilities, r.advantages, r.returns, r.continuous})
            x.select(2, a).fill_(std::numeric_limits<float>::quiet_NaN());
      clean.learners[g]->learn(clean.rollout);
      poisoned.learners[g]->learn(poisoned.rollout);
      EXPECT_TRUE(at::equal(clean.parameters(g), poisoned.parameters(g)));
      for (std::size_t other = 0; other < groups.size(); ++other)
        EXPECT_EQ(at::equal(clean.parameters(other), Stage(options, groups).parameters(other)), other != g);
    }
}

TEST(Ppo, LearnersOfOneSeedStartDifferent) {
  Stage const stage(plain_options(), {{0}, {1}});
  auto const network = [&](std::uint32_t stream) {
    PpoLearner learner(plain_options(), {.agents = {0}, .seed = 3, .stream = stream},
                       stage.learners[0]->actor().network_shape(), stage.rollout.shape, at::kCPU);
    return learner.actor().parameters();
  };
  EXPECT_TRUE(at::equal(network(0), network(0)));
  EXPECT_FALSE(at::equal(network(0), network(1)));
}

// 20 samples in 7 minibatches of 2: 6 samples, others in every epoch, have no say.
TEST(Ppo, SamplesLeftOverByTheDivisionSitOut) {
  auto options = plain_options();
  options.minibatches = 7;
  auto const trained = [&](int changed, int stage_number) {
    Stage stage(options, {{1}});
    if (changed >= 0) stage.rollout.returns[changed / instances][changed % instances][1] += 100;
    stage.learners[0]->begin(stage_number);
    stage.learners[0]->learn(stage.rollout);
    return stage.parameters();
  };
  std::vector<int> left_out[2];
  for (int m : {0, 1})
    for (int s = 0; s < steps * instances; ++s)
      if (at::equal(trained(s, m), trained(-1, m))) left_out[m].push_back(s);
  EXPECT_EQ(left_out[0].size(), 6u);
  EXPECT_EQ(left_out[1].size(), 6u);
  EXPECT_NE(left_out[0], left_out[1]);
}

TEST(Ppo, AMinibatchMayBeOneSample) {
  auto options = plain_options();
  options.minibatches = steps * instances * agents;
  Stage stage(options);
  stage.learners[0]->learn(stage.rollout);
  EXPECT_TRUE(at::isfinite(stage.parameters()).all().item<bool>());
  EXPECT_EQ(number(stage.learners[0]->state()[3].tensor), 60);  // Adam's step counter
}

// Old probabilities that make every ratio e or 1/e, on the side where the clip cuts the gradient, or on the other.
TEST(Ppo, TheClipCutsTheGradientOnOneSide) {
  auto const moved = [](double sign, double with_clip) {
    auto options = plain_options();
    options.clip = with_clip;
    options.value_weight = options.kl_coefficient = 0;
    Stage stage(options);
    auto const& r = stage.rollout;
    auto const standard = (r.advantages - r.advantages.mean()) / r.advantages.std(at::IntArrayRef{}, false);
    r.log_probabilities.sub_(sign * standard.sign());
    auto const before = stage.parameters().clone();
    stage.learners[0]->learn(r);
    return distance(stage.parameters(), before);
  };
  EXPECT_EQ(moved(1, clip), 0);
  EXPECT_GT(moved(-1, clip), 1e-4);
  EXPECT_GT(moved(1, 0), 1e-4);
}

TEST(Ppo, TheDivergenceSteersItsCoefficient) {
  auto const run = [](double rate, double target) {
    auto options = plain_options();
    options.learning_rate.base = rate;
    options.epochs = 4;
    options.kl_target = target;
    Stage stage(options);
    stage.learners[0]->learn(stage.rollout);
    double const kl = figure(*stage.learners[0], "kl");
    return std::pair(kl, figure(*stage.learners[0], "kl_coefficient") / options.kl_coefficient);
  };
  double const kl = run(0.01, 1).first;
  EXPECT_GT(kl, 1e-3);
  EXPECT_NEAR(run(0, 0.01).second, 0.5, 1e-6);
  EXPECT_NEAR(run(0.01, kl / 2.1).second, 1.5, 1e-6);
  EXPECT_NEAR(run(0.01, kl / 1.9).second, 1, 1e-6);
  EXPECT_NEAR(run(0.01, kl * 1.9).second, 1, 1e-6);
  EXPECT_NEAR(run(0.01, kl * 2.1).second, 0.5, 1e-6);
}

TEST(Ppo, TheCoefficientCanAlwaysRiseAgainUnlessThereIsNone) {
  auto options = plain_options();
  options.learning_rate.base = 0;
  Stage stage(options);
  for (int m = 0; m < 50; ++m) stage.learners[0]->learn(stage.rollout);
  double const coefficient = figure(*stage.learners[0], "kl_coefficient");
  EXPECT_NEAR(coefficient, 1e-4, 1e-9);
  options.kl_coefficient = 0;
  options.epochs = 4;
  options.learning_rate.base = 0.05;
  Stage without(options);
  without.learners[0]->learn(without.rollout);
  EXPECT_GT(figure(*without.learners[0], "kl"), 2 * options.kl_target);
  EXPECT_EQ(figure(*without.learners[0], "kl_coefficient"), 0);
}

TEST(Ppo, TheEntropyBonusRaisesEntropy) {
  auto const entropy_after = [](double weight) {
    auto options = plain_options();
    options.entropy_weight = weight;
    options.epochs = 20;
    Stage stage(options);
    stage.learners[0]->learn(stage.rollout);
    stage.run(1);
    return number(stage.rollout.entropies.mean());
  };
  EXPECT_GT(entropy_after(1), entropy_after(0) + 0.01);
  EXPECT_LT(entropy_after(-1), entropy_after(0) - 0.01);
}

TEST(Ppo, AdvantagesOfTheTaggedRunByHand) {
  for (auto const& groups : some_groups) {
    Stage stage(plain_options(), groups);
    auto const& r = stage.rollout;
    for (auto const& learner : stage.learners) estimate_advantages(r, learner->actor(), 0.5, 0);  // one-step errors
    auto const advantages = r.advantages.accessor<float, 3>(), values = r.values.accessor<float, 3>(),
               final_values = r.final_values.accessor<float, 3>();
    for (int t = 0; t < steps; ++t)
      for (int i = 0; i < instances; ++i)
        for (int a = 0; a < agents; ++a) {
          auto const ended = TaggedSimulator::ended(t, i);
          float const next = ended == Ended::no          ? values[t + 1][i][a]
                             : ended == Ended::truncated ? final_values[t][i][a]
                                                         : 0.0f;
          EXPECT_NEAR(advantages[t][i][a], TaggedSimulator::tag(t, i, a) + 0.5f * next - values[t][i][a], 1e-3);
        }
  }
}

TEST(Schedule, FallsAsWritten) {
  EXPECT_DOUBLE_EQ((Schedule{3e-4, 0.6, 200}.rate(0)), 3e-4);
  EXPECT_NEAR((Schedule{3e-4, 0.6, 200}.rate(200)), 3e-4 * 0.6597539553864471, 1e-12);  // 2^-0.6
  EXPECT_DOUBLE_EQ((Schedule{0.1, 0, 200}.rate(12345)), 0.1);
}

}  // namespace
}  // namespace shoal
