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
Subject subject_of() {
  typename Env::Params const params;
  Subject subject{.simulator = [=](auto const& options) -> std::unique_ptr<Simulator> {
    return std::make_unique<CpuSimulator<Env>>(params, options);
  }};
  if constexpr (HasHeuristic<Env>) subject.heuristic = [=] { return std::make_unique<CpuHeuristic<Env>>(params); };
  return subject;
}

/// What the property called `name` finds; "holds" if nothing.
template <class Env>
std::string found(std::string const& name) {
  for (auto const& property : properties())
    if (property.name == name) {
      auto const finding = examine(property, subject_of<Env>());
      return finding.holds ? "holds" : finding.text;
    }
  return "no such property";
}

template <Flaw flaw>
std::string flaw_in(std::string const& name) {
  return found<Faulty<flaw>>(name);
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
  EXPECT_EQ(flaw_in<Flaw::bounds_cross>("spec"),
            "supertype \"runner\", coordinate \"mean\": 0.5 in [1.5, 1], expected finite low <= initial <= high");
  EXPECT_EQ(flaw_in<Flaw::no_heads>("spec"), "group \"runners\": no heads; expected at least one action");
  EXPECT_EQ(flaw_in<Flaw::names_twice>("spec"), "metrics: \"far\" is there twice");
}

TEST(Verify, FindsWhatIsWrittenAndWhatIsNot) {
  EXPECT_THAT(flaw_in<Flaw::leaves_cells>("outputs"),
              MatchesRegex("instance 0, step 0, agent 1, observation 1: .*e.16 here, -39.* there, as memory held .*"));
  EXPECT_EQ(found<Countdown<Fault::claims_every_cell>>("outputs").substr(0, 20), "instance 0, step 0, ");
  EXPECT_EQ(flaw_in<Flaw::writes_behind>("memory"),
            "step 0: observations of group \"caller\", instance 0, behind agent 0 of the group");
  EXPECT_EQ(flaw_in<Flaw::minds_types>("optional"),
            "instance 0, step 0, agent 0, observation 0: 0, without types and masks 1");
  EXPECT_EQ(flaw_in<Flaw::not_finite>("finite"), "instance 0, step 2, agent 1, reward: inf");
  EXPECT_EQ(flaw_in<Flaw::metric_not_finite>("finite"), "instance 0, 1 episodes, metric far: nan");
  EXPECT_THAT(flaw_in<Flaw::state_writes_before>("global state"),
              MatchesRegex("instance 0, step 0, agent 0, observation 2: 1 here, 0.* there without the state"));
}

TEST(Verify, FindsMasksAndActionsThatAreNotKept) {
  EXPECT_EQ(flaw_in<Flaw::forbids_all>("masks"), "instance 0, step 0, agent 2, head \"call\": no choice is legal");
  EXPECT_EQ(found<Countdown<Fault::masks_unasked>>("masks"),
            "instance 0, step 0, agent 3, head \"choice\", choice 1: a mask of 0, but the spec says that the group is "
            "not masked");
  EXPECT_THAT(flaw_in<Flaw::takes_any_action>("bounds"),
              MatchesRegex("instance 0, step 1, agent 0, reward: .* here, .* there, where continuous actions .*"));
  EXPECT_THAT(flaw_in<Flaw::illegal_heuristic>("heuristic"),
              MatchesRegex("instance 0, step 0, agent 2, head \"call\": ., which is illegal"));
  EXPECT_EQ(flaw_in<Flaw::short_heuristic>("heuristic"),
            "instance 0, step 0, agent 2, head \"call\": -1, expected a choice in [0, 3)");
}

TEST(Verify, FindsEpisodesThatDoNotKeepTheirTime) {
  EXPECT_EQ(flaw_in<Flaw::goes_on>("episodes"),
            "instance 0, step 6: step 6 of an episode that goes on, max_episode_steps is 6");
  EXPECT_EQ(flaw_in<Flaw::truncates_unsaid>("episodes"),
            "instance 0, step 6, agent 0: truncated, but the spec says that no episode is");
}

TEST(Verify, FindsWhoComesBackToLifeAndGamesWithoutPlayers) {
  EXPECT_EQ(found<Countdown<Fault::revives>>("life"), "instance 0, step 2, agent 0: comes back to life");
  EXPECT_EQ(found<Countdown<Fault::outlives>>("life"), "instance 0, step 4: nobody lives, and the episode goes on");
  EXPECT_THAT(found<Countdown<Fault::minds_the_dead>>("the dead"), HasSubstr(", where the dead act otherwise"));
}

TEST(Verify, FindsWhatOutlivesItsEpisodeOrItsInstance) {
  EXPECT_THAT(flaw_in<Flaw::keeps_over_reset>("reset"),
              MatchesRegex("instance 0, step 0, agent 2, observation 1: .*, after other first episodes"));
  EXPECT_EQ(flaw_in<Flaw::ignores_profile>("supertypes"),
            "with every coordinate at another bound, the next episodes are the same");
  EXPECT_THAT(flaw_in<Flaw::counts_resets>("instances"), HasSubstr("with 1 instance here, 3 there"));
  EXPECT_THAT(flaw_in<Flaw::counts_resets>("first_instance"), HasSubstr("with first_instance = 3 there"));
  EXPECT_THAT(flaw_in<Flaw::keeps_scratch>("threads"), HasSubstr("with one thread here, "));
  EXPECT_THAT(flaw_in<Flaw::keeps_outside>("state"), HasSubstr(", where the state was imported at step 8"));
}

TEST(Verify, FindsRaces) {
  EXPECT_THAT(flaw_in<Flaw::races>("lanes"),
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
