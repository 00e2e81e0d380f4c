// Each property of shoal/env/verify.hpp finds the flaws that it is for, and says where.
#include "shoal/env/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shoal/env/cpu_simulator.hpp"
#include "support/countdown.hpp"
#include "support/errors.hpp"
#include "support/faulty.hpp"

namespace shoal {
namespace {

using test::Countdown;
using test::Fault;
using test::Faulty;
using test::Flaw;
using testing::HasSubstr;
using testing::MatchesRegex;

template <class Env>
Subject subject_of(typename Env::Params const& params = {}) {
  Subject subject{.simulator = [=](auto const& options) -> std::unique_ptr<Simulator> {
    return std::make_unique<CpuSimulator<Env>>(params, options);
  }};
  if constexpr (HasHeuristic<Env>) subject.heuristic = [=] { return std::make_unique<CpuHeuristic<Env>>(params); };
  return subject;
}

/// What the property called `name` finds; "holds" if nothing.
std::string found(std::string const& name, Subject const& subject) {
  for (auto const& property : properties())
    if (property.name == name) {
      auto const finding = examine(property, subject);
      return finding.holds ? "holds" : finding.text;
    }
  return "no such property";
}

std::string found(std::string const& name, Flaw flaw) { return found(name, subject_of<Faulty<>>({.flaw = flaw})); }

std::string found(std::string const& name, Fault fault) {
  return found(name, subject_of<Countdown<>>({.fault = fault}));
}

TEST(Verify, FindsNothingWhereNothingIs) {
  for (auto const& property : properties()) {
    for (auto const& subject : {subject_of<Faulty<>>(), subject_of<Countdown<>>()}) {
      auto const finding = examine(property, subject);
      EXPECT_TRUE(finding.holds) << property.name << ": " << finding.text;
    }
  }
}

TEST(Verify, FindsSpecsThatContradictThemselves) {
  EXPECT_EQ(found("spec", Flaw::bounds_cross),
            "supertype \"runner\", coordinate \"mean\": 0.5 in [1.5, 1], expected finite low <= initial <= high");
  EXPECT_EQ(found("spec", Flaw::no_heads), "group \"runners\": no heads; expected at least one action");
  EXPECT_EQ(found("spec", Flaw::names_twice), "metrics: \"far\" is there twice");
}

TEST(Verify, FindsWhatIsWrittenAndWhatIsNot) {
  EXPECT_THAT(found("outputs", subject_of<Faulty<true>>({.flaw = Flaw::leaves_cells})),
              MatchesRegex("instance 0, step 0, agent 1, observation 1: .*e.16 here, -39.* there, as memory held .*"));
  EXPECT_EQ(found("outputs", subject_of<Countdown<true>>()).substr(0, 20), "instance 0, step 0, ");
  EXPECT_EQ(found("memory", Flaw::writes_behind),
            "step 0: observations of group \"caller\", instance 0, behind agent 0 of the group");
  EXPECT_EQ(found("optional", Flaw::minds_types),
            "instance 0, step 0, agent 0, observation 0: 0, without types and masks 1");
  EXPECT_EQ(found("finite", Flaw::not_finite), "instance 0, step 2, agent 1, reward: inf");
  EXPECT_EQ(found("finite", Flaw::metric_not_finite), "instance 0, 1 episodes, metric far: nan");
  EXPECT_THAT(found("global state", Flaw::state_writes_before),
              MatchesRegex("instance 0, step 0, agent 0, observation 2: 1 here, 0.* there without the state"));
}

TEST(Verify, FindsMasksAndActionsThatAreNotKept) {
  EXPECT_EQ(found("masks", Flaw::forbids_all), "instance 0, step 0, agent 2, head \"call\": no choice is legal");
  EXPECT_EQ(found("masks", Fault::masks_unasked),
            "instance 0, step 0, agent 3, head \"choice\", choice 1: a mask of 0, but the spec says that the group is "
            "not masked");
  EXPECT_THAT(found("bounds", Flaw::takes_any_action),
              MatchesRegex("instance 0, step 1, agent 0, reward: .* here, .* there, where continuous actions .*"));
  EXPECT_THAT(found("heuristic", Flaw::illegal_heuristic),
              MatchesRegex("instance 0, step 0, agent 2, head \"call\": ., which is illegal"));
  EXPECT_EQ(found("heuristic", Flaw::short_heuristic),
            "instance 0, step 0, agent 2, head \"call\": -1, expected a choice in [0, 3)");
}

TEST(Verify, FindsEpisodesThatDoNotKeepTheirTime) {
  EXPECT_EQ(found("episodes", Flaw::goes_on),
            "instance 0, step 6: step 6 of an episode that goes on, max_episode_steps is 6");
  EXPECT_EQ(found("episodes", Flaw::truncates_unsaid),
            "instance 0, step 6, agent 0: truncated, but the spec says that no episode is");
}

TEST(Verify, FindsWhoComesBackToLifeAndGamesWithoutPlayers) {
  EXPECT_EQ(found("life", Fault::revives), "instance 0, step 2, agent 0: comes back to life");
  EXPECT_EQ(found("life", Fault::outlives), "instance 0, step 4: nobody lives, and the episode goes on");
  EXPECT_THAT(found("the dead", Fault::minds_the_dead), HasSubstr(", where the dead act otherwise"));
}

TEST(Verify, FindsWhatOutlivesItsEpisodeOrItsInstance) {
  EXPECT_THAT(found("reset", Flaw::keeps_over_reset),
              MatchesRegex("instance 0, step 0, agent 2, observation 1: .*, after other first episodes"));
  EXPECT_EQ(found("supertypes", Flaw::ignores_profile),
            "with every coordinate at another bound, the next episodes are the same");
  EXPECT_THAT(found("instances", Flaw::counts_resets), HasSubstr("with 1 instance here, 3 there"));
  EXPECT_THAT(found("first_instance", Flaw::counts_resets), HasSubstr("with first_instance = 3 there"));
  EXPECT_THAT(found("threads", Flaw::keeps_scratch), HasSubstr("with one thread here, "));
  EXPECT_THAT(found("state", Flaw::keeps_outside), HasSubstr(", where the state was imported at step 8"));
}

TEST(Verify, FindsRaces) {
  EXPECT_THAT(found("lanes", Flaw::races),
              MatchesRegex("instance 0, step 1, agent ., .*: .* in order here, as 2 lanes may come there"));
}

TEST(Verify, AnExceptionIsAFinding) {
  Subject const none{.simulator = [](auto const&) -> std::unique_ptr<Simulator> { throw Error("no simulator"); }};
  EXPECT_EQ(examine(properties()[0], none).text, "no simulator");
  EXPECT_EQ(test::input_error([] { subject("markt", {}); }).substr(0, 40),
            "name = \"markt\": expected one of \"checker");
}

}  // namespace
}  // namespace shoal
