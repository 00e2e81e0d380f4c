#include "program/commands/check_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "program/reports/report.hpp"
#include "program/reports/text_table.hpp"
#include "program/runs/console.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/progress.hpp"
#include "program/runs/stored_run.hpp"
#include "program/version.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {

namespace {

using Json = nlohmann::ordered_json;

/// The profiles that deviations are tried at.
FrozenGame frozen_game(Trainer const& trainer, bool particles) {
  auto const& calibrator = trainer.calibrator();
  if (!calibrator) return trainer.frozen_game({});
  return trainer.frozen_game(particles ? calibrator->profiles() : trainer.answer().unsqueeze(0));
}

/// How far the check is.
class CheckProgress {
 public:
  void show(double done, std::string const& what) {
    if (!line_.due()) return;
    double const left = seconds() * (1 - done) / std::max(done, 1e-9);
    line_.show(fmt::format("{:3.0f} %  {}  {} left", 100 * done, what, clock_text(left)));
  }
  void finish() { line_.finish(); }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  LiveLine line_{0.1, 10};
  Clock::time_point start_ = Clock::now();
};

std::string interval(Estimate const& x) { return fmt::format("[{:.4g}, {:.4g}]", x.low, x.high); }

std::string table(EquilibriumReport const& report) {
  std::vector<std::vector<std::string>> rows{
      {"who deviates", "from", "V(pi*, pi*)", "V(pi, pi*)", "regret", "95 % interval", "normalised"}};
  for (auto const& d : report.deviators)
    for (auto const& x : d.deviations)
      rows.push_back({d.who.name, x.start, fmt::format("{:.4g}", d.value.mean), fmt::format("{:.4g}", x.value.mean),
                      fmt::format("{:+.4g}", x.regret.mean), interval(x.regret), fmt::format("{:+.4f}", x.normalised)});
  return number_table(rows, 2);
}

Json to_json(DeviatorsReport const& report) {
  Json json{{"name", report.who.name}, {"agents", Json::array()}};
  for (int const agent : report.who.agents) json["agents"].push_back(agent + 1);
  json["value"] = to_json(report.value);
  json["scale"] = report.scale;
  json["epsilon"] = report.epsilon();
  json["epsilon_normalised"] = report.epsilon() / report.scale;
  json["proven"] = report.proven();
  json["best"] = report.best().start;
  json["deviations"] = Json::array();
  for (auto const& x : report.deviations)
    json["deviations"].push_back(
        {{"start", x.start}, {"value", to_json(x.value)}, {"regret", to_json(x.regret)}, {"normalised", x.normalised}});
  return json;
}

Json profile_json(StoredRun const& run, at::Tensor const& supertypes) {
  Json json = Json::object();
  auto const mean = supertypes.mean(0).cpu();
  auto const& spec = run.trainer.simulator().spec();
  for (std::size_t s = 0; s < spec.supertypes.size(); ++s)
    for (std::size_t c = 0; c < spec.supertypes[s].coordinates.size(); ++c)
      json[spec.supertypes[s].name + "." + spec.supertypes[s].coordinates[c].name] =
          mean[std::int64_t(s)][std::int64_t(c)].item<double>();
  return json;
}

std::string to_json(CheckCommand const& command, StoredRun const& run, FrozenGame const& game,
                    EquilibriumReport const& report, double seconds) {
  auto const& o = command.options;
  Json json{{"version", SHOAL_VERSION},
            {"commit", commit()},
            {"environment", run.config.trainer.environment},
            {"stage", run.trainer.next_stage()},
            {"digest", run.digest},
            {"device", run.trainer.device().str()},
            {"seconds", seconds}};
  json["options"] = {{"instances", o.instances},
                     {"updates", o.updates},
                     {"evaluations", o.evaluations},
                     {"seed", o.seed},
                     {"particles", command.particles}};
  if (run.config.trainer.sections.empty()) json["options"]["discount"] = run.config.trainer.policy.discount();
  json["profile"] = profile_json(run, game.supertypes);
  json["shared"] = report.shared;
  json["verdict"] = verdict(report);
  json["deviators"] = Json::array();
  for (auto const& d : report.deviators) {
    json["deviators"].push_back(to_json(d));
    json["deviators"].back()["discount"] = game.deviations[d.who.policy]->discount;
  }
  return json.dump(2) + "\n";
}

/// Of a deviation's training, whose rollout has one agent of each instance, and of an evaluation.
void check_sizes(EquilibriumOptions const& o, StoredRun const& run) {
  auto const& config = run.config.trainer;
  auto const bytes = [&](int steps, int agents) {
    return instance_bytes(config.environment, config.env, config.policy.observation, steps, agents);
  };
  auto const device = run.trainer.device();
  check_memory({fmt::format("--instances = {}", o.instances), o.instances, bytes(o.steps, 1) + bytes(1, 0), 0}, device);
  check_memory({fmt::format("--evaluations = {}", o.evaluations), o.evaluations, bytes(1, 0) + bytes(1, 1), 0}, device);
}

/// "0.4 % of |V|": epsilon.
std::string share(DeviatorsReport const& d) {
  if (std::abs(d.value.mean) < d.scale) return "|V| being nearly 0";
  double const ratio = d.epsilon() / d.scale;
  return ratio > 10 ? fmt::format("{:.3g} times |V|", ratio) : fmt::format("{:.3g} % of |V|", 100 * ratio);
}

/// "0.2 [0.1, 0.3] by a deviation from pi*".
std::string gain(DeviatorsReport const& d) {
  auto const& best = d.best();
  auto const how = best.start == "do nothing" ? "doing nothing" : "a deviation from " + best.start;
  return fmt::format("{:.3g} {} by {}", best.regret.mean, interval(best.regret), how);
}

}  // namespace

std::string verdict(EquilibriumReport const& report) {
  auto const worst = [&](std::size_t first) {
    return *std::max_element(report.deviators.begin() + std::ptrdiff_t(first), report.deviators.end(),
                             [](DeviatorsReport const& a, DeviatorsReport const& b) {
                               return a.epsilon() / a.scale < b.epsilon() / b.scale;
                             });
  };
  auto const whole = report.shared ? report.deviators[0] : worst(0);
  auto text = fmt::format("An {} with epsilon = {:.3g}, {}, against every deviation tried: {} can gain {}",
                          report.shared ? "epsilon-shared equilibrium" : "epsilon-equilibrium of the policies",
                          whole.epsilon(), share(whole), whole.who.name, gain(whole));
  if (report.shared && report.deviators.size() > 1) {
    auto const part = worst(1);
    text += fmt::format("; by supertypes, {} has most to gain, {}, at most {:.3g}, {}", part.who.name, gain(part),
                        part.epsilon(), share(part));
  }
  return text + "; a lower bound on true exploitability, for a stronger deviation may exist.";
}

int check(CheckCommand const& command) {
  auto const directory = RunDirectory::open(command.directory);
  auto const run = load_trained(directory, command.overrides);
  auto options = command.options;
  options.steps = run.config.trainer.train.steps;
  check_sizes(options, run);
  auto const game = frozen_game(run.trainer, command.particles);
  tell(fmt::format("{}: {} at stage {}, {}\n", printable(command.directory), run.config.trainer.environment,
                   run.trainer.next_stage(), run.trainer.device().str()));
  catch_interrupts();
  CheckProgress line;
  auto const report = check_equilibrium(game, options, [&](double done, std::string const& what) {
    line.show(done, what);
    return !interrupted();
  });
  line.finish();
  if (!report) {
    fmt::print("{}: interrupted; nothing was written\n", command.directory);
    return 130;
  }
  fmt::print("{}\n{}\n", table(*report), verdict(*report));  // also where the file cannot be written
  directory.write("check.json", to_json(command, run, game, *report, line.seconds()));
  return 0;
}

}  // namespace shoal
