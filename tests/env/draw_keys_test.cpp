// No random number is drawn twice: two draws with one key (episode, step, purpose, index) would be equal. reset() and
// the first step() share their step. This unit compiles environments with a Random that records
// (shoal/core/random.hpp), which is another type.
#define SHOAL_RECORD_DRAWS

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>

#include "envs/all.hpp"
#include "support/countdown.hpp"
#include "support/instances.hpp"

namespace shoal {
namespace {

using Key = std::array<std::uint32_t, 5>;  // instance, episode, step, purpose, index
std::map<Key, int> drawn;

/// Not the team that draws many numbers at once, past Random::draw.
struct RecordingTeam : ScrambledTeam {
  RecordingTeam() : ScrambledTeam(1) {}
};

/// How often a purpose may draw one key.
using Allowed = std::map<Purpose, int>;

/// The first key that is drawn more often than it may be, of two episodes.
template <class Env>
std::string repeated_draw(Settings const& settings, Allowed const& allowed = {}) {
  drawn.clear();
  Instances<Env> instances(settings);
  instances.reset(RecordingTeam{});
  int const steps = 2 * instances.spec.max_episode_steps + 1;
  for (int t = 0; t < steps && instances.memory.clocks[0].episode < 3; ++t) {
    instances.draw_actions({8, 0, 0, std::uint32_t(t)});
    instances.step(RecordingTeam{});
  }
  for (auto const& [key, times] : drawn) {
    auto const [instance, episode, step, purpose, index] = key;
    auto const limit = allowed.find(Purpose(purpose));
    if (times > (limit == allowed.end() ? 1 : limit->second))
      return fmt::format("instance {}, episode {}, step {}, purpose {}, index {}: drawn {} times", instance, episode,
                         step, purpose, index, times);
  }
  return "";
}

/// A known exception: these read one half of a draw at a time, and draw it once for each half.
Allowed halves(std::string const& environment) {
  if (environment == "market") return {{Market::Purposes::links, 2}, {Market::Purposes::ties, 2}};
  return {};
}

template <class Env>
class DrawKeys : public testing::Test {};
TYPED_TEST_SUITE(DrawKeys, AsTypes<AllEnvironments>::type, EnvironmentName);

TYPED_TEST(DrawKeys, AreDrawnOnce) {
  for (auto const& settings : all_settings<TypeParam>())
    EXPECT_EQ(repeated_draw<TypeParam>(settings, halves(TypeParam::name)), "");
}

// Where comparisons need many random words, as these links and ties do.
TEST(DrawKeysOfTheMarket, AreDrawnOnceForEachHalf) {
  Settings const settings = {{"links_1", std::vector<double>(10, 0.3)},
                             {"merchants", std::int64_t(16)},
                             {"actions", std::string("discrete")},
                             {"arrival", 1.0},
                             {"steps", std::int64_t(20)}};
  EXPECT_THAT(repeated_draw<Market>(settings), testing::HasSubstr("purpose 1, "));
  EXPECT_THAT(repeated_draw<Market>(settings, {{Market::Purposes::links, 2}}), testing::HasSubstr("purpose 3, "));
  EXPECT_EQ(repeated_draw<Market>(settings, halves("market")), "");
}

TEST(DrawKeysChecks, FindKeysThatAreDrawnTwice) {
  using namespace test;
  EXPECT_EQ(repeated_draw<Countdown<>>({}), "");
  EXPECT_FALSE(drawn.empty()) << "nothing is recorded";
  EXPECT_EQ(repeated_draw<Countdown<>>({{"fault", std::string("draws_twice")}}),
            "instance 0, episode 1, step 0, purpose 64, index 1: drawn 2 times");
  EXPECT_EQ(repeated_draw<Countdown<>>({{"fault", std::string("draws_as_reset")}}),
            "instance 0, episode 1, step 0, purpose 64, index 0: drawn 2 times");
}

}  // namespace

inline namespace recorded {
void record_draw(Random const& random, Purpose purpose, std::uint32_t index) {
  if (purpose != Purpose::test)  // the actions
    ++drawn[{random.instance, random.episode, random.step, std::uint32_t(purpose), index}];
}
}  // namespace recorded

}  // namespace shoal
