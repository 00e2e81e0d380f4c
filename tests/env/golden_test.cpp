// One number for each trajectory that users may have recorded: 100 steps of 3 instances with the driver's random
// actions. A change here is a change of rules, of a draw's place or of arithmetic, and belongs into the changelog. The
// CPU's optimisation level, threads and lanes must not show, so one list serves every build.
#include <gtest/gtest.h>

#include <map>

#include "support/driver.hpp"

namespace shoal {
namespace {

std::map<std::string, std::uint64_t> const golden = {
    {"market", 984577972696390354u},
    {"market_two_merchants", 15076623838731864886u},
    {"market_discrete", 7737924895619522594u},
    {"market_supertypes", 13901315134421415759u},
    {"matrix_game", 983208643089038749u},
    {"matrix_game_three_players", 11506829412459599059u},
    {"matrix_game_no_memory", 12841656121737687298u},
    {"pursuit", 17031397063347460278u},
    {"pursuit_pairs", 13867509085977049816u},
    {"pursuit_paper", 6157928699046540307u},
    {"pursuit_crowded", 17020470709658540968u},
    {"checkers", 6494740591193891748u},
    {"checkers_old", 8030720805219525389u},
    {"checkers_full", 3491551717820535020u},
    {"switch", 2476147790619007326u},
    {"switch_old", 4717619931769248226u},
    {"switch_full", 2898865873465443065u},
    {"recall", 3299796276850016200u},
    {"recall_role", 16207244863140055311u},
    {"recall_at_once", 12834528068974077876u},
    {"two_role", 10131577593055145115u},
    {"two_role_disjoint", 8742838486992901827u},
};

std::uint64_t trajectory(Variant const& v) {
  Driver d(v.environment, v.params, {.instances = 3, .seed = 42});
  d.reset();
  d.steps(100);
  TrajectoryHash all;
  for (auto const hash : d.hashes()) all.add(hash);
  return all.value();
}

class Golden : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(all_variants()),
                         [](auto const& test) { return test.param.name; });

TEST_P(Golden, Trajectory) {
  auto const known = golden.find(GetParam().name);
  ASSERT_NE(known, golden.end()) << "a new variant: enter {\"" << GetParam().name << "\", " << trajectory(GetParam())
                                 << "u}";
  EXPECT_EQ(trajectory(GetParam()), known->second);
}

}  // namespace
}  // namespace shoal
