#include "program/runs/study_runner.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "program/helpers.hpp"
#include "program/runs/run_directory.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class StudyRuns : public testing::Test {
 protected:
  StudyRuns() {
    folder_.write("game.toml", "[env]\nname = \"matrix_game\"\n[train]\nstages = 3\n");
    study_ = parse_study(
        "[study]\nseeds = [1, 2]\n[[experiment]]\nname = \"a\"\nconfig = \"game.toml\"\n"
        "[[method]]\nname = \"m\"\n[[method]]\nname = \"n\"\nset = [\"policy.epochs=2\"]\n",
        folder_.path() + "/s.toml");
    cells_ = resolve_cells(study_);
  }

  /// As `shoal train` begins it.
  fs::path begin(int cell, std::int64_t seed, std::int64_t stages = 3) const {
    auto run = *cells_[std::size_t(cell)].run;
    run.trainer.train.seed = seed;
    run.trainer.train.stages = stages;
    run.trainer.train.threads = 5;
    auto const folder =
        fs::path(folder_.path()) / "runs/a" / study_.methods[std::size_t(cell)].name / fmt::format("seed-{}", seed);
    RunDirectory::create(folder, to_toml(run)).append_metrics(R"({"stage": 1, "r_cal_mean": 0.25})");
    return folder;
  }

  std::vector<StudyRun> find() const { return find_runs(study_, cells_, folder_.path()); }

  TemporaryFolder folder_;
  Study study_;
  std::vector<StudyCell> cells_;
};

TEST_F(StudyRuns, GoOneSeedAfterTheOther) {
  std::vector<std::string> names;
  for (auto const& run : find()) names.push_back(run.name);
  EXPECT_THAT(names, testing::ElementsAre("a/m/seed-1", "a/n/seed-1", "a/m/seed-2", "a/n/seed-2"));
}

TEST_F(StudyRuns, AreDoneWithASummaryAndGoOnFromACheckpoint) {
  std::ofstream(begin(0, 1) / "summary.json") << "{}";
  std::ofstream(begin(1, 1) / "checkpoints/stage-000000002.pt") << "x";
  begin(1, 2);
  auto const runs = find();
  EXPECT_EQ(runs[0].state, RunState::done);
  EXPECT_EQ(runs[1].state, RunState::waiting);
  EXPECT_EQ(runs[1].first_stage, 2);
  EXPECT_EQ(runs[1].r_cal, 0.25);
  EXPECT_EQ(runs[3].first_stage, 0) << "without a checkpoint it starts again";
}

TEST_F(StudyRuns, OfAnotherConfigurationAreRefused) {
  auto const run = begin(1, 2, 4);
  EXPECT_EQ(find().size(), 4u) << "nothing saved: it starts again anyway";
  std::ofstream(run / "summary.json") << "{}";
  EXPECT_EQ(error_of([&] { find(); }),
            run.string() +
                ": a run of another configuration: it has \"train.stages = 4\", the study \"train.stages = "
                "3\"; give the study another folder, --out, or remove this run's");
}

TEST_F(StudyRuns, WithABrokenConfigurationFail) {
  auto const run = begin(0, 1);
  std::ofstream(run / "summary.json") << "{}";
  std::ofstream(run / "config.toml") << "[env\n";
  auto const runs = find();
  EXPECT_EQ(runs[0].state, RunState::failed);
  EXPECT_THAT(runs[0].failure, HasSubstr("config.toml:1:"));
}

TEST_F(StudyRuns, InOneLine) {
  auto runs = find();
  EXPECT_EQ(study_line(runs, {}), "runs 0/4 done");
  runs[0].state = RunState::done;
  runs[1].state = RunState::failed;
  runs[2].state = runs[3].state = RunState::running;
  EXPECT_EQ(study_line(runs, 65), "runs 1/4 done  2 running  1 failed  1:05 left");
  runs[2].r_cal = 0.8712;
  runs[3].r_cal = 0.5;
  EXPECT_EQ(study_line(runs, 65), "runs 1/4 done  2 running  1 failed  1:05 left  r_cal a/m/2 0.871  a/n/2 0.500");
}

TEST_F(StudyRuns, ThatCannotRunAreNamedWithTheirComplaint) {
  auto const program = folder_.write("shoal", "#!/bin/sh\necho 'shoal: game.toml:3: no' >&2; exit 2\n");
  fs::permissions(program, fs::perms::owner_all);
  auto runs = find();
  testing::internal::CaptureStderr();
  StudyRunner{program, {.jobs = 2}}(runs);
  auto const shown = testing::internal::GetCapturedStderr();
  for (auto const& run : runs) {
    EXPECT_EQ(run.state, RunState::failed);
    EXPECT_EQ(run.failure, "game.toml:3: no");
    EXPECT_THAT(shown, HasSubstr(run.name + ": failed: game.toml:3: no\n"));
  }
  EXPECT_THAT(shown, HasSubstr("runs 0/4 done  4 failed\n"));
}

// Seeds of a cell that begin alike share a process.
TEST_F(StudyRuns, TrainAsBatches) {
  auto const said = folder_.path() + "/said";
  auto const program = folder_.write("shoal", "#!/bin/sh\nshift; shift; echo \"$*\" >> " + said + "\n");
  fs::permissions(program, fs::perms::owner_all);
  std::ofstream(begin(1, 1) / "checkpoints/stage-000000002.pt") << "x";
  auto runs = find();
  testing::internal::CaptureStderr();
  StudyRunner{program, {.batch = 5, .threads = 3}}(runs);
  testing::internal::GetCapturedStderr();
  auto const a = folder_.path() + "/runs/a/";
  std::ifstream in(said);
  std::string const all(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(all, "--out " + a + "m --seed 1 --seed 2 --threads 3\n" +  //
                     a + "n/seed-1 --threads 3\n" +                    // after --resume
                     "--out " + a + "n/seed-2 --seed 2 --set policy.epochs=2 --threads 3\n");
  EXPECT_EQ(runs[0].failure, "ended without summary.json, see " + folder_.path() + "/logs/a/m/seeds-1-2.log");
}

TEST_F(StudyRuns, OfABatchHaveResultsOfTheirOwn) {
  auto const a = folder_.path() + "/runs/a/";
  auto const program = folder_.write("shoal", "#!/bin/sh\nmkdir -p " + a + "m/seed-2; echo {} > " + a +
                                                  "m/seed-2/summary.json\n"
                                                  "echo shoal: " +
                                                  a + "m/seed-1: no; echo shoal: other; exit 1\n");
  fs::permissions(program, fs::perms::owner_all);
  auto runs = find();
  testing::internal::CaptureStderr();
  StudyRunner{program, {.batch = 2}}(runs);
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(runs[0].failure, "no");
  EXPECT_EQ(runs[1].failure, "other") << "of another cell: nothing names the run";
  EXPECT_EQ(runs[2].state, RunState::done);
}

}  // namespace
}  // namespace shoal
