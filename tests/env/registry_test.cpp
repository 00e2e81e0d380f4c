// Names, settings and errors of the registry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "envs/all.hpp"
#include "shoal/env/backend.hpp"
#include "shoal/env/simulator.hpp"
#include "support/driver.hpp"
#include "support/errors.hpp"

namespace shoal {
namespace {

using test::input_error;

TEST(Registry, ListsEveryEnvironmentWithItsFields) {
  std::vector<std::string> names;
  for (auto const& info : environments()) {
    names.push_back(info.name);
    EXPECT_FALSE(info.summary.empty());
    EXPECT_GT(info.spec.agents(), 0);
    for (auto const& f : info.fields) EXPECT_FALSE(f.help.empty()) << info.name << "." << f.name;
  }
  EXPECT_THAT(names,
              testing::IsSupersetOf({"market", "matrix_game", "pursuit", "checkers", "switch", "recall", "two_role"}));
}

TEST(Registry, UnknownNameListsTheKnown) {
  EXPECT_THAT(input_error([] { make_simulator("markt", {}, {}); }),
              testing::StartsWith("name = \"markt\": expected one of \"checkers\", \"market\", \"matrix_game\""));
}

TEST(Registry, UnknownParameterNamesTheNearest) {
  EXPECT_EQ(input_error([] {
              make_simulator("market", {{"merchant", std::int64_t(3)}}, {});
            }),
            "merchant: unknown key; did you mean merchants?");
}

TEST(Registry, ResolvedParamsAreCompleteAndStable) {
  for (auto const& v : all_variants()) {
    auto const resolved = resolve_params(v.environment, v.params);
    EXPECT_EQ(resolve_params(v.environment, resolved), resolved) << v.name;
    for (auto const& [key, value] : v.params)
      EXPECT_EQ(to_text(resolved.at(key)), to_text(value)) << v.name << ": " << key;
  }
}

TEST(Registry, EnvironmentsHaveTheAgentsAskedFor) {
  for (std::string const name : {"market", "matrix_game", "pursuit", "recall"})
    for (int const n : {2, 3, 8})
      EXPECT_EQ(make_simulator(name, params_with_agents(name, n), {})->spec().agents(), n) << name;
  EXPECT_EQ(make_simulator("switch", params_with_agents("switch", 4), {})->spec().agents(), 4);
  EXPECT_EQ(resolve_params("matrix_game", params_with_agents("matrix_game", 2)), resolve_params("matrix_game", {}))
      << "the prisoners' dilemma is its default";
  EXPECT_EQ(input_error([] { params_with_agents("matrix_game", 9); }), "players = 9: expected 2 to 8");
  EXPECT_EQ(input_error([] { params_with_agents("checkers", 3); }),
            "agents = 3: checkers has a fixed number of agents");
}

// By the size of an exported state, which differs among the market's instantiations.
template <class Env>
bool takes(int merchants, std::vector<double> const& supertype_of) {
  auto const simulator =
      make_simulator("market", {{"merchants", std::int64_t(merchants)}, {"supertype_of", supertype_of}}, {});
  return simulator->state_size() == state_bytes<Env>(simulator->spec()).size;
}

TEST(Registry, TakesTheSmallestMarketThatFits) {
  EXPECT_TRUE((takes<MarketOf<8, 2>>(5, {})));
  EXPECT_TRUE((takes<MarketOf<8, 2>>(5, {1, 2, 2, 2, 2})));
  EXPECT_TRUE((takes<MarketOf<8, 2>>(8, {})));
  EXPECT_TRUE(takes<PublishedMarket>(9, {}));
  EXPECT_TRUE(takes<Market>(5, {2, 1, 1, 1, 1}));
  EXPECT_TRUE(takes<Market>(5, {1, 1, 1, 1, 1}));
  EXPECT_TRUE(takes<Market>(3, {1, 2, 3}));
}

TEST(Registry, ParamsThatContradictEachOtherAreErrors) {
  EXPECT_EQ(input_error([] {
              make_simulator("market", {{"spread_low", 0.05}}, {});
            }),
            "spread_low: expected at most spread_high");
  EXPECT_EQ(input_error([] {
              make_simulator("market", {{"quantities", std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 8}}}, {});
            }),
            "quantities: expected ascending values, value 10 is smaller than the one before");
  auto const supertypes = [](std::vector<double> const& of) {
    return input_error([&] { make_simulator("market", {{"supertype_of", of}}, {}); });
  };
  EXPECT_EQ(supertypes({1, 2, 2}), "supertype_of: 3 values, expected 5, one for each merchant, or none");
  EXPECT_EQ(supertypes({1, 4, 1, 2, 4}),
            "supertype_of: no merchant has supertype 3, expected every number from 1 to the largest, 4");
  EXPECT_EQ(supertypes({1, 2, 2, 0, 2}), "supertype_of = [1, 2, 2, 0, 2]: expected a list of integers in [1, 16]");
  EXPECT_EQ(supertypes({1, 1, 1, 1, 1}), "no error");
  EXPECT_EQ(input_error([] {
              make_simulator("matrix_game", {{"payoffs", std::vector<double>{1, 2}}}, {});
            }),
            "payoffs: 2 values, expected 8 for these actions");
  EXPECT_EQ(input_error([] {
              make_simulator("matrix_game", {{"actions", std::vector<double>{2}}}, {});
            }),
            "actions: expected at least 2 players");
  EXPECT_EQ(input_error([] {
              make_simulator("matrix_game", {{"actions", std::vector<double>{16, 16, 16}}}, {});
            }),
            "actions: 4096 joint actions of 3 players need more than 2048 payoffs");
}

#ifndef SHOAL_HAS_CUDA
TEST(Registry, CudaNeedsABuildWithIt) {
  EXPECT_EQ(input_error([] { make_simulator("market", {}, {.device = Device::cuda}); }),
            "device = \"cuda\": this build has no CUDA; expected \"cpu\"");
}
#endif

}  // namespace
}  // namespace shoal
