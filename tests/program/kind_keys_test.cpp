#include "program/config/kind_keys.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "program/config/run_config.hpp"
#include "program/helpers.hpp"

namespace shoal {
namespace {

using testing::HasSubstr;

std::string message(Settings const& settings) {
  try {
    read_calibrator(settings);
  } catch (SettingError const& error) {
    return error.key + error.message;
  }
  return "(no error)";
}

Settings with_kind(char const* kind) { return {{"kind", std::string(kind)}}; }

TEST(CalibratorKeys, EachKindReadsItsOwn) {
  EXPECT_EQ(read_calibrator({}).kind, CalibratorKind::es);
  EXPECT_EQ(read_calibrator({{"spread", 0.1}}).evolution.spread, 0.1);
  auto settings = with_kind("rl");
  settings.insert({{"increment", 0.2}, {"learning_rate", 1e-3}});
  EXPECT_EQ(read_calibrator(settings).increment, 0.2);
  EXPECT_EQ(read_calibrator(settings).ppo.learning_rate.base, 1e-3);
  settings = with_kind("es");
  settings.insert({{"learning_rate", 2e-3}, {"rate_exponent", 0.5}, {"rate_scale", std::int64_t(7)}});
  auto const es = read_calibrator(settings);
  EXPECT_EQ(es.evolution.learning_rate.base, 2e-3);
  EXPECT_EQ(es.evolution.learning_rate.exponent, 0.5);
  EXPECT_EQ(es.evolution.learning_rate.scale, 7);
  EXPECT_EQ(es.ppo.learning_rate.base, CalibratorOptions().ppo.learning_rate.base) << "the other kind's stays";
  settings = with_kind("bo");
  settings.insert({{"period", std::int64_t(25)}, {"acquisition", std::string("ucb")}, {"max_move", 0.1}});
  auto const bo = read_calibrator(settings);
  EXPECT_EQ(bo.kind, CalibratorKind::bo);
  EXPECT_EQ(bo.period, 25);
  EXPECT_EQ(bo.bayesian.acquisition, Acquisition::upper_confidence_bound);
  EXPECT_EQ(bo.bayesian.max_move, 0.1);
  settings = with_kind("cmaes");
  settings.insert({"population", std::int64_t(6)});
  EXPECT_EQ(read_calibrator(settings).cma_es.population, 6);
}

TEST(CalibratorKeys, EveryKindMayCarryAProfile) {
  for (char const* kind : {"es", "rl", "bo", "random", "cmaes", "fixed"}) {
    auto settings = with_kind(kind);
    settings.insert({"profile", std::vector<double>{0.5, 1}});
    settings.insert({"profile_file", std::string("p.toml")});
    EXPECT_EQ(read_calibrator(settings).profile, (std::vector<double>{0.5, 1})) << kind;
    EXPECT_EQ(read_calibrator(settings).profile_file, "p.toml") << kind;
  }
}

TEST(CalibratorKeys, KeysOfAnotherKindAreNamedAsSuch) {
  EXPECT_EQ(message({{"period", std::int64_t(10)}}),
            "period: a key of kind bo, random, cmaes, but calibrator.kind is es");
  EXPECT_EQ(message({{"increment", 0.1}}), "increment: a key of kind rl, but calibrator.kind is es");
  auto settings = with_kind("bo");
  settings.insert({"learning_rate", 1e-3});
  EXPECT_EQ(message(settings), "learning_rate: a key of kind es, rl, but calibrator.kind is bo");
  settings = with_kind("rl");
  settings.insert({"spread", 0.1});
  EXPECT_EQ(message(settings), "spread: a key of kind es, but calibrator.kind is rl");
  settings = with_kind("fixed");
  settings.insert({"step_size", 0.1});
  EXPECT_EQ(message(settings), "step_size: a key of kind cmaes, but calibrator.kind is fixed");
}

TEST(CalibratorKeys, OtherMistakesAreNamedToo) {
  EXPECT_THAT(message(with_kind("sgd")), HasSubstr("kind = \"sgd\": expected one of \"es\", \"rl\", \"bo\""));
  EXPECT_THAT(message({{"sprea", 0.1}}), HasSubstr("did you mean spread?"));
  EXPECT_THAT(message({{"spread", std::int64_t(0)}}), HasSubstr("spread = 0: expected a number in ["));
  auto settings = with_kind("rl");
  settings.insert({"incremen", 0.1});
  EXPECT_THAT(message(settings), HasSubstr("did you mean increment?"));
  settings = with_kind("bo");
  settings.insert({"period", std::int64_t(0)});
  EXPECT_THAT(message(settings), HasSubstr("period = 0: expected an integer in [1,"));
}

TEST(CalibratorKeys, TheListTellsWhoseAKeyIs) {
  std::multimap<std::string, Field> all;
  for (auto const& field : calibrator_fields()) all.emplace(field.name, field);
  // Kinds that give a key other defaults have a line each.
  EXPECT_EQ(all.count("kind"), 1u);
  EXPECT_EQ(all.count("learning_rate"), 2u);
  auto const rates = all.equal_range("learning_rate");
  EXPECT_EQ(rates.first->second.value, "0.05");
  EXPECT_THAT(rates.first->second.help, testing::StartsWith("(es) "));
  EXPECT_EQ(std::next(rates.first)->second.value, "0.003");
  EXPECT_THAT(std::next(rates.first)->second.help, testing::StartsWith("(rl) "));
  std::map<std::string, Field> const fields(all.begin(), all.end());
  EXPECT_EQ(fields.at("kind").value, "\"es\"");
  EXPECT_THAT(fields.at("period").help, testing::StartsWith("(bo, random, cmaes) "));
  EXPECT_THAT(fields.at("increment").help, testing::StartsWith("(rl) "));
  EXPECT_THAT(fields.at("spread").help, testing::StartsWith("(es) "));
  EXPECT_THAT(fields.at("profile").help, testing::StartsWith("what kind"));
}

TEST(CalibratorKeys, AResolvedConfigurationHasThoseOfItsKindAndReadsBack) {
  constexpr char const* text = R"([env]
name = "matrix_game"
[calibrator]
kind = "cmaes"
profile = [0.5, 0.25]
[[calibrator.target]]
metrics = ["player_1.action_1"]
values = [0.5]
)";
  auto const resolved = to_toml(resolve(parse_config(text, "x.toml", {"calibrator.period=20"})));
  EXPECT_THAT(resolved, HasSubstr("kind = \"cmaes\"\n"));
  EXPECT_THAT(resolved, HasSubstr("period = 20\n"));
  EXPECT_THAT(resolved, HasSubstr("profile = [0.5, 0.25]\n"));
  EXPECT_THAT(resolved, HasSubstr("step_size = 0.3\n"));
  EXPECT_THAT(resolved, testing::Not(HasSubstr("increment")));
  EXPECT_THAT(resolved, testing::Not(HasSubstr("acquisition")));
  EXPECT_EQ(to_toml(resolve(parse_config(resolved, "y.toml", {}))), resolved);
  EXPECT_EQ(error_of([&] { resolve(parse_config(text, "x.toml", {"calibrator.restoring=1"})); }),
            "--set calibrator.restoring: a key of kind rl, but calibrator.kind is cmaes");
}

// ---- Keys of [policy] -----------------------------------------------------------------------------------------------

TEST(PolicyKeys, AMemoryBelongsToStochasticPolicies) {
  auto const settings = [](char const* algorithm) {
    return Settings{{"algorithm", std::string(algorithm)}, {"memory", std::string("lstm")}};
  };
  for (char const* algorithm : {"ppo", "a2c", "reinforce"})
    EXPECT_EQ(read_policy(settings(algorithm)).memory, MemoryKind::lstm) << algorithm;
  auto const error = [](Settings const& of) {
    try {
      read_policy(of);
    } catch (SettingError const& wrong) {
      return wrong.key + wrong.message;
    }
    return std::string("(no error)");
  };
  EXPECT_EQ(error(settings("dqn")), "memory: a key of algorithm ppo, a2c, reinforce, but policy.algorithm is dqn");
  auto cut = settings("a2c");
  cut.insert({"sequence", std::int64_t(4)});
  EXPECT_EQ(error(cut), "sequence: a key of algorithm ppo, but policy.algorithm is a2c");
  EXPECT_EQ(error({{"memory", std::string("rnn")}}), "memory = \"rnn\": expected one of \"none\", \"lstm\", \"gru\"");
  auto const fields = algorithm_fields("ppo");
  for (char const* key : {"memory", "memory_size", "sequence"})
    EXPECT_TRUE(std::any_of(fields.begin(), fields.end(), [&](Field const& field) { return field.name == key; }))
        << key;
}

// ---- Sections [policy.NAME] -----------------------------------------------------------------------------------------

constexpr char const* two_supertypes = "[env]\nname = \"matrix_game\"\ngroup_1 = 1\n";

TEST(PolicySectionKeys, TakeThoseOfPolicyThatTheirAlgorithmHas) {
  auto const text = std::string(two_supertypes) +
                    "[policy]\nmap = \"agent\"\ntype = false\nhidden = [8]\nclip = 0.1\nlearning_rate = 0.5\n"
                    "[policy.supertype_2]\nalgorithm = \"a2c\"\ndiscount = 0.5\n[policy.agent_0]\nclip = 0.2\n";
  auto const run = resolve(parse_config(text, "x.toml", {"policy.supertype_2.gae_lambda=0.25"}));
  ASSERT_EQ(run.trainer.sections.size(), 2u);
  auto const& agent = run.trainer.sections[0];
  EXPECT_EQ(agent.name, "agent_0");
  EXPECT_EQ(agent.options.algorithm, Algorithm::ppo);
  EXPECT_EQ(agent.options.ppo.clip, 0.2);
  EXPECT_EQ(agent.options.ppo.learning_rate.base, 0.5);
  auto const& supertype = run.trainer.sections[1];
  EXPECT_EQ(supertype.name, "supertype_2");
  EXPECT_EQ(supertype.options.algorithm, Algorithm::a2c);
  EXPECT_EQ(supertype.options.network.hidden.items[0], 8);
  EXPECT_EQ(supertype.options.a2c.learning_rate.base, 0.5);
  EXPECT_EQ(supertype.options.a2c.discount, 0.5);
  EXPECT_EQ(supertype.options.a2c.gae_lambda, 0.25);
  EXPECT_EQ(supertype.options.a2c.max_grad_norm, A2cOptions().max_grad_norm) << "nobody gave it";
  EXPECT_EQ(run.trainer.policy.ppo.clip, 0.1);

  auto const resolved = to_toml(run);
  EXPECT_THAT(resolved, HasSubstr("[policy.supertype_2]\nalgorithm = \"a2c\"\ndiscount = 0.5\n"));
  EXPECT_EQ(to_toml(resolve(parse_config(resolved, "y.toml", {}))), resolved);
}

TEST(PolicySectionKeys, UniformAgentsHaveNone) {
  auto const run =
      resolve(parse_config(std::string(two_supertypes) + "[policy.agent_1]\nalgorithm = \"uniform\"\n", "x.toml", {}));
  EXPECT_THAT(to_toml(run), HasSubstr("[policy.agent_1]\nalgorithm = \"uniform\"\n\n"));
  EXPECT_EQ(read_policy({{"algorithm", std::string("uniform")}, {"map", std::string("agent")}}).algorithm,
            Algorithm::uniform);
}

TEST(PolicySectionKeys, MistakesAreNamed) {
  auto const error = [](std::string const& more, std::vector<std::string> const& overrides = {}) {
    return error_of([&] { resolve(parse_config(two_supertypes + more, "x.toml", overrides)); });
  };
  std::string const expected = "; expected one of supertype_1, supertype_2, agent_0 to agent_1";
  std::string const unknown = "is no supertype, group or agent of the environment" + expected;
  EXPECT_EQ(error("[policy.merchants]\nclip = 0.1\n"), "x.toml:4: policy.merchants: " + unknown);
  EXPECT_EQ(error("[policy]\nagent_2 = { clip = 0.1 }\n"), "x.toml:5: policy.agent_2: " + unknown);
  EXPECT_EQ(error("", {"policy.agent_2.clip=0.1"}), "--set policy.agent_2: " + unknown);
  EXPECT_EQ(error("[policy.supertype_1]\n[policy.agent_0]\n"),
            "x.toml:4: policy.supertype_1: all of its agents have sections of their own" + expected);
  EXPECT_EQ(error("[policy.agent_0]\nmap = \"agent\"\n"),
            "x.toml:5: policy.agent_0.map: holds for all agents; expected in [policy]");
  EXPECT_EQ(error("[policy.agent_0]\nindication = true\n"),
            "x.toml:5: policy.agent_0.indication: holds for all agents; expected in [policy]");
  EXPECT_EQ(error("[policy.agent_0]\nalgorithm = \"a2c\"\nclip = 0.1\n"),
            "x.toml:6: policy.agent_0.clip: a key of algorithm ppo, but policy.agent_0.algorithm is a2c");
  EXPECT_EQ(error("[policy.agent_0]\nalgorithm = \"uniform\"\nhidden = [8]\n"),
            "x.toml:6: policy.agent_0.hidden: a key of algorithm ppo, a2c, reinforce, dqn, but "
            "policy.agent_0.algorithm is uniform");
  EXPECT_EQ(error("[policy.agent_0]\nrun = \"x\"\n"),
            "x.toml:5: policy.agent_0.run: a key of algorithm frozen, but policy.agent_0.algorithm is ppo");
  EXPECT_THAT(error("[policy.agent_0]\nalgorithm = \"sac\"\n"),
              HasSubstr("x.toml:5: policy.agent_0.algorithm = \"sac\": expected one of \"ppo\", \"a2c\", "));
  EXPECT_EQ(error("[policy.agent_0]\nhidden.x = 3\n"),
            "x.toml:5: policy.agent_0.hidden is a table: expected a boolean, a number, a string or a list");
  EXPECT_EQ(error("", {"policy.a.b.c=3"}), "--set policy.a.b.c=3: expected section.key=value");
  EXPECT_EQ(error("", {"policy..c=3"}), "--set policy..c=3: expected section.key=value");
  EXPECT_EQ(error("[policy.agent_0]\nrun = \"a\\u0000b\"\n"),
            "x.toml:5: policy.agent_0.run = \"a\\x00b\": expected a path without NUL");
}

// ---- What a calibrator brings with it -------------------------------------------------------------------------------

constexpr char const* game = "[env]\nname = \"matrix_game\"\n";
constexpr char const* calibrated =
    "[env]\nname = \"matrix_game\"\n[calibrator]\n[[calibrator.target]]\nmetrics = [\"welfare\"]\nvalues = [2]\n";

TEST(ValidationKeys, HaveDefaultsAndOverrides) {
  auto const run = resolve(parse_config(calibrated, "x.toml", {"validation.every=7", "settling.share=0.25"})).trainer;
  ASSERT_TRUE(run.validation.has_value());
  EXPECT_EQ(run.validation->every, 7);
  EXPECT_EQ(run.validation->episodes, ValidationOptions().episodes);
  EXPECT_EQ(run.settling.share, 0.25);
  auto const resolved = to_toml(resolve(parse_config(calibrated, "x.toml", {"validation.patience=3"})));
  EXPECT_THAT(resolved, HasSubstr("[validation]\n"));
  EXPECT_THAT(resolved, HasSubstr("patience = 3\n"));
  EXPECT_THAT(
      resolved,
      HasSubstr(
          "[settling]\nchallenge_updates = 100\nchallengers = 3\nchallenges = 2\nexplore = false\nshare = 0.2\n"));
  EXPECT_THAT(resolved, HasSubstr("[calibrator]\ncooldown = 0.6\nkind = \"es\"\n"));
  EXPECT_EQ(to_toml(resolve(parse_config(resolved, "y.toml", {}))), resolved);
}

TEST(ValidationKeys, NeedACalibrator) {
  auto const error = [](std::string const& more) {
    return error_of([&] { resolve(parse_config(game + more, "x.toml", {})); });
  };
  EXPECT_EQ(error("[validation]\nevery = 7\n"), "x.toml: [validation] needs a [calibrator]; remove it or add one");
  EXPECT_EQ(error("[settling]\nshare = 0\n"), "x.toml: [settling] needs a [calibrator]; remove it or add one");
  auto const run = resolve(parse_config(game, "x.toml", {}));
  EXPECT_FALSE(run.trainer.validation.has_value());
  EXPECT_THAT(to_toml(run), testing::Not(HasSubstr("settling")));
}

TEST(ValidationKeys, MistakesAreNamed) {
  auto const error = [](std::string const& more) {
    return error_of([&] { resolve(parse_config(calibrated + more, "x.toml", {})); });
  };
  EXPECT_THAT(error("[validation]\nevery = 0\n"), HasSubstr("x.toml:8: validation.every = 0: expected an integer in"));
  EXPECT_THAT(error("[validation]\nepisodes = 1\n"), HasSubstr("validation.episodes = 1: expected an integer in [2,"));
  EXPECT_THAT(error("[settling]\nshare = 0.95\n"), HasSubstr("x.toml:8: settling.share = 0.95: expected a number in"));
  EXPECT_THAT(error("[settling]\nshares = 0.5\n"), HasSubstr("did you mean share?"));
}

}  // namespace
}  // namespace shoal
