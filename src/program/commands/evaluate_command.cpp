#include "program/commands/evaluate_command.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "program/config/profile_file.hpp"
#include "program/reports/report.hpp"
#include "program/reports/text_table.hpp"
#include "program/runs/interrupt.hpp"
#include "program/runs/progress.hpp"
#include "program/runs/stored_run.hpp"
#include "program/version.hpp"
#include "shoal/core/text.hpp"
#include "shoal/train/memory.hpp"

namespace shoal {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t evaluating = 2;  // beside the uses that Trainer has for Purpose::validation
constexpr double move = 0.1;             // of a coordinate, in units of its bounds

struct Objective {
  std::vector<Target> targets;
  Goal goal;
};

Objective objective_of(EvaluateCommand const& command, StoredRun const& run) {
  auto const& trainer = run.trainer;
  if (command.targets.empty()) return {trainer.targets(), trainer.goal()};
  auto const file = read_config(command.targets, {});
  auto const other = resolve(file);
  if (auto const& name = run.config.trainer.environment; other.trainer.environment != name)
    throw InputError(fmt::format("{}: env.name = \"{}\": targets of another environment, expected \"{}\"",
                                 command.targets, other.trainer.environment, name));
  auto targets = with_section_location(
      file, [&] { return resolve_targets(other.trainer.targets, trainer.simulator().metric_names()); });
  auto goal = make_goal(targets, trainer.device());
  return {std::move(targets), std::move(goal)};
}

at::Tensor profile_of(EvaluateCommand const& command, StoredRun const& run) {
  if (command.profile.empty()) return run.trainer.answer();
  auto const values = read_profile(command.profile, run.config.trainer.environment, run.trainer.simulator().spec());
  return run.trainer.calibrator()->space().checked(values);
}

/// What a coordinate's move does to r_cal, on the same episodes.
struct Move {
  std::string coordinate;
  double value;
  std::optional<Estimate> down, up;  // less than without it is below 0; nothing: it would leave the bounds

  /// Whether r_cal falls for sure whichever way it moves.
  bool pinned() const { return (!down || down->high < 0) && (!up || up->high < 0); }
};

class Evaluation {
 public:
  Evaluation(EvaluateCommand const& command, StoredRun const& run)
      : command_(command),
        trainer_(run.trainer),
        objective_(objective_of(command, run)),
        profile_(profile_of(command, run)),
        seed_(std::uint32_t(derived_seed(command.seed, Purpose::validation, evaluating))),
        metrics_(play(profile_)),
        fit_(fit_of(objective_.targets, objective_.goal, metrics_)) {}

  Fit const& fit() const { return fit_; }
  at::Tensor const& profile() const { return profile_; }
  at::Tensor const& metrics() const { return metrics_; }

  Move move_of(int d) const {
    auto const& space = trainer_.calibrator()->space();
    auto const by = [&](double fraction) -> std::optional<Estimate> {
      auto moved = profile_.clone();
      moved[d] += float(fraction) * space.range()[d];
      auto const unit = ((moved - space.low()) / space.range())[d].item<double>();
      if (std::abs(unit - 0.5) > 0.5 + 1e-6) return {};
      moved = moved.clamp(space.low(), space.low() + space.range());
      return estimate(r_cal(play(moved)) - r_cal(metrics_));
    };
    return {space.names()[std::size_t(d)], profile_[d].item<double>(), by(-move), by(move)};
  }

 private:
  at::Tensor play(at::Tensor const& profile) const {
    return play_episodes(trainer_.frozen_game(profile.unsqueeze(0)), command_.episodes, seed_);
  }
  at::Tensor r_cal(at::Tensor const& metrics) const {
    return calibration_reward(objective_.goal, metrics).to(at::kDouble);
  }

  EvaluateCommand const& command_;
  Trainer const& trainer_;
  Objective objective_;
  at::Tensor profile_;
  std::uint32_t seed_;
  at::Tensor metrics_;
  Fit fit_;
};

/// @return nothing after an interrupt
std::optional<std::vector<Move>> moves_of(Evaluation const& evaluation, int coordinates) {
  std::vector<Move> moves;
  if (coordinates == 0) return moves;  // what has been played is the whole result
  LiveLine line(0.1, 10);
  for (int d = 0; d < coordinates && !interrupted(); ++d) {
    if (line.due()) line.show(fmt::format("coordinate {}/{}", d + 1, coordinates));
    moves.push_back(evaluation.move_of(d));
  }
  line.finish();
  if (interrupted()) return {};
  return moves;
}

std::string text(std::optional<Estimate> const& x) {
  return x ? fmt::format("{:+.4f} [{:+.4f}, {:+.4f}]", x->mean, x->low, x->high) : "-";
}

std::string move_table(std::vector<Move> const& moves) {
  std::vector<std::vector<std::string>> rows{
      {"coordinate", "value", "r_cal, 0.1 lower", "r_cal, 0.1 higher", "pinned"}};
  for (auto const& m : moves)
    rows.push_back({m.coordinate, fmt::format("{:.4g}", m.value), text(m.down), text(m.up), m.pinned() ? "yes" : "no"});
  return number_table(rows, 1) +
         "A coordinate is pinned down if r_cal falls whichever way it moves by a tenth of its bounds, the others "
         "held.\n";
}

Json to_json(std::optional<Estimate> const& x) { return x ? to_json(*x) : Json(); }

std::string to_json(EvaluateCommand const& command, StoredRun const& run, Evaluation const& evaluation,
                    std::vector<Move> const& moves) {
  auto const& names = run.trainer.simulator().metric_names();
  Json json{{"version", SHOAL_VERSION},
            {"commit", commit()},
            {"environment", run.config.trainer.environment},
            {"stage", run.trainer.next_stage()},
            {"digest", run.digest},
            {"device", run.trainer.device().str()},
            {"seed", command.seed},
            {"profile_file", printable(command.profile)},
            {"targets_file", printable(command.targets)},
            {"profile", Json::object()}};
  auto const& space = run.trainer.calibrator()->space();
  for (int d = 0; d < space.size(); ++d)
    json["profile"][space.names()[std::size_t(d)]] = evaluation.profile()[d].item<double>();
  json.update(to_json(evaluation.fit()));
  auto const metrics = evaluation.metrics().to(at::kDouble);
  for (std::size_t m = 0; m < names.size(); ++m)
    json["metrics"][names[m]] = to_json(estimate(metrics.select(1, std::int64_t(m))));
  json["moves"] = Json::array();
  for (auto const& m : moves)
    json["moves"].push_back({{"coordinate", m.coordinate},
                             {"value", m.value},
                             {"lower", to_json(m.down)},
                             {"higher", to_json(m.up)},
                             {"pinned", m.pinned()}});
  return json.dump(2) + "\n";
}

}  // namespace

int evaluate(EvaluateCommand const& command) {
  at::NoGradGuard const no_grad;
  auto const directory = RunDirectory::open(command.directory);
  auto const run = load_trained(directory, command.overrides);
  if (!run.trainer.calibrator())
    throw InputError(fmt::format("{}: has no [calibrator]; expected a calibrated run", directory.config()));
  check_memory({fmt::format("--episodes = {}", command.episodes), command.episodes,
                episode_bytes(run.config.trainer.environment, run.config.trainer.env), 0},
               run.trainer.device());
  catch_interrupts();
  Evaluation const evaluation(command, run);
  auto const moves = moves_of(evaluation, command.coordinates ? run.trainer.calibrator()->space().size() : 0);
  if (!moves) {
    fmt::print("{}: interrupted; nothing was written\n", command.directory);
    return 130;
  }
  auto const fit = to_json(evaluation.fit());
  if (command.coordinates) fmt::print("{}\n", move_table(*moves));
  fmt::print("{}r_cal {:.4f} [{:.4f}, {:.4f}] over {} episodes, {} after {} stages\n", fit_table(fit),
             evaluation.fit().r_cal.mean, evaluation.fit().r_cal.low, evaluation.fit().r_cal.high, command.episodes,
             command.profile.empty() ? "the run's profile" : printable(command.profile), run.trainer.next_stage());
  directory.write("evaluation.json", to_json(command, run, evaluation, *moves));
  return 0;
}

}  // namespace shoal
