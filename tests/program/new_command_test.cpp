#include "program/commands/new_command.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>

#include "program/commands/templates.hpp"
#include "program/helpers.hpp"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string text_of(fs::path const& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The parts of the source tree that the command looks at.
class Tree : public TemporaryFolder {
 public:
  Tree() {
    for (char const* folder : {"cmake", "include/shoal", "tests/envs", "experiments"})
      fs::create_directories(root() / folder);
    for (char const* headers : {"include/shoal/env", "include/shoal/envs"})
      fs::copy(fs::path(SHOAL_SOURCE_DIR) / headers, root() / headers);
    fs::copy(SHOAL_SOURCE_DIR "/cmake/Environments.cmake", list());
  }

  fs::path root() const { return path(); }
  fs::path list() const { return root() / "cmake/Environments.cmake"; }

  /// @return what the command prints
  std::string make(std::string const& name) const {
    testing::internal::CaptureStdout();
    EXPECT_EQ(new_command(name, root()), 0);
    return testing::internal::GetCapturedStdout();
  }
  std::string error(std::string const& name) const {
    return error_of([&] { new_command(name, root()); });
  }

  std::map<fs::path, std::string> files() const {
    std::map<fs::path, std::string> all;
    for (auto const& entry : fs::recursive_directory_iterator(root()))
      all[entry.path()] = entry.is_regular_file() ? text_of(entry.path()) : "";
    return all;
  }
};

TEST(NewCommand, NamesBecomeStructs) {
  EXPECT_EQ(struct_name("foragers"), "Foragers");
  EXPECT_EQ(struct_name("river_game"), "RiverGame");
  EXPECT_EQ(struct_name("game2"), "Game2");
  EXPECT_EQ(struct_name("river_x"), "RiverX");
}

TEST(NewCommand, RefusesOtherNames) {
  auto const error = [](std::string const& name) { return error_of([&] { struct_name(name); }); };
  for (std::string const name : {"", "River", "2d", "_x", "river-game", "river game", "rivière", "../x", "x/y"})
    EXPECT_THAT(error(name), HasSubstr(": expected a lower-case letter, then lower-case letters, digits and _"));
  EXPECT_THAT(error(std::string(41, 'a')), HasSubstr("at most 40"));
  EXPECT_EQ(error("class"), "new class: a keyword of C++; expected another name");
  EXPECT_EQ(error("char8_t"), "new char8_t: a keyword of C++; expected another name");
  EXPECT_EQ(error("x_game"),
            "new x_game: its struct is XGame, whose header CMake seeks as xgame.hpp; expected xgame, or longer words");
  for (std::string const name : {"grid_2d", "a__game", "game_"}) EXPECT_THAT(error(name), HasSubstr("CMake seeks"));
}

TEST(NewCommand, TheListStaysInOrder) {
  auto const with = [](std::string const& name) {
    return with_environment("x\nset(SHOAL_ENVIRONMENTS Bees\n  Switch)\ny()\n", name);
  };
  EXPECT_EQ(with("Ants"), "x\nset(SHOAL_ENVIRONMENTS Ants Bees\n  Switch)\ny()\n");
  EXPECT_EQ(with("Cats"), "x\nset(SHOAL_ENVIRONMENTS Bees\n  Cats Switch)\ny()\n");
  EXPECT_EQ(with("Wasps"), "x\nset(SHOAL_ENVIRONMENTS Bees\n  Switch Wasps)\ny()\n");
  EXPECT_EQ(error_of([&] { with("Bees"); }), "cmake/Environments.cmake: Bees is in its list");
  EXPECT_THAT(error_of([] { with_environment("set(X Y)", "Ants"); }), HasSubstr("no list set(SHOAL_ENVIRONMENTS ...)"));
}

TEST(NewCommand, WritesThreeFilesAndTheList) {
  Tree const tree;
  auto const before = tree.files();
  auto const said = tree.make("river_game");
  for (char const* file : {"include/shoal/envs/river_game.hpp", "tests/envs/river_game_test.cpp",
                           "experiments/river_game/river_game.toml", "cmake/Environments.cmake"})
    EXPECT_THAT(said, HasSubstr(tree.path() + "/" + file));
  EXPECT_THAT(said, HasSubstr("scripts/test -R 'RiverGame|river_game'\n"));
  EXPECT_THAT(text_of(tree.root() / "include/shoal/envs/river_game.hpp"), HasSubstr("struct RiverGame {"));
  EXPECT_THAT(text_of(tree.root() / "tests/envs/river_game_test.cpp"), HasSubstr("\"shoal/envs/river_game.hpp\""));
  EXPECT_THAT(text_of(tree.root() / "experiments/river_game/river_game.toml"), HasSubstr("name = \"river_game\""));
  EXPECT_EQ(text_of(tree.list()), with_environment(before.at(tree.list()), "RiverGame"));
  auto after = tree.files();
  EXPECT_EQ(after.size(), before.size() + 4) << "three files and the experiment's folder";
  for (auto const& [path, text] : after) EXPECT_THAT(text, testing::Not(HasSubstr("@Name@"))) << path;
}

TEST(NewCommand, OverwritesNothing) {
  Tree const tree;
  tree.make("foragers");
  fs::create_directory(tree.root() / "experiments/rivers");
  tree.write("tests/envs/lakes_test.cpp", "mine");
  fs::create_symlink("nowhere", tree.root() / "include/shoal/envs/ponds.hpp");
  auto const before = tree.files();
  EXPECT_EQ(tree.error("foragers"), "new foragers: taken: " + tree.path() + "/include/shoal/envs/foragers.hpp exists");
  EXPECT_THAT(tree.error("rivers"), HasSubstr("/experiments/rivers exists"));
  EXPECT_THAT(tree.error("lakes"), HasSubstr("/tests/envs/lakes_test.cpp exists"));
  EXPECT_THAT(tree.error("ponds"), HasSubstr("/include/shoal/envs/ponds.hpp exists"));
  EXPECT_THAT(tree.error("simulator"), HasSubstr("/include/shoal/env/simulator.hpp has a type Simulator"));
  EXPECT_TRUE(tree.files() == before);
}

TEST(NewCommand, RefusesOtherFolders) {
  TemporaryFolder const empty;
  for (auto const& folder : {empty.path(), empty.path() + "/nowhere"})
    EXPECT_EQ(error_of([&] { new_command("foragers", folder); }),
              "--root " + folder + ": no cmake/Environments.cmake there; expected the root of shoal's source tree");
  EXPECT_TRUE(fs::is_empty(empty.path()));
}

TEST(NewCommand, RefusesFoldersThatCannotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write everywhere";
  Tree const tree;
  fs::permissions(tree.root() / "tests/envs", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THROW(new_command("foragers", tree.root()), InputError);
  EXPECT_THAT(tree.error("foragers"), HasSubstr(": cannot write into tests/envs: "));
  fs::permissions(tree.root() / "tests/envs", fs::perms::owner_all);
}

// A folder where the list is written aside stands for a disk that is full by then.
TEST(NewCommand, LeavesNothingHalfWritten) {
  Tree const tree;
  fs::create_directories(tree.list().string() + ".partial/full");
  auto const before = tree.files();
  EXPECT_THAT(tree.error("foragers"), HasSubstr("/cmake/Environments.cmake: cannot write: "));
  EXPECT_TRUE(tree.files() == before);
}

/// What stands between ```cpp and ```, all of it, in order; parts are separated by an empty line as in the file.
std::string code_of(std::string const& page) {
  std::string code;
  std::string const begin = "```cpp\n", end = "```\n";
  for (auto at = page.find(begin); at != page.npos; at = page.find(begin, at)) {
    at += begin.size();
    code += (code.empty() ? "" : "\n") + page.substr(at, page.find(end, at) - at);
  }
  return code;
}

TEST(NewCommand, ThePageShowsTheTemplate) {
  Tree const tree;
  tree.make("foragers");
  auto const shown = code_of(text_of(SHOAL_SOURCE_DIR "/docs/environment.md"));
  EXPECT_EQ(shown, text_of(tree.root() / "include/shoal/envs/foragers.hpp"));
}

}  // namespace
}  // namespace shoal
