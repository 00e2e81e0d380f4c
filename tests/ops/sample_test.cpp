#include "shoal/ops/sample.hpp"

#include "shoal/nn/distribution.hpp"
#include "shoal/ops/ops.hpp"
#include "support/helpers.hpp"

namespace shoal {
namespace {

using namespace test;

/// One call of the kernel. Outputs begin with a value that it never writes.
struct Draw {
  static constexpr float untouched = -77;

  ActionLayout layout;
  int instances, all_agents;
  std::vector<std::int32_t> agents;
  Random random = {.seed = 5, .instance = 0, .episode = 0, .step = 7};
  std::uint32_t stage = 3;
  Purpose purpose = Purpose::action;
  int common = 1;
  at::Tensor parameters = {};  // [instances * members, P]
  at::Tensor log_sd = {};      // [continuous]
  at::Tensor masks = {};       // [instances, all_agents, choices]
  at::Tensor continuous = {}, discrete = {}, log_probabilities = {}, entropies = {}, kept = {};

  Draw& run(bool keep = false) {
    auto const slots = std::int64_t(instances) * all_agents;
    continuous = at::full({slots, layout.continuous}, untouched);
    discrete = at::full({slots, layout.discrete}, untouched, at::kInt);
    log_probabilities = at::full({slots}, untouched);
    entropies = at::full({slots}, untouched);
    kept = at::full({slots, layout.parameters()}, untouched);
    ops::sample({.layout = layout,
                 .random = random,
                 .stage = &stage,
                 .purpose = purpose,
                 .members = int(agents.size()),
                 .all_agents = all_agents,
                 .rows = std::int64_t(instances) * std::int64_t(agents.size()),
                 .agents = agents.data(),
                 .parameters = parameters.data_ptr<float>(),
                 .log_sd = log_sd.data_ptr<float>(),
                 .masks = masks.defined() ? masks.data_ptr<std::uint8_t>() : nullptr,
                 .continuous = continuous.data_ptr<float>(),
                 .discrete = discrete.data_ptr<std::int32_t>(),
                 .log_probabilities = log_probabilities.data_ptr<float>(),
                 .entropies = entropies.data_ptr<float>(),
                 .kept_parameters = keep ? kept.data_ptr<float>() : nullptr,
                 .common = common},
                at::kCPU);
    return *this;
  }
  ActionRows rows() const {
    return {continuous.to(at::kDouble), discrete, masks.defined() ? masks.flatten(0, 1) : masks};
  }
};

Draw all_agents_draw(ActionLayout const& layout, int instances, int agents, bool masked) {
  Draw draw{.layout = layout, .instances = instances, .all_agents = agents, .agents = {}};
  for (int i = 0; i < agents; ++i) draw.agents.push_back(i);
  draw.parameters = random_normal({instances * agents, layout.parameters()}, 1) * 2;
  draw.log_sd = random_normal({layout.continuous}, 2) * 0.5f;
  if (masked) draw.masks = random_masks(layout, instances * agents, 3).view({instances, agents, -1});
  return draw;
}

/// Many rows of one distribution, of two agents.
Draw repeated_draw(ActionLayout const& layout, std::vector<float> const& parameters, std::vector<float> const& log_sd,
                   int rows) {
  Draw draw{.layout = layout, .instances = rows / 2, .all_agents = 2, .agents = {0, 1}};
  draw.parameters = at::tensor(parameters).expand({rows, -1}).contiguous();
  draw.log_sd = at::tensor(log_sd, at::kFloat);
  return draw;
}

TEST(Sample, LogProbabilityAndEntropyEqualTheReference) {
  for (auto const& layout : some_layouts())
    for (bool const masked : {false, true}) {
      auto const d = all_agents_draw(layout, 150, 3, masked).run();
      auto const parameters = d.parameters.to(at::kDouble), log_sd = d.log_sd.to(at::kDouble);
      EXPECT_LT(distance(d.log_probabilities, log_probability(layout, parameters, log_sd, d.rows())), 1e-5);
      EXPECT_LT(distance(d.entropies, entropy(layout, parameters, log_sd, d.rows().masks)), 1e-5);
    }
}

TEST(Sample, IllegalChoicesAreNeverDrawn) {
  auto draw = all_agents_draw(heads(0, {2, 5, 3}), 500, 2, true);
  auto const illegal = draw.masks.view_as(draw.parameters) == 0;
  draw.parameters.masked_fill_(illegal, 50);  // by far the likeliest
  draw.run();
  std::int64_t at = 0;
  for (int h = 0; h < draw.layout.discrete; ++h) {
    auto const legal = draw.masks.flatten(0, 1).narrow(1, at, draw.layout.choices[h]);
    auto const chosen = draw.discrete.narrow(1, h, 1).to(at::kLong);
    EXPECT_TRUE(legal.gather(1, chosen).to(at::kBool).all().item<bool>()) << "head " << h;
    at += draw.layout.choices[h];
  }
  EXPECT_LT(draw.log_probabilities.max().item<float>(), 1e-6f);
}

// Pearson's statistic, 3 degrees of freedom: a true distribution exceeds 21.1 once in 10,000 seeds.
TEST(Sample, ChoicesHaveTheirFrequencies) {
  constexpr int rows = 100000;
  std::vector<float> const logits = {0.5f, -1, 1, 3, -2};
  auto draw = repeated_draw(heads(0, {5}), logits, {}, rows);
  draw.masks = at::tensor({1, 1, 1, 0, 1}, at::kByte).expand({rows / 2, 2, 5}).contiguous();
  draw.run();
  double total = 0, statistic = 0;
  for (int k : {0, 1, 2, 4}) total += std::exp(logits[std::size_t(k)]);
  for (int k : {0, 1, 2, 4}) {
    double const expected = rows * std::exp(logits[std::size_t(k)]) / total;
    statistic += std::pow(number((draw.discrete == k).sum()) - expected, 2) / expected;
  }
  EXPECT_LT(statistic, 21.1);
}

// Bounds are 4.5 standard errors.
TEST(Sample, ContinuousActionsAreIndependentNormals) {
  constexpr int rows = 100000;
  auto const draw = repeated_draw(heads(2, {}), {1, -3}, {0, std::log(0.25f)}, rows).run();
  auto const z = (draw.continuous.to(at::kDouble) - at::tensor({1.0, -3.0})) / at::tensor({1.0, 0.25});
  double const bound = 4.5 / std::sqrt(rows);
  for (int h = 0; h < 2; ++h) {
    auto const x = z.select(1, h);
    EXPECT_NEAR(number(x.mean()), 0, bound);
    EXPECT_NEAR(number(x.square().mean()), 1, bound * std::sqrt(2.0));
    EXPECT_NEAR(number(x.pow(3).mean()), 0, bound * std::sqrt(15.0));
    EXPECT_NEAR(number(x.pow(4).mean()), 3, bound * std::sqrt(96.0));
    EXPECT_NEAR(number((x.narrow(0, 1, rows - 1) * x.narrow(0, 0, rows - 1)).mean()), 0, bound)
        << "neighbouring agents or instances";
  }
  EXPECT_NEAR(number((z.select(1, 0) * z.select(1, 1)).mean()), 0, bound);
}

TEST(Sample, RowsDoNotDependOnHowManyThereAre) {
  auto const layout = heads(2, {3, 2});
  auto const many = all_agents_draw(layout, 700, 2, true).run();
  auto few = all_agents_draw(layout, 700, 2, true);
  few.instances = 3;
  few.run();
  EXPECT_TRUE(at::equal(few.continuous, many.continuous.narrow(0, 0, 6)));
  EXPECT_TRUE(at::equal(few.discrete, many.discrete.narrow(0, 0, 6)));
  EXPECT_TRUE(at::equal(few.log_probabilities, many.log_probabilities.narrow(0, 0, 6)));
}

TEST(Sample, MembersWriteOnlyTheirPlacesAndDrawWhatTheyWouldAmongAll) {
  auto const layout = heads(1, {3});
  auto const all = all_agents_draw(layout, 40, 5, true).run();
  auto some = all;
  some.agents = {3, 1};
  auto const index = at::tensor({3, 1}, at::kLong);
  auto const of_members = [&](at::Tensor const& x) { return x.unflatten(0, {40, 5}).index_select(1, index); };
  some.parameters = of_members(all.parameters).flatten(0, 1).contiguous();
  some.run(true);
  auto const check = [&](at::Tensor const& written, at::Tensor const& expected) {
    EXPECT_TRUE(at::equal(of_members(written), of_members(expected)));
    auto const others = written.unflatten(0, {40, 5}).index_select(1, at::tensor({0, 2, 4}, at::kLong));
    EXPECT_TRUE((others == Draw::untouched).all().item<bool>());
  };
  check(some.continuous, all.continuous);
  check(some.discrete, all.discrete);
  check(some.log_probabilities, all.log_probabilities);
  check(some.entropies, all.entropies);
  check(some.kept, all.parameters);
}

TEST(Sample, EveryPartOfTheKeyMatters) {
  auto const draw = [](auto change) {
    auto d = all_agents_draw(heads(1, {}), 50, 2, false);
    change(d);
    return d.run().continuous;
  };
  auto const base = draw([](Draw&) {});
  EXPECT_TRUE(at::equal(base, draw([](Draw&) {})));
  EXPECT_FALSE((base == draw([](Draw& d) { d.random.seed = 6; })).any().item<bool>());
  EXPECT_FALSE((base == draw([](Draw& d) { d.stage = 4; })).any().item<bool>());
  EXPECT_FALSE((base == draw([](Draw& d) { d.random.step = 8; })).any().item<bool>());
  EXPECT_FALSE((base == draw([](Draw& d) { d.purpose = Purpose::increment; })).any().item<bool>());
}

// More instances than the CPU samples together, and a last group that is not whole.
TEST(Sample, InstancesOfAGroupShareTheirRandomNumbers) {
  auto const draw = [](int common, std::vector<std::int32_t> const& agents) {
    Draw d{.layout = heads(3, {4, 2}), .instances = 41, .all_agents = 2, .agents = agents, .common = common};
    d.parameters = random_normal({1, d.layout.parameters()}, 1).expand({41 * std::int64_t(agents.size()), -1});
    d.parameters = d.parameters.contiguous();
    d.log_sd = at::zeros({3});
    return d.run();
  };
  auto const group = at::arange(41, at::kLong).div(2, "floor");
  auto const by_instance = [](at::Tensor const& x) { return x.unflatten(0, {41, 2}); };
  for (auto const& agents : {std::vector<std::int32_t>{0, 1}, std::vector<std::int32_t>{1}}) {
    auto const alone = draw(1, agents), pairs = draw(2, agents);
    auto const expected = [&](at::Tensor const& x) { return by_instance(x).index_select(0, group); };
    EXPECT_TRUE(at::equal(by_instance(pairs.continuous), expected(alone.continuous)));
    EXPECT_TRUE(at::equal(by_instance(pairs.discrete), expected(alone.discrete)));
    EXPECT_TRUE(at::equal(by_instance(pairs.log_probabilities), expected(alone.log_probabilities)));
    EXPECT_FALSE(at::equal(pairs.continuous, alone.continuous));
  }
}

TEST(Sample, ExtremeLogitsStayFinite) {
  auto const draw = repeated_draw(heads(0, {3}), {1e4f, -1e4f, 9.9e3f}, {}, 1000).run();
  EXPECT_TRUE((draw.discrete == 0).all().item<bool>());
  EXPECT_TRUE((draw.log_probabilities == 0).all().item<bool>());
  EXPECT_LT(distance(draw.entropies, at::zeros({1000})), 1e-6);
}

}  // namespace
}  // namespace shoal
