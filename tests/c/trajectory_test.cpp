// The C interface steps as the C++ Simulator does: every array has the same bytes, whoever owns the memory.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "c/c_simulator.hpp"
#include "settings/parse_settings.hpp"
#include "shoal/env/simulator.hpp"

namespace shoal {

namespace {

using test::CSimulator;

constexpr int instances = 5;

struct Case {
  char const* environment;
  char const* params;
  int pad_groups = 0;
};

std::ostream& operator<<(std::ostream& out, Case const& c) { return out << c.environment << ' ' << c.params; }

/// A C++ simulator that reads the C one's actions and has memory of its own.
class Twin {
 public:
  Twin(Case const& c, CSimulator const& other)
      : simulator(
            make_simulator(c.environment, parse_settings(c.params, "params"),
                           {.instances = instances, .seed = 7, .observation = {.pad_groups = c.pad_groups != 0}})) {
    auto const& groups = simulator->spec().groups;
    memory_.resize(groups.size());
    for (int g = 0; g < int(groups.size()); ++g) {
      auto const& group = groups[std::size_t(g)];
      auto& m = memory_[std::size_t(g)];
      int const n = instances, a = group.agents, width = simulator->observation_width(g);
      m.observations.resize(std::size_t(n * a * width));
      m.final_observations.resize(m.observations.size());
      m.rewards.resize(std::size_t(n * a));
      m.masks.resize(std::size_t(n * a * group.choices()));
      m.alive.resize(std::size_t(n * a));
      m.ended.resize(std::size_t(n * a));
      StepInput in;
      int const reals = int(group.continuous.size()), picks = int(group.discrete.size());
      if (reals) in.continuous = view<float const>(other.data<float>(SHOAL_CONTINUOUS_ACTIONS, g), n, a, reals);
      if (picks)
        in.discrete = view<std::int32_t const>(other.data<std::int32_t>(SHOAL_DISCRETE_ACTIONS, g), n, a, picks);
      inputs.push_back(in);
      StepOutput out{.observations = view(m.observations.data(), n, a, width),
                     .masks = {},
                     .alive = view(m.alive.data(), n, a),
                     .rewards = view(m.rewards.data(), n, a),
                     .ended = view(m.ended.data(), n, a),
                     .final_observations = view(m.final_observations.data(), n, a, width)};
      if (picks) out.masks = view(m.masks.data(), n, a, group.choices());
      outputs.push_back(out);
    }
  }

  void expect_equal(CSimulator const& other, int time) const {
    for (int g = 0; g < int(memory_.size()); ++g) {
      auto const& m = memory_[std::size_t(g)];
      auto const same = [&](int array, auto const& mine) {
        if (mine.empty()) return true;
        return std::memcmp(other.array(array, g).data, mine.data(), mine.size() * sizeof mine[0]) == 0;
      };
      EXPECT_TRUE(same(SHOAL_OBSERVATIONS, m.observations)) << time;
      EXPECT_TRUE(same(SHOAL_MASKS, m.masks)) << time;
      EXPECT_TRUE(same(SHOAL_ALIVE, m.alive)) << time;
      EXPECT_TRUE(same(SHOAL_REWARDS, m.rewards)) << time;
      EXPECT_TRUE(same(SHOAL_ENDED, m.ended)) << time;
      EXPECT_TRUE(same(SHOAL_FINAL_OBSERVATIONS, m.final_observations)) << time;
    }
  }

  std::unique_ptr<Simulator> simulator;
  std::vector<StepInput> inputs;
  std::vector<StepOutput> outputs;

 private:
  struct Memory {
    std::vector<float> observations, final_observations, rewards;
    std::vector<std::uint8_t> masks, alive, ended;
  };
  std::vector<Memory> memory_;
};

class CTrajectory : public testing::TestWithParam<Case> {};

TEST_P(CTrajectory, HasTheBitsOfTheCppSimulator) {
  CSimulator const c(GetParam().environment, GetParam().params, instances, 2, GetParam().pad_groups);
  for (int g = 0; g < c.spec().groups; ++g)
    for (int const array : {SHOAL_ALIVE, SHOAL_FINAL_OBSERVATIONS}) c.array(array, g);
  for (int g = 0; g < c.spec().groups; ++g)
    if (c.group(g).discrete) c.array(SHOAL_MASKS, g);
  Twin cpp(GetParam(), c);
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK) << shoal_last_error();
  cpp.simulator->reset(cpp.outputs);
  cpp.expect_equal(c, -1);
  for (int t = 0; t < 40; ++t) {
    c.step(t);
    cpp.simulator->step(cpp.inputs, cpp.outputs);
    cpp.expect_equal(c, t);
  }

  auto const sums = cpp.simulator->metrics().sums;
  ASSERT_EQ(c.spec().metrics, int(cpp.simulator->metric_names().size()));
  EXPECT_EQ(std::memcmp(c.data<float>(SHOAL_METRIC_SUMS), sums.data, std::size_t(sums.size()) * sizeof(float)), 0);
  auto const* const episodes = c.data<std::int32_t>(SHOAL_METRIC_EPISODES);
  EXPECT_GT(episodes[0], 0) << "no episode ended: the case says nothing of ends";
  EXPECT_EQ(episodes[0], cpp.simulator->metrics().episodes(0));
  EXPECT_EQ(shoal_clear_metrics(c.handle), SHOAL_OK);
  EXPECT_EQ(episodes[0], 0);
}

// Each of them shows in the observations.
TEST(COptions, ReachTheSimulator) {
  shoal_options options;
  ASSERT_EQ(shoal_options_init(&options, sizeof options), SHOAL_OK);
  options.instances = 2;
  options.seed = 7;
  options.first_instance = 3;
  options.observe_type = 0;
  options.indication = SHOAL_INDICATE_AGENT;
  options.observation_width = 40;
  CSimulator const c("market", "", options);
  auto const cpp = make_simulator("market", {},
                                  {.instances = 2,
                                   .seed = 7,
                                   .first_instance = 3,
                                   .observation = {.type = false, .indication = Indication::agent, .width = 40}});
  ASSERT_EQ(c.group().observation_width, 40);
  std::vector<float> observations(std::size_t(2 * c.group().agents * 40));
  ASSERT_EQ(shoal_reset(c.handle), SHOAL_OK);
  cpp->reset(StepOutput{.observations = view(observations.data(), 2, c.group().agents, 40)});
  EXPECT_EQ(std::memcmp(c.array(SHOAL_OBSERVATIONS).data, observations.data(), observations.size() * sizeof(float)), 0);
}

TEST(COptions, AppendTheGlobalState) {
  shoal_options options;
  ASSERT_EQ(shoal_options_init(&options, sizeof options), SHOAL_OK);
  options.central_critic = 1;
  CSimulator const c("switch", "", options);
  EXPECT_EQ(c.spec().state, 7);
  EXPECT_EQ(c.group().observation_width, 2 + 7);
}

INSTANTIATE_TEST_SUITE_P(Environments, CTrajectory,
                         testing::Values(Case{"market", "steps = 9"},
                                         Case{"market", "steps = 9\nactions = 'discrete'\nmerchants = 3"},
                                         Case{"matrix_game", R"({"rounds": 7, "memory": 2})"},
                                         Case{"pursuit", "max_cycles = 11"}, Case{"two_role", ""},
                                         Case{"two_role", "", 1}));

}  // namespace

}  // namespace shoal
