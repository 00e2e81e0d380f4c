// Two roles: the rules, and the totals of docs/two-role.md by policies that know the right answers.
#include "shoal/envs/two_role.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "support/driver.hpp"

namespace shoal {
namespace {

static_assert(Environment<TwoRole>);
static_assert(sizeof(TwoRole::State) == 6);

constexpr int cues = TwoRole::cues;

/// What a row of the padded observation shows: [cue, one-hot | A's last answer, one-hot | m, with `disjoint`].
struct Seen {
  int cue, last;  // last: -1 if hidden
};

Seen seen(Driver const& d, int instance, int agent) {
  auto const one = [&](int first, int count) {
    for (int k = 0; k < count; ++k)
      if (d.out.observations(instance, agent, first + k) == 1) return k;
    return -1;
  };
  return {one(0, cues), one(cues, TwoRole::answers_a)};
}

int right_a(Seen s) { return s.cue % 3; }
int right_b(Seen s) { return (s.cue + (s.last < 0 ? 1 : s.last)) % 5; }

using Answer = std::function<int(int agent, Seen)>;

/// Mean total of an episode over so many.
double mean_total(Answer const& answer, int episodes) {
  Driver d("two_role", {}, {.instances = episodes, .seed = 5});
  d.reset();
  double total = 0;
  for (int t = 0; t < TwoRole::steps; ++t) {
    for (int i = 0; i < episodes; ++i)
      for (int a = 0; a < 2; ++a) d.discrete(i, a, 0) = answer(a, seen(d, i, a));
    d->step(d.in, d.out);
    for (int i = 0; i < episodes; ++i) total += double(d.out.rewards(i, 0) + d.out.rewards(i, 1));
  }
  return total / episodes;
}

TEST(TwoRole, RightAnswersEarnEverything) {
  EXPECT_EQ(mean_total([](int agent, Seen s) { return agent == 0 ? right_a(s) : right_b(s); }, 50), 32);
}

// A's answer for a cue alone, which is B's hidden one too; where that is illegal for A, the answer can be B's.
TEST(TwoRole, OneAnswerToEachMaskedRowEarns28) {
  auto const shared = [](int agent, Seen s) {
    if (s.last >= 0) return right_b(s);
    return agent == 0 || right_b(s) < TwoRole::answers_a ? right_a(s) : right_b(s);
  };
  EXPECT_NEAR(mean_total(shared, 4000), 28, 0.1);
}

TEST(TwoRole, OneAnswerToEachRowEarns24) {
  auto const shared = [](int, Seen s) { return s.last >= 0 ? right_b(s) : right_a(s); };
  EXPECT_NEAR(mean_total(shared, 4000), 24, 0.1);
}

TEST(TwoRole, EachPartOfADrawIsUniform) {
  constexpr int instances = 20000;
  Driver d("two_role", {{"disjoint", true}}, {.instances = instances, .seed = 2});
  d.reset();
  std::vector<double> cue(cues), last(3);
  double hidden = 0;
  for (int i = 0; i < instances; ++i) {
    auto const s = seen(d, i, 1);
    EXPECT_EQ(seen(d, i, 0).cue, s.cue);
    bool const m = d.out.observations(i, 1, cues + 3) == 1;
    ASSERT_EQ(m, s.last < 0);
    ++cue[std::size_t(s.cue)];
    hidden += m;
    if (!m) ++last[std::size_t(s.last)];
  }
  EXPECT_THAT(cue, testing::Each(testing::DoubleNear(instances / 4.0, 5 * 62)));
  EXPECT_NEAR(hidden, instances / 2.0, 5 * 71);
  EXPECT_THAT(last, testing::Each(testing::DoubleNear(instances / 6.0, 5 * 58)));
}

// The cue of a step is not that of the step before, nor of the episode before.
TEST(TwoRole, DrawsAreFresh) {
  constexpr int instances = 8000;
  Driver d("two_role", {}, {.instances = instances, .seed = 2});
  d.reset();
  for (int t = 0; t < TwoRole::steps + 1; ++t) {
    std::vector<int> before;
    for (int i = 0; i < instances; ++i) before.push_back(seen(d, i, 0).cue);
    d.step();
    int same = 0;
    for (int i = 0; i < instances; ++i) same += before[std::size_t(i)] == seen(d, i, 0).cue;
    ASSERT_NEAR(same, instances / 4, 5 * 39) << "step " << t;
  }
}

}  // namespace
}  // namespace shoal
