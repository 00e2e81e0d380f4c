#include "program/commands/watch_command.hpp"

#include <gif_lib.h>
#include <gmock/gmock.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "program/pictures/gif.hpp"
#include "program/pictures/raster.hpp"
#include "program/pictures/terminal_picture.hpp"
#include "program/trained.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

/// What it prints; standard output is no terminal here.
std::string output_of(WatchCommand const& command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(watch(command), 0);
  testing::internal::GetCapturedStderr();
  return testing::internal::GetCapturedStdout();
}

/// Nothing must have been printed.
std::string complaint(WatchCommand const& command) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  auto const text = error_of([&] { watch(command); });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(text.find('\n'), std::string::npos);
  return text;
}

int count(std::string const& text, std::string const& part) {
  int n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// ---- Text -----------------------------------------------------------------------------------------------------------

TEST(WatchCommand, PrintsAFrameForTheBeginningAndEachStep) {
  auto const text = output_of({.what = "switch", .overrides = {"env.max_steps=3"}, .episodes = 2, .seed = 1});
  EXPECT_THAT(text, StartsWith("switch, uniform random play\n"
                               "episode 1, step 0 of at most 3\n"
                               "reward      0      0\n"
                               "return      0      0\n"
                               ". 1 ######2 .\n"
                               ". . . . . . .\n"
                               ". . ######. .\n"
                               "arrived 0 of 2\n\n"));
  EXPECT_EQ(count(text, "arrived 0 of 2\n\n"), 2 * (1 + 3));
  EXPECT_EQ(count(text, "step 3 of at most 3, truncated\n"), 2);
  EXPECT_THAT(text, HasSubstr("return   -0.3   -0.3\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(WatchCommand, MatrixGameShowsActionsAndPayoffs) {
  auto const text = output_of({.what = "matrix_game", .overrides = {"env.rounds=1"}, .seed = 3});
  EXPECT_THAT(text, HasSubstr("episode 1, step 1 of at most 1, truncated\n"
                              "reward      1      1\n"
                              "return      1      1\n"
                              "player      latest  actions taken        payoff  altruism\n"
                              "player 1        2   ====================   1.00      0.00\n"
                              "player 2        2   ====================   1.00      0.00\n\n"
                              "payoffs   action 1   action 2\n"
                              "action 1  3.0, 3.0   0.0, 5.0\n"
                              "action 2  5.0, 0.0  =1.0,=1.0=\n"));
}

TEST(WatchCommand, ASeedsEpisodesAreTheSameEveryTime) {
  auto const text = output_of({.what = "checkers", .overrides = {"env.max_steps=9"}, .seed = 1});
  EXPECT_EQ(output_of({.what = "checkers", .overrides = {"env.max_steps=9"}, .seed = 1}), text);
  EXPECT_NE(output_of({.what = "checkers", .overrides = {"env.max_steps=9"}, .seed = 2}), text);
}

TEST(WatchCommand, ARunIsPlayedWithItsPolicies) {
  TemporaryFolder const folder;
  auto const run = trained(folder, calibrated_game);
  auto const text = output_of({.what = run, .episodes = 2});
  EXPECT_THAT(text, StartsWith("matrix_game, "));
  EXPECT_THAT(text, HasSubstr("after 2 stages\n"));
  EXPECT_EQ(count(text, "step 4 of at most 4, truncated"), 2);
  EXPECT_EQ(output_of({.what = run, .episodes = 2}), text);
}

// ---- Pictures -------------------------------------------------------------------------------------------------------

Drawing small_drawing() {
  Drawing d{.width = 3, .height = 2};
  d.cells.fill(3, 2, palette::floor);
  d.cells.at(2, 1) = palette::wall;
  d.discs.push_back({0.5f, 0.5f, 0.4f, palette::blue, "7"});
  d.labels.push_back({1, 1.5f, "ab"});
  return d;
}

TEST(TerminalPicture, PlainCharactersAreTwoAUnit) {
  EXPECT_THAT(plain_picture({"above"}, small_drawing()), testing::ElementsAre("above", "7 . .", ". ab##"));
}

TEST(TerminalPicture, FitsTheTerminal) {
  for (auto const& [columns, rows] : {std::pair{80, 24}, {20, 9}, {4, 4}, {2, 2}}) {
    auto const lines = terminal_picture({"a caption"}, small_drawing(), {.columns = columns, .rows = rows});
    EXPECT_LT(int(lines.size()), rows);
    EXPECT_LE(int(lines[0].size()), columns);
    for (auto const& line : lines) EXPECT_LE(count(line, "\u2580"), columns);
  }
}

TEST(TerminalPicture, ColorsAreTheDrawings) {
  auto const lines = terminal_picture({}, small_drawing(), {.columns = 6, .rows = 24});  // two pixels a unit
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], StartsWith("\x1b[38;2;255;255;255m\x1b[48;2;0;114;178m7"));
  EXPECT_THAT(lines[1], HasSubstr("\x1b[38;2;88;92;98m\x1b[48;2;88;92;98m\u2580\u2580\x1b[0m"));
  auto const few = terminal_picture({}, small_drawing(), {.columns = 6, .rows = 24, .true_color = false});
  EXPECT_THAT(few[1], HasSubstr("\x1b[38;5;59m"));
}

TEST(Raster, DiscsAreRoundAndInTheirPlace) {
  auto const image = rasterize(small_drawing(), 20);
  EXPECT_EQ(image.width, 60);
  EXPECT_EQ(image.height, 40);
  EXPECT_EQ(image.at(10, 10), palette::blue);
  EXPECT_EQ(image.at(3, 3), palette::floor) << "the corner of the disc's square";
  EXPECT_EQ(image.at(10, 3), palette::blue);
  EXPECT_EQ(image.at(50, 30), palette::wall);
}

TEST(Raster, LinesAreCutOffAtTheirEnds) {
  Drawing d{.width = 4, .height = 2};
  d.lines.push_back({1, 1, 3, 1, 1, palette::red});
  auto const image = rasterize(d, 10);
  int painted = 0;
  for (auto const& pixel : image.pixels) painted += pixel == palette::red;
  EXPECT_EQ(painted, 20 * 10);
  EXPECT_EQ(image.at(10, 5), palette::red);
  EXPECT_EQ(image.at(9, 5), palette::paper);
}

// ---- Files ----------------------------------------------------------------------------------------------------------

TEST(WatchCommand, APageIsWholeAndHasEveryFrame) {
  TemporaryFolder const folder;
  auto const path = folder.path() + "/page.html";
  auto const said =
      output_of({.what = "switch", .overrides = {"env.max_steps=3"}, .episodes = 2, .fps = 4, .page = path});
  EXPECT_THAT(said, HasSubstr("page.html: 8 frames\n"));
  auto const page = text_of(path);
  for (char const* outside : {"http:", "https:", "src=", "href=", "import "})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  auto const begin = page.find("id=\"data\">") + 10;
  auto const data = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  ASSERT_EQ(data["frames"].size(), 8u);
  EXPECT_EQ(data["fps"], 4);
  EXPECT_EQ(data["most_steps"], 3);
  auto const& last = data["frames"][7];
  EXPECT_EQ(last["episode"], 2);
  EXPECT_EQ(last["step"], 3);
  EXPECT_EQ(last["ended"], "truncated");
  EXPECT_EQ(last["returns"], nlohmann::json::parse("[-0.3, -0.3]"));
  EXPECT_EQ(last["drawing"]["cells"].size(), 21u);
  EXPECT_EQ(last["drawing"]["discs"].size(), 2u);
  EXPECT_FALSE(fs::exists(path + ".partial"));
}

using Decoded = std::unique_ptr<GifFileType, int (*)(GifFileType*)>;

Decoded decoded(std::string const& path) {
  auto const close = [](GifFileType* gif) { return gif ? DGifCloseFile(gif, nullptr) : GIF_OK; };
  Decoded gif(DGifOpenFileName(path.c_str(), nullptr), close);
  EXPECT_TRUE(gif);
  EXPECT_EQ(DGifSlurp(gif.get()), GIF_OK);
  return gif;
}

int delay_of(Decoded const& gif, int frame) {
  GraphicsControlBlock control;
  EXPECT_EQ(DGifSavedExtensionToGCB(gif.get(), frame, &control), GIF_OK);
  return control.DelayTime;
}

TEST(WatchCommand, AGifHasEveryFrame) {
  TemporaryFolder const folder;
  auto const path = folder.path() + "/a.gif";
  output_of({.what = "switch", .overrides = {"env.max_steps=3"}, .episodes = 2, .fps = 10, .gif = path});
  EXPECT_THAT(text_of(path), StartsWith("GIF89a"));
  auto const gif = decoded(path);
  EXPECT_EQ(gif->ImageCount, 8);
  EXPECT_EQ(delay_of(gif, 1), 10);
  EXPECT_EQ(delay_of(gif, 3), 110) << "an episode's end";
}

TEST(Gif, MoreColorsThanItHoldsBecomeTheNearest) {
  TemporaryFolder const folder;
  Frame frame{.rewards = {0}, .returns = {0}, .drawing = {.width = 20, .height = 20}};
  frame.drawing.cells.fill(20, 20, palette::floor);
  for (int i = 0; i < 400; ++i) frame.drawing.cells.at(i % 20, i / 20) = {std::uint8_t(i / 2), std::uint8_t(i % 7), 9};
  Gif gif({"many", 1}, 5);
  gif.add(frame);
  auto const file = decoded(folder.write("many.gif", gif.finish()));
  EXPECT_EQ(file->SavedImages[0].ImageDesc.ColorMap->ColorCount, 256);
}

// ---- Refusals -------------------------------------------------------------------------------------------------------

TEST(WatchCommand, RefusesWhatItCannotPlay) {
  TemporaryFolder const folder;
  EXPECT_THAT(complaint({.what = "swtch"}), StartsWith("watch swtch: expected one of checkers, "));
  EXPECT_THAT(complaint({.what = folder.path()}), HasSubstr("no config.toml there; expected the folder of a run"));
  EXPECT_EQ(complaint({.what = folder.path(), .overrides = {"env.x=1"}}),
            "--set env.x=1: expected an environment's name before it; a run is played as it was trained");
  EXPECT_EQ(complaint({.what = "switch", .overrides = {"train.stages=1"}}), "--set train: expected env.key=value");
  EXPECT_THAT(complaint({.what = "switch", .overrides = {"env.n_agents=9"}}),
              StartsWith("--set env.n_agents = 9: expected an integer in [2, 4]"));
  EXPECT_EQ(complaint({.what = "switch", .episodes = 0}), "--episodes = 0: expected an integer of at least 1");
  EXPECT_EQ(complaint({.what = "switch", .fps = 0}), "--fps = 0: expected a real in [0.1, 50]");
}

TEST(WatchCommand, RefusesFilesThatItCannotWrite) {
  TemporaryFolder const folder;
  auto const nowhere = folder.path() + "/none/a.gif";
  EXPECT_EQ(complaint({.what = "switch", .gif = nowhere}), "--gif " + nowhere + ": cannot be written");
  EXPECT_EQ(complaint({.what = "switch", .page = folder.path()}),
            "--page " + folder.path() + ": expected a file, or a name that is free");
  EXPECT_EQ(complaint({.what = "swtch", .gif = folder.path() + "/a.gif"}).substr(0, 11), "watch swtch");
  EXPECT_TRUE(fs::is_empty(folder.path())) << "nothing is left of a file that was not written";
}

}  // namespace
}  // namespace shoal
