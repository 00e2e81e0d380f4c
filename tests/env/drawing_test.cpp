// What holds for the drawing of every environment, and for those without one.
#include "shoal/env/drawing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "shoal/env/cpu_simulator.hpp"
#include "support/countdown.hpp"
#include "support/driver.hpp"

namespace shoal {
namespace {

std::vector<Variant> drawn_variants() {
  std::vector<Variant> drawn;
  for (auto const& v : all_variants())
    if (make_simulator(v.environment, v.params, {})->can_draw()) drawn.push_back(v);
  return drawn;
}

class EveryDrawing : public testing::TestWithParam<Variant> {
 protected:
  Driver driver() const { return Driver(GetParam().environment, GetParam().params, {.instances = 2, .seed = 4}, 0); }
};
INSTANTIATE_TEST_SUITE_P(All, EveryDrawing, testing::ValuesIn(drawn_variants()),
                         [](auto const& test) { return test.param.name; });

bool is_ascii(std::string const& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Empty, or what lies outside or is not to be shown.
std::string problem_of(Drawing const& d) {
  auto const inside = [&](float x, float y, float r) {
    constexpr float slack = 1e-4f;
    return x - r >= -slack && y - r >= -slack && x + r <= d.width + slack && y + r <= d.height + slack;
  };
  if (!(d.width > 0 && d.height > 0)) return "no size";
  if (d.cells.colors.empty() && d.lines.empty() && d.discs.empty() && d.labels.empty()) return "nothing is drawn";
  if (float(d.cells.columns) > d.width || float(d.cells.rows) > d.height) return "cells outside";
  if (d.cells.colors.size() != std::size_t(d.cells.columns) * std::size_t(d.cells.rows)) return "cells without color";
  for (auto const& line : d.lines)
    if (!inside(line.x0, line.y0, 0) || !inside(line.x1, line.y1, 0) || line.width <= 0) return "a line outside";
  for (auto const& disc : d.discs)
    if (!inside(disc.x, disc.y, disc.radius) || !is_ascii(disc.label)) return "a disc outside: " + disc.label;
  for (auto const& label : d.labels)
    if (!inside(label.x, label.y, 0) || !inside(label.x + float(label.text.size()) / 2, label.y, 0) ||
        !is_ascii(label.text))
      return "a label outside: " + label.text;
  for (auto const& text : d.text)
    if (!is_ascii(text)) return "text that is not ASCII: " + text;
  return "";
}

TEST_P(EveryDrawing, LiesWithinItsBoundsAndKeepsItsSize) {
  auto d = driver();
  d.reset();
  auto const first = d->draw(0);
  ASSERT_EQ(problem_of(first), "");
  for (int t = 0; t < 120; ++t) {
    d.step();
    auto const drawing = d->draw(0);
    ASSERT_EQ(problem_of(drawing), "") << "step " << t;
    ASSERT_EQ(drawing.width, first.width);
    ASSERT_EQ(drawing.height, first.height);
    ASSERT_EQ(drawing.text.size(), first.text.size());
  }
}

TEST_P(EveryDrawing, AfterAStepIsDrawnBeforeIt) {
  auto d = driver();
  d.reset();
  bool moved = false;
  for (int t = 0; t < 40; ++t) {
    d.draw_actions();
    auto const before = d->draw(1), after = d->draw_after(1, d.in);
    EXPECT_EQ(d->draw(1), before) << "draw_after() changes nothing";
    d.step();  // draws the same actions
    if (d.ended(1)) continue;
    ASSERT_EQ(d->draw(1), after) << "step " << t;
    moved |= !(after == before);
  }
  EXPECT_TRUE(moved || d.spec().max_episode_steps == 1) << "a step that ends an episode is not compared";
}

TEST_P(EveryDrawing, AnEpisodesEndIsDrawnThoughItIsReset) {
  auto d = driver();
  d.reset();
  for (int t = 0; t < d.spec().max_episode_steps; ++t) {
    d.draw_actions();
    auto const after = d->draw_after(0, d.in);
    d.step();
    if (!d.ended(0)) continue;
    EXPECT_FALSE(after == d->draw(0)) << "the next episode's beginning";
    return;
  }
  FAIL() << "no episode has ended";
}

TEST(Drawing, ThoseThatComeWithShoalAreDrawn) {
  for (auto const* name : {"checkers", "market", "matrix_game", "pursuit", "recall", "switch"})
    EXPECT_TRUE(make_simulator(name, {}, {})->can_draw()) << name;
}

TEST(Drawing, AnEnvironmentWithoutOneIsAnError) {
  using Plain = test::Countdown<>;
  typename Plain::Params params;
  Plain::prepare(params);
  CpuSimulator<Plain> simulator(params, {});
  EXPECT_FALSE(simulator.can_draw());
  EXPECT_THROW(simulator.draw(0), Error);
}

TEST(Drawing, ColorsMixInTheSharesAskedFor) {
  Color const black{0, 0, 0}, some{200, 100, 50};
  EXPECT_EQ(mix(black, some, 0), black);
  EXPECT_EQ(mix(black, some, 1), some);
  EXPECT_EQ(mix(black, some, 0.5f), (Color{100, 50, 25}));
  EXPECT_EQ(mix(some, black, 0.25f), (Color{150, 75, 38}));
}

TEST(Drawing, NumbersHaveNoNegativeZero) {
  EXPECT_EQ(number_text(-0.04, 1), "0.0");
  EXPECT_EQ(number_text(-0.06, 1), "-0.1");
  EXPECT_EQ(number_text(1.25, 2, 7), "   1.25");
}

}  // namespace
}  // namespace shoal
