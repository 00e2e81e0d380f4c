#include "program/config/profile_file.hpp"

#include <gmock/gmock.h>

#include "program/config/run_config.hpp"
#include "program/helpers.hpp"

namespace shoal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Three supertypes of 2, 0 and 1 coordinates.
Spec small_spec() {
  Spec spec{.groups = {{.agents = 3}}};
  spec.supertypes = {{"x", {{"p", -1, 3, 0}, {"q", 10, 20, 19}}}, {"y", {}}, {"z", {{"p", 0, 0.1f, 0.05f}}}};
  return spec;
}

class ProfileFile : public testing::Test {
 protected:
  std::vector<double> read(std::string const& text) const {
    return read_profile(folder_.write("p.toml", text), "market", small_spec());
  }
  /// Without the folder.
  std::string error(std::string const& text) const {
    auto const message = error_of([&] { read(text); });
    auto const folder = folder_.path() + "/";
    return message.find(folder) == 0 ? message.substr(folder.size()) : message;
  }

  TemporaryFolder folder_;
};

constexpr char const* whole = R"(environment = "market"

[x]
p = 0.5
q = 12

[z]
p = 0.1
)";

/// The file with `from` replaced.
std::string with(std::string const& from, std::string const& to) {
  std::string text = whole;
  return text.replace(text.find(from), from.size(), to);
}

TEST_F(ProfileFile, ReadsWhatItWrites) {
  std::vector<double> const profile = {double(1.0f / 3), 19.999998, double(1e-7f)};
  auto const text = profile_toml("market", small_spec(), profile, {"first line", "second line"});
  EXPECT_THAT(text, StartsWith("# first line\n# second line\nenvironment = \"market\"\n\n[x]\np = 0.33333334\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("[y]")));
  auto const again = read(text);
  ASSERT_EQ(again.size(), 3u);
  for (std::size_t d = 0; d < 3; ++d) EXPECT_EQ(float(again[d]), float(profile[d])) << "the same in single precision";
}

TEST_F(ProfileFile, ReadsIntegersAnyOrderAndTheBoundsThemselves) {
  EXPECT_THAT(read(whole), ElementsAre(0.5, 12, 0.1));
  EXPECT_THAT(read("z = { p = 0 }\nx = { q = 20, p = -1 }\nenvironment = \"market\""), ElementsAre(-1, 20, 0));
  // bounds are single precision, the file's are not
  EXPECT_THAT(read(with("p = 0.1", "p = 0.10000000149")), ElementsAre(0.5, 12, testing::DoubleNear(0.1, 1e-8)));
}

TEST_F(ProfileFile, NamesTheEnvironmentAtFault) {
  EXPECT_EQ(error(with("\"market\"", "\"matrix_game\"")),
            "p.toml:1: environment = \"matrix_game\": a profile of another environment, expected \"market\"");
  EXPECT_EQ(error(with("environment = \"market\"", "")),
            "p.toml: environment is missing; expected environment = \"market\"");
  EXPECT_THAT(error(with("\"market\"", "3")), testing::EndsWith("expected environment = \"market\""));
}

TEST_F(ProfileFile, NamesWhatItDoesNotKnow) {
  constexpr char const* expected = "unknown; expected environment and a table for each supertype, [x] to [z]";
  EXPECT_EQ(error(with("[z]", "[w]")), std::string("p.toml:7: w: ") + expected);
  EXPECT_EQ(error(with("\n[x]", "v = 3\n[x]")), std::string("p.toml:2: v: ") + expected);
  EXPECT_EQ(error(with("q = 12", "q = 12\nr = 1")), "p.toml:6: x.r: unknown coordinate; expected p to q");
}

TEST_F(ProfileFile, NamesWhatIsMissing) {
  EXPECT_EQ(error(with("q = 12", "")), "p.toml: x.q is missing; expected a number in [10, 20]");
  EXPECT_EQ(error(with("[z]\np = 0.1", "")), "p.toml: z.p is missing; expected a number in [0, 0.1]");
}

TEST_F(ProfileFile, NamesValuesAtFault) {
  EXPECT_EQ(error(with("q = 12", "q = 20.5")), "p.toml:5: x.q = 20.5: expected a number in [10, 20]");
  EXPECT_EQ(error(with("p = 0.5", "p = -1.25")), "p.toml:4: x.p = -1.25: expected a number in [-1, 3]");
  EXPECT_EQ(error(with("p = 0.1", "p = 0.1001")), "p.toml:8: z.p = 0.1001: expected a number in [0, 0.1]");
  EXPECT_EQ(error(with("q = 12", "q = nan")), "p.toml:5: x.q = nan: expected a number in [10, 20]");
  EXPECT_EQ(error(with("q = 12", "q = -inf")), "p.toml:5: x.q = -inf: expected a number in [10, 20]");
  for (char const* value : {"\"12\"", "true", "[12]", "2012-01-31"}) {
    auto const message = error(with("q = 12", std::string("q = ") + value));
    EXPECT_THAT(message, StartsWith("p.toml:5: x.q")) << value;
    EXPECT_THAT(message, testing::EndsWith(": expected a number in [10, 20]")) << value;
  }
}

TEST_F(ProfileFile, NamesFilesThatItCannotRead) {
  auto const none = folder_.path() + "/none.toml";
  EXPECT_EQ(error_of([&] { read_profile(none, "market", small_spec()); }),
            none + ": cannot be read: No such file or directory");
  EXPECT_THAT(error("[x\n"), StartsWith("p.toml:1:"));
}

TEST_F(ProfileFile, NamesBothLinesOfWhatIsGivenTwice) {
  EXPECT_EQ(error(with("q = 12", "q = 12\nq = 13")),
            "p.toml:6: x.q: given twice; it is given at " + folder_.path() + "/p.toml:5 too");
}

TEST_F(ProfileFile, CommentsDoNotTurnText) {
  EXPECT_THAT(profile_toml("market", small_spec(), {0, 10, 0}, {"a\u202eb"}), StartsWith("# a\\xe2\\x80\\xaeb\n"));
}

// ---- In a configuration ---------------------------------------------------------------------------------------------

constexpr char const* profile =
    "environment = \"matrix_game\"\n[supertype_1]\naltruism_mean = 0.25\naltruism_sd = 0.5\n";

std::string configuration(std::string const& calibrator) {
  return "[env]\nname = \"matrix_game\"\n[calibrator]\n" + calibrator +
         "\n[[calibrator.target]]\nmetrics = [\"player_1.action_1\"]\nvalues = [0.5]\n";
}

TEST_F(ProfileFile, OfAConfigurationIsRelativeToItsFolderAndBecomesItsProfile) {
  std::filesystem::create_directory(folder_.path() + "/runs");
  folder_.write("runs/profile.toml", profile);
  auto const path = folder_.write("c.toml", configuration("kind = \"fixed\"\nprofile_file = \"runs/profile.toml\""));
  auto const run = resolve(read_config(path, {}));
  EXPECT_THAT(run.trainer.calibrator->profile, ElementsAre(0.25, 0.5));
  auto const resolved = to_toml(run);
  EXPECT_THAT(resolved, HasSubstr("profile = [0.25, 0.5]\n"));
  EXPECT_EQ(to_toml(resolve(parse_config(resolved, "elsewhere.toml", {}))), resolved) << "needs the file no more";
}

TEST_F(ProfileFile, OfAConfigurationIsRefusedWithItsOwnName) {
  auto const file = folder_.write("profile.toml", profile);
  auto const refusal = [&](std::string const& calibrator) {
    auto const path = folder_.write("c.toml", configuration(calibrator));
    return error_of([&] { resolve(read_config(path, {})); });
  };
  EXPECT_EQ(refusal("profile = [0, 0]\nprofile_file = \"profile.toml\""),
            folder_.path() + "/c.toml: calibrator.profile and calibrator.profile_file; remove one");
  EXPECT_THAT(refusal("profile_file = \"none.toml\""), StartsWith(folder_.path() + "/none.toml: cannot be read"));
  folder_.write("profile.toml", "environment = \"market\"\n");
  EXPECT_THAT(refusal("profile_file = \"profile.toml\""), StartsWith(file + ":1: environment = \"market\": "));
}

}  // namespace
}  // namespace shoal
