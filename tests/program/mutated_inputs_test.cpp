// Files that are nearly right are read, or refused with one of our own errors in one line that is not too long.
// SHOAL_MUTATIONS sets how many of each kind are tried: 300 by default, 10,000 in scripts/nightly.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "program/config/profile_file.hpp"
#include "program/config/study_config.hpp"
#include "program/helpers.hpp"
#include "program/mutation.hpp"
#include "program/reports/report.hpp"
#include "program/reports/summary.hpp"
#include "program/runs/run_directory.hpp"
#include "program/trained.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/checkpoint.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {
namespace {

int mutations() {
  char const* const text = std::getenv("SHOAL_MUTATIONS");
  return text ? std::atoi(text) : 300;
}

constexpr char const* market_game =
    "[env]\nname = \"market\"\nmerchants = 3\nsteps = 2\nsupertype_of = [1, 2, 2]\n[policy]\nhidden = [8]\nminibatches "
    "= 1\n"
    "[data]\nfile = \"d.csv\"\nquantity = \"qty\"\ngroup = \"shop\"\nmember = \"A\"\n[calibrator]\nkind = \"es\"\n"
    "[validation]\nepisodes = 4\nfinal_episodes = 4\n[settling]\nshare = 0.5\n"
    "[train]\nstages = 2\ninstances = 2\nthreads = 1\nseed = 1\ndevice = \"cpu\"\n";
constexpr char const* matrix_game =
    "[env]\nname = \"matrix_game\"\nrounds = 4\ngroup_1 = 1\n[policy]\nhidden = [8]\nminibatches = 1\n[calibrator]\n"
    "[[calibrator.target]]\nmetrics = [\"player_1.action_1\", \"welfare\"]\nvalues = [0.25, 1.5]\nscale = 0.1\n"
    "[[calibrator.target]]\nmetrics = [\"episode_length\"]\nvalues = [4]\nweight = 2\n"
    "[train]\nstages = 2\ninstances = 2\nthreads = 1\ndevice = \"cpu\"\n";
constexpr char const* transactions = "qty,shop,what\n5,A,\"7\"\" pipe\"\n6,B,\n3,A,x\n1.5,C,y\n2,B,z\n";
constexpr char const* study_file =
    "[study]\nseeds = [1, 2]\nreference = \"m\"\nthreads = 1\n[[experiment]]\nname = \"a\"\nconfig = \"c.toml\"\n"
    "[[method]]\nname = \"m\"\n[[method]]\nname = \"n\"\nset = [\"policy.epochs=2\", \"train.stages=3\"]\n";

class MutatedInputs : public testing::Test {
 protected:
  MutatedInputs() {
    folder_.write("d.csv", transactions);
    folder_.write("c.toml", market_game);
  }

  /// Hands mutations of `text` to `use`, which may throw our own errors only.
  void try_all(std::string const& text, std::vector<std::string> words,
               std::function<void(std::string const&)> const& use) {
    int refused = 0;
    for (int i = 0; i < mutations(); ++i) {
      auto const input = Mutation(std::uint32_t(i), words)(text);
      try {
        use(input);
      } catch (Error const& error) {
        ++refused;
        std::string const message = error.what();
        ASSERT_LT(message.size(), 3000u) << printable(message);
        ASSERT_EQ(message.find('\n'), std::string::npos) << message;
      } catch (std::exception const& error) {
        FAIL() << "mutation " << i << ": " << typeid(error).name() << ": " << error.what() << "\n" << printable(input);
      }
    }
    std::cout << mutations() << " tried, " << refused << " refused\n";
  }

  std::string path(std::string const& name) const { return folder_.path() + "/" + name; }

  TemporaryFolder folder_;
};

/// A stage, where that is little work.
void train_a_little(TrainerConfig const& config) {
  auto const need = memory_need(config);
  if ((need.bytes_fixed + need.bytes_each * need.count) > (1 << 20) || config.policy.ppo.epochs > 8 ||
      config.policy.network.hidden.count > 2)
    return;
  for (int i = 0; i < config.policy.network.hidden.count; ++i)
    if (config.policy.network.hidden.items[i] > 64) return;
  if (config.calibrator && config.calibrator->kind != CalibratorKind::es) return;
  auto quick = config;
  quick.validation.reset();
  Trainer(quick).run_stage();
}

TEST_F(MutatedInputs, Configurations) {
  std::vector<std::string> const words{
      "[env]", "[data]",    "[[calibrator.target]]", "kind = \"rl\"", "matrix_game", "market",
      "steps", "instances", "supertype_2.share",     "= [1, 2]"};
  for (auto const* text : {market_game, matrix_game})
    try_all(text, words, [&](std::string const& input) {
      train_a_little(resolve(parse_config(input, path("c.toml"), {})).trainer);
    });
}

TEST_F(MutatedInputs, Overrides) {
  try_all("train.stages = 3", {"env.", "calibrator.", "policy.hidden=[8,8]", "data.member="},
          [&](std::string const& input) { resolve(parse_config(market_game, path("c.toml"), {input})); });
}

TEST_F(MutatedInputs, Transactions) {
  try_all(transactions, {"qty", "shop", ";", "\t", "1,5", "NA", "sep=;\n", "\x1a", "\xef\xbb\xbf"},
          [&](std::string const& input) {
            folder_.write("d.csv", input);
            resolve(parse_config(market_game, path("c.toml"), {}));
          });
}

TEST_F(MutatedInputs, Profiles) {
  auto const spec = make_simulator("market", {}, {})->spec();
  std::vector<double> profile;
  for (auto const& supertype : spec.supertypes)
    for (auto const& c : supertype.coordinates) profile.push_back(double(c.initial));
  try_all(profile_toml("market", spec, profile, {"a profile"}), {"link_1 = 0.5", "[supertype_3]", "environment"},
          [&](std::string const& input) { read_profile(folder_.write("p.toml", input), "market", spec); });
}

TEST_F(MutatedInputs, Studies) {
  try_all(study_file, {"[[method]]", "name = \"b\"", "seeds = []", "train.seed=1"},
          [&](std::string const& input) { resolve_cells(parse_study(input, path("s.toml"))); });
}

TEST_F(MutatedInputs, CheckpointsAndRows) {
  auto const run = RunDirectory::open(trained(folder_, calibrated_game));
  auto const spec = make_simulator("matrix_game", {{"group_1", std::int64_t(1)}}, {})->spec();
  auto const last = run.checkpoints().back();
  try_all(text_of(last), {}, [&](std::string const& input) { read_checkpoint(folder_.write("x.pt", input)); });
  auto const copy = path("copy");
  std::filesystem::create_directories(copy);
  std::filesystem::copy(run.config(), copy + "/config.toml");
  auto const damaged = RunDirectory::open(copy);
  try_all(text_of(run.metrics()), {"null", "{}", "\"stage\":1", ","}, [&](std::string const& input) {
    folder_.write("copy/metrics.jsonl", input);
    auto const rows = damaged.read_history(2);
    summarize(rows, spec, 2);
    final_table(rows);
  });
}

}  // namespace
}  // namespace shoal
