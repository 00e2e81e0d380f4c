#include "shoal/train/trainer.hpp"

#include <c10/core/CPUAllocator.h>
#include <torch/serialize/archive.h>

#include <cstring>

#include "support/runs.hpp"

namespace shoal {
namespace {

using namespace test;

/// Episodes of random length that go on from stage to stage.
TrainerConfig run_across_stages() {
  auto c = small_run(false);
  c.env = {{"rounds", std::int64_t(11)}, {"continuation", 0.9}};
  c.train.steps = 4;
  c.policy.map = PolicyMapKind::agent;
  return c;
}

std::vector<TrainerConfig> all_kinds() { return {small_run(false), small_run(true), run_across_stages()}; }

/// Calibrated by a search, not at all, or by the evolution strategy. A search's profile lasts 10 stages; from the third
/// on they come from a model of the first.
std::vector<TrainerConfig> other_calibrators() {
  std::vector<TrainerConfig> all;
  for (auto const kind :
       {CalibratorKind::bo, CalibratorKind::random, CalibratorKind::cmaes, CalibratorKind::fixed, CalibratorKind::es}) {
    auto& options = *all.emplace_back(small_run(true, kind)).calibrator;
    options.period = 10;
    options.bayesian.initial_points = 2;
    options.cma_es.population = 2;
  }
  return all;
}

using Resume = Files;
using Checkpoints = Files;

// ---- Resuming -------------------------------------------------------------------------------------------------------

TEST_F(Resume, GoesOnBitForBit) {
  for (auto const& config : all_kinds())
    for (int const interrupted : {0, 2}) {
      Trainer whole(config), first(config), second(config);
      for (int m = 0; m < interrupted; ++m) EXPECT_EQ(figures(whole.run_stage()), figures(first.run_stage()));
      first.save(path("checkpoint"), "configuration");
      second.run_stage();  // what it did before does not matter
      second.load(path("checkpoint"), "configuration");
      EXPECT_EQ(second.next_stage(), interrupted);
      for (int m = interrupted; m < 4; ++m) EXPECT_EQ(figures(whole.run_stage()), figures(second.run_stage()));
      expect_same(state_of(whole), state_of(second));
    }
}

// At the beginning, while a profile's value is recorded, and after the first that comes from a model.
TEST_F(Resume, OtherCalibratorsGoOnBitForBit) {
  for (auto const& config : other_calibrators())
    for (int const interrupted : {0, 9, 21}) {
      Trainer whole(config), first(config), second(config);
      for (int m = 0; m < interrupted; ++m) EXPECT_EQ(figures(whole.run_stage()), figures(first.run_stage()));
      first.save(path("checkpoint"), "configuration");
      for (int m = 0; m < 12; ++m) second.run_stage();  // what it did before does not matter
      second.load(path("checkpoint"), "configuration");
      for (int m = interrupted; m < 22; ++m) EXPECT_EQ(figures(whole.run_stage()), figures(second.run_stage()));
      expect_same(state_of(whole), state_of(second));
    }
}

TEST_F(Resume, ASearchDoesNotDependOnThreads) {
  auto config = other_calibrators()[0];
  Trainer one(config);
  config.train.threads = 2;
  Trainer two(config);
  for (int m = 0; m < 22; ++m) EXPECT_EQ(figures(one.run_stage()), figures(two.run_stage()));
}

TEST_F(Resume, StagesChangeTheState) {
  for (auto const& config : all_kinds()) {
    Trainer trainer(config);
    auto const before = state_of(trainer);
    trainer.run_stage();
    auto const after = state_of(trainer);
    for (auto const& [name, tensor] : before) EXPECT_FALSE(at::equal(tensor, after.at(name))) << name;
  }
}

TEST_F(Resume, ASeedMakesTheRun) {
  auto config = small_run(false);
  Trainer a(config), b(config);
  config.train.seed = 2;
  Trainer c(config);
  EXPECT_EQ(figures(a.run_stage()), figures(b.run_stage()));
  EXPECT_NE(figures(a.run_stage()), figures(c.run_stage()));
}

// ---- Broken checkpoints ---------------------------------------------------------------------------------------------

/// Loading must throw an InputError that names the file, and change nothing.
class Loading : public Files {
 protected:
  void SetUp() override {
    Files::SetUp();
    trainer_.run_stage();
    trainer_.save(path("good"), "configuration");
    trainer_.run_stage();
    before_ = state_of(trainer_);
  }
  std::string refusal(std::string const& name, std::string const& configuration = "configuration") {
    auto const message = message_of<InputError>([&] { trainer_.load(path(name), configuration); });
    EXPECT_NE(message.find(path(name)), std::string::npos) << message;
    EXPECT_EQ(trainer_.next_stage(), 2);
    expect_same(state_of(trainer_), before_);
    return message;
  }
  Trainer trainer_{small_run(true)};

 private:
  std::map<std::string, at::Tensor> before_;
};

TEST_F(Loading, RefusesAFileCutShort) {
  auto const whole = bytes_of(path("good"));
  for (double const share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.9999}) {
    write(path("cut"), whole.substr(0, std::size_t(share * double(whole.size()))));
    EXPECT_NE(refusal("cut").find("not a whole checkpoint"), std::string::npos);
  }
  write(path("cut"), whole.substr(0, whole.size() - 1));
  refusal("cut");
}

TEST_F(Loading, RefusesFilesThatAreNoCheckpoints) {
  write(path("text"), "stages = 1000\n");
  EXPECT_NE(refusal("text").find("not written by shoal"), std::string::npos);
  EXPECT_NE(refusal("missing").find("no such checkpoint"), std::string::npos);
  std::filesystem::create_directory(path("folder"));  // it may be whole, but cannot be read
  EXPECT_NE(message_of<Error>([&] { trainer_.load(path("folder"), ""); }).find("cannot read"), std::string::npos);
  torch::serialize::OutputArchive archive;  // LibTorch's, but not ours
  archive.write("weights", at::ones({3}));
  archive.save_to(path("foreign"));
  refusal("foreign");
}

TEST_F(Loading, RefusesAnotherVersion) {
  auto const save = [&](c10::IValue const& version) {
    torch::serialize::OutputArchive archive;
    archive.write("version", version);
    archive.write("tensors", c10::IValue(c10::Dict<std::string, at::Tensor>()));
    archive.write("texts", c10::IValue(c10::Dict<std::string, std::string>()));
    archive.save_to(path("other"));
  };
  save(std::int64_t(99));
  EXPECT_NE(refusal("other").find("version 99, expected 2"), std::string::npos);
  save(std::string("first"));
  refusal("other");
}

TEST_F(Loading, RefusesAnotherConfiguration) {
  EXPECT_NE(refusal("good", "another").find("it has \"configuration\", this run \"another\""), std::string::npos);
  auto wider = small_run(true);  // the same text, another shape
  wider.policy.network.hidden = {1, {9}};
  Trainer(wider).save(path("wider"), "configuration");
  EXPECT_NE(refusal("wider").find("shape"), std::string::npos);
  auto more = small_run(true);
  more.train.instances = 6;
  Trainer(more).save(path("more"), "configuration");
  EXPECT_NE(refusal("more").find("shape"), std::string::npos);
  Trainer(other_calibrators()[0]).save(path("search"), "configuration");
  EXPECT_NE(refusal("search").find("missing"), std::string::npos);
  Trainer(small_run(false)).save(path("fewer"), "configuration");
  EXPECT_NE(refusal("fewer").find("missing"), std::string::npos);
}

// ---- Checkpoints that cannot be written -----------------------------------------------------------------------------

TEST_F(Checkpoints, KeepTensorsAndTexts) {
  Checkpoint const kept{
      {{"a", random_normal({3, 4}, 1)}, {"b", at::tensor({1, 2}, at::kByte)}, {"c", at::tensor(0.1, at::kDouble)}},
      {{"text", "one\n\"two\""}, {"empty", ""}}};
  write_checkpoint(path("file"), kept);
  auto const read = read_checkpoint(path("file"));
  EXPECT_EQ(read.texts, kept.texts);
  expect_same(read.tensors, kept.tensors);
  EXPECT_FALSE(std::filesystem::exists(path("file.partial")));
}

TEST_F(Checkpoints, AFullDiskLeavesTheOldFile) {
  Trainer trainer(small_run(false));
  trainer.save(path("file"), "");
  auto const before = bytes_of(path("file"));
  std::filesystem::create_symlink("/dev/full", path("file.partial"));  // where it is written aside
  trainer.run_stage();
  auto const message = message_of<Error>([&] { trainer.save(path("file"), ""); });
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
  EXPECT_NE(message.find(path("file")), std::string::npos) << message;
  EXPECT_EQ(bytes_of(path("file")), before);
  EXPECT_FALSE(std::filesystem::is_symlink(path("file.partial")));
  trainer.save(path("file"), "");  // there is space again
  EXPECT_NE(bytes_of(path("file")), before);
}

TEST_F(Checkpoints, FoldersThatCannotBeWrittenAreNamed) {
  Trainer trainer(small_run(false));
  write(path("plain_file"), "x");
  for (auto const* name : {"no_folder/file", "plain_file/file"}) {
    auto const message = message_of<Error>([&] { trainer.save(path(name), ""); });
    EXPECT_NE(message.find(path(name)), std::string::npos) << message;
  }
  std::filesystem::create_directories(path("folder/inside"));
  EXPECT_NE(message_of<Error>([&] { trainer.save(path("folder"), ""); }).find(path("folder")), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path("folder.partial")));
}

// ---- Reports and configurations -------------------------------------------------------------------------------------

TEST(Trainer, ReportsWhatHappened) {
  auto config = small_run(true);
  config.env["payoffs"] = std::vector<double>(8, 2.0);  // whatever they do, without altruism
  config.targets = {{{"player_1.payoff", "episode_length"}, {2, 7}, 1, 0.5}, {{"supertype_1.return"}, {12}, 2, 1}};
  config.calibrator->ppo.learning_rate.base = 0;
  Trainer trainer(config);
  StageReport report;
  for (int m = 0; m < 3; ++m) report = trainer.run_stage();
  EXPECT_EQ(report.stage, 2);
  EXPECT_EQ(report.agent_steps, 3 * 6 * 5 * 2);
  ASSERT_EQ(report.targets.size(), 3u);
  EXPECT_EQ(report.targets[0].name, "player_1.payoff");
  EXPECT_EQ(report.targets[0].value, 2);
  EXPECT_EQ(report.targets[1].value, 6);
  EXPECT_EQ(report.targets[1].target, 7);
  // altruism moved away from 0: returns are 12 (1 + altruism), and the fit is 1/6 + 1/6 / 3 + 2/3 / (1 + |return - 12|)
  ASSERT_EQ(report.returns.size(), 1u);
  EXPECT_EQ(report.returns[0].supertype, "supertype_1");
  EXPECT_NE(report.returns[0].mean, 12);
  EXPECT_EQ(report.targets[2].value, report.returns[0].mean);
  EXPECT_GT(*report.r_cal_mean, 1.0 / 6 + 1.0 / 18);
  EXPECT_LT(*report.r_cal_mean, 1.0 / 6 + 1.0 / 18 + 2.0 / 3);
  ASSERT_EQ(report.profile.size(), 2u);
  EXPECT_EQ(report.profile[0].name, "supertype_1.altruism_mean");
  EXPECT_NEAR(report.profile[1].mean, number(trainer.calibrator()->profiles().mean(0)[1]), 1e-7);
  double const entropy = figure(report, "entropy");
  EXPECT_GT(entropy, 0.5);
  EXPECT_LE(entropy, std::log(2.0) + 1e-6);
  EXPECT_GE(report.seconds, report.environment_seconds + report.inference_seconds + report.update_seconds);
}

TEST(Trainer, ReportsTheSameOfEveryKindOfCalibrator) {
  auto const rl = Trainer(small_run(true)).run_stage();
  for (auto const& config : other_calibrators()) {
    auto const report = Trainer(config).run_stage();
    EXPECT_EQ(figures(report).size(), figures(rl).size());
    EXPECT_GT(*report.r_cal_mean, 0);
    EXPECT_EQ(report.targets.size(), 2u);
    EXPECT_EQ(report.profile.size(), 2u);
  }
}

// Several trainers share a device: each stage is the one that the trainer alone would have had.
TEST(Trainer, RunsSideBySideAreThoseOfEach) {
  auto kinds = all_kinds();
  kinds.push_back(small_run(true, CalibratorKind::es));
  for (auto config : kinds) {
    std::vector<Trainer> together, alone;
    for (int seed = 1; seed <= 3; ++seed) {
      config.train.seed = seed;
      together.emplace_back(config);
      alone.emplace_back(config);
    }
    for (int m = 0; m < 3; ++m) {
      for (auto& trainer : together) trainer.launch_stage();
      for (std::size_t i = 0; i < together.size(); ++i)
        EXPECT_EQ(figures(together[i].finish_stage()), figures(alone[i].run_stage())) << "seed " << i + 1;
    }
  }
}

/// Counts what LibTorch allocates on the host.
class CountingAllocator final : public c10::Allocator {
 public:
  CountingAllocator() : base_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, 1); }
  ~CountingAllocator() override { c10::SetCPUAllocator(base_, 1); }
  c10::DataPtr allocate(std::size_t bytes) override {
    total += bytes;
    return base_->allocate(bytes);
  }
  c10::DeleterFnPtr raw_deleter() const override { return base_->raw_deleter(); }
  void copy_data(void* to, void const* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }

  std::size_t total = 0;

 private:
  c10::Allocator* base_;
};

TEST(Trainer, AStageAllocatesLittleButMetrics) {
  auto config = small_run(true);
  config.train.instances = 1000;
  Trainer trainer(config);
  trainer.run_stage();
  CountingAllocator allocator;
  trainer.run_stage();
  auto const metrics = trainer.simulator().metric_names().size();
  EXPECT_GT(allocator.total, 0u);
  EXPECT_LT(allocator.total, 1000 * (metrics + 10) * sizeof(double) * 8);  // far from the 1.5 MB of its rollout
}

TEST(Trainer, LeavesReturnsOutUntilEveryInstanceHasFinishedAnEpisode) {
  auto config = small_run(false);
  config.train.steps = 4;  // of 6 rounds
  Trainer trainer(config);
  EXPECT_TRUE(trainer.run_stage().returns.empty());
  auto const report = trainer.run_stage();
  ASSERT_EQ(report.returns.size(), 1u);
  EXPECT_GE(report.returns[0].mean, 0);
  EXPECT_LE(report.returns[0].mean, 6 * 5);
  EXPECT_FALSE(report.r_cal_mean.has_value());
}

using TrainerFiles = Files;

TEST_F(TrainerFiles, EveryInstanceRunsUnderItsParticlesProfile) {
  Trainer trainer(small_run(true));
  for (int m = 0; m < 2; ++m) trainer.run_stage();
  auto const bytes = state_of(trainer).at("instances");  // each ends with the supertypes [1, 2]
  auto const profiles = trainer.calibrator()->profiles();
  for (int i = 0; i < 5; ++i) {
    float supertypes[2];
    std::memcpy(supertypes, bytes[i].narrow(0, bytes.size(1) - 8, 8).data_ptr(), 8);
    EXPECT_EQ(supertypes[0], number(profiles[i][0]));
    EXPECT_EQ(supertypes[1], number(profiles[i][1]));
    for (int j = 0; j < i; ++j) EXPECT_NE(number(profiles[i][0]), number(profiles[j][0]));
  }
}

// Actions, types and lengths of episodes are random. Particles that lie close together earn the same nevertheless, and
// then nothing moves.
TEST(Trainer, OpposedParticlesOfTheEvolutionStrategyShareTheirRandomNumbers) {
  auto config = small_run(true, CalibratorKind::es);
  config.env.insert({{"continuation", 0.9}, {"altruism_sd_1", 0.5}});
  config.train.instances = 8;
  config.calibrator->evolution.spread = 1e-6;
  Trainer trainer(config);
  auto const before = trainer.calibrator()->parameters().clone();
  for (int m = 0; m < 3; ++m) EXPECT_GT(*trainer.run_stage().r_cal_sd, 1e-3) << "pairs differ from each other";
  EXPECT_TRUE(at::equal(trainer.calibrator()->parameters(), before));
}

TEST(Trainer, ThePolicyMapSaysWhoSharesANetwork) {
  auto const members = [](PolicyMapKind map) {
    auto config = small_run(false);
    config.env = {{"rounds", std::int64_t(6)},
                  {"group_1", std::int64_t(2)},
                  {"actions", std::vector<double>{2, 2, 2}},
                  {"payoffs", std::vector<double>(24, 1.0)}};
    config.policy.map = map;
    Trainer trainer(config);
    trainer.run_stage();
    std::vector<std::vector<int>> all;
    for (auto const& learner : trainer.learners()) all.push_back(learner->actor().agents());
    return all;
  };
  using Groups = std::vector<std::vector<int>>;
  EXPECT_EQ(members(PolicyMapKind::shared), (Groups{{0, 1, 2}}));
  EXPECT_EQ(members(PolicyMapKind::supertype), (Groups{{0, 1}, {2}}));
  EXPECT_EQ(members(PolicyMapKind::agent), (Groups{{0}, {1}, {2}}));
}

TEST(Trainer, RefusesWhatCannotRun) {
  auto const key = [](TrainerConfig const& config) {
    try {
      Trainer trainer(config);
    } catch (SettingError const& error) {
      return error.key;
    }
    return std::string("nothing thrown");
  };
  auto config = small_run(true);
  config.train.steps = 5;  // of 6
  EXPECT_EQ(key(config), "train.steps");
  config.train.steps = 7;
  EXPECT_EQ(key(config), "nothing thrown");
  config = small_run(false);
  config.policy.ppo.minibatches = 61;  // of 6 * 5 * 2 samples
  EXPECT_EQ(key(config), "policy.minibatches");
  config = small_run(true);
  config.calibrator->ppo.minibatches = 6;
  EXPECT_EQ(key(config), "calibrator.minibatches");
  config.calibrator->kind = CalibratorKind::es;
  EXPECT_EQ(key(config), "nothing thrown") << "it has no minibatches";
  config = small_run(true);
  config.targets = {{{"no_such_metric"}, {1}}};
  EXPECT_NE(message_of<InputError>([&] { Trainer trainer(config); }).find("no_such_metric"), std::string::npos);
}

// ---- What is no longer finite ---------------------------------------------------------------------------------------

/// Poisons `count` of the parameters from `first` on (from the end if negative) and runs stage 2.
std::string failure(TrainerConfig const& config, bool of_calibrator, std::int64_t first, std::int64_t count) {
  Trainer trainer(config);
  for (int m = 0; m < 2; ++m) trainer.run_stage();
  auto const parameters =
      of_calibrator ? trainer.calibrator()->parameters() : trainer.learners()[0]->actor().parameters();
  parameters.narrow(0, first < 0 ? parameters.numel() + first : first, count)
      .fill_(std::numeric_limits<float>::quiet_NaN());
  auto const message = message_of<Error>([&] { trainer.run_stage(); });
  EXPECT_EQ(trainer.next_stage(), 2) << "the stage counts as run";
  return message;
}

TEST(Trainer, NamesStageAndTensorThatIsNoLongerFinite) {
  for (auto const& config : all_kinds()) {
    EXPECT_EQ(failure(config, false, 0, 1).find("stage 2: distribution parameters is not finite"), 0u);
    EXPECT_EQ(failure(config, false, -1, 1).find("stage 2: values is not finite"), 0u);
  }
  for (std::int64_t const first : {0, 10, -1}) {
    auto const message = failure(small_run(true), true, first, 1);
    EXPECT_EQ(message.find("stage 2: calibrator"), 0u) << message;
  }
}

}  // namespace
}  // namespace shoal
